"""Clouds and what they hold, as pages."""

from clouds.views.actions import server_action, server_bulk
from clouds.views.boot import Boot, boot_plan, next_context, server_next
from clouds.views.catalogue import FlavorList, ImageList, image_delete
from clouds.views.choices import Defaults
from clouds.views.clouds import (
    cloud_cards,
    cloud_detail,
    cloud_list,
    cloud_refresh,
    cloud_remove,
    cloud_rename,
    cloud_row,
    cloud_toggle,
)
from clouds.views.groups import Grouping
from clouds.views.keys import Keys, key_delete
from clouds.views.limits import limit_list
from clouds.views.networks import (
    GiveIp,
    IpList,
    NetworkList,
    NewIp,
    NewSecgroup,
    SecgroupList,
    SecgroupRules,
    ip_release,
    secgroup_delete,
)
from clouds.views.register import Register, cloud_verify
from clouds.views.servers import ServerList, server_detail, server_row
from clouds.views.volumes import (
    NewVolume,
    VolumeList,
    server_volumes,
    volume_bulk,
    volume_deed,
    volume_detail,
    volume_row,
)

__all__ = [
    "Boot",
    "Defaults",
    "FlavorList",
    "GiveIp",
    "Grouping",
    "ImageList",
    "IpList",
    "Keys",
    "NetworkList",
    "NewIp",
    "NewSecgroup",
    "NewVolume",
    "Register",
    "SecgroupList",
    "SecgroupRules",
    "ServerList",
    "VolumeList",
    "boot_plan",
    "cloud_cards",
    "cloud_detail",
    "cloud_list",
    "cloud_refresh",
    "cloud_remove",
    "cloud_rename",
    "cloud_row",
    "cloud_toggle",
    "cloud_verify",
    "image_delete",
    "ip_release",
    "key_delete",
    "limit_list",
    "next_context",
    "secgroup_delete",
    "server_action",
    "server_bulk",
    "server_detail",
    "server_next",
    "server_row",
    "server_volumes",
    "volume_bulk",
    "volume_deed",
    "volume_detail",
    "volume_row",
]
