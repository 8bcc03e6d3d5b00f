"""OpenStack: Keystone for the login, Nova for servers, Glance for images, Neutron for networks, Cinder for volumes.

`connection` the way there · `failures` what goes wrong · `records` the translation · `network` what Neutron adds
to a server · `volumes` what Cinder adds · `driver` what the portal asks.
"""

from clouds.drivers.openstack.driver import OpenStack

__all__ = ["OpenStack"]
