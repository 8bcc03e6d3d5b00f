"""OpenStack: Keystone for the login, Nova for servers, Glance for images, Neutron for networks.

`connection` the way there · `failures` what goes wrong · `records` the translation · `network` what Neutron adds
to a server · `driver` what the portal asks.
"""

from clouds.drivers.openstack.driver import OpenStack

__all__ = ["OpenStack"]
