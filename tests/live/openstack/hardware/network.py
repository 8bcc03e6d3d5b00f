"""Wires for neutron's ML2: every port of every host is connected at once, and no packet ever moves."""

import sqlalchemy.orm
from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class Wires(api.MechanismDriver):
    def initialize(self):
        """Link the models of the database: a Neutron whose first request is for ports fails without."""
        sqlalchemy.orm.configure_mappers()

    def bind_port(self, context):
        segment = context.segments_to_bind[0]
        context.set_binding(segment[api.ID], portbindings.VIF_TYPE_OVS, {}, status=constants.PORT_STATUS_ACTIVE)
