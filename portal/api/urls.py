"""The end points of the REST API: one line for each noun."""

from typing import Any

from django.urls import URLPattern, path, re_path
from rest_framework.routers import SimpleRouter

from accounts.api import (
    Agreements,
    Devices,
    DeviceTokens,
    Login,
    Logout,
    OwnProfile,
    SecondFactor,
    Sessions,
    Tokens,
)
from clouds.api.accounts import Clouds, Drivers
from clouds.api.catalogue import Flavors, Images, Networks
from clouds.api.choices import Defaults, NextName
from clouds.api.groups import Groups
from clouds.api.keys import Keys
from clouds.api.limits import Limits
from clouds.api.networks import Addresses, SecurityGroups
from clouds.api.servers import Servers
from clouds.api.volumes import Volumes
from hpc.api.clusters import Clusters, Nodes, Queues
from hpc.api.jobs import Experiments, Jobs
from hpc.api.schedulers import SchedulerDrivers, Schedulers
from hpc.api.templates import Templates
from operations.api import Operations
from portal.api.schema import Nothing, Schema
from projects.api import Events, Me, Projects, Usage
from projects.api.applications import Applications, Sections
from projects.api.members import AcceptInvitation, Invitations, JoinRequests, Members, Within
from projects.api.policies import Policies
from projects.api.quotas import Quotas
from projects.api.users import Users
from projects.api.webhooks import Webhooks

app_name = "api"
router = SimpleRouter(use_regex_path=False)
for noun, end_points in {
    "server": Servers,
    "cloud": Clouds,
    "image": Images,
    "flavor": Flavors,
    "network": Networks,
    "volume": Volumes,
    "limit": Limits,
    "key": Keys,
    "operation": Operations,
    "event": Events,
    "project": Projects,
    "token": Tokens,
    "user": Users,
    "agreement": Agreements,
    "session": Sessions,
    "webhook": Webhooks,
    "application": Applications,
    "cluster": Clusters,
    "queue": Queues,
    "node": Nodes,
    "job": Jobs,
    "experiment": Experiments,
    "template": Templates,
    "scheduler": Schedulers,
}.items():
    router.register(f"{noun}s", end_points, basename=noun)
router.register("policies", Policies, basename="policy")
router.register("addresses", Addresses, basename="address")
router.register("security-groups", SecurityGroups, basename="security-group")


def _project(noun: str, end_points: type[Within], key: str, kind: str = "str") -> list[URLPattern]:
    """The end points of a noun inside a project: the list, and one of them."""
    root, known = f"projects/<str:name>/{noun}/", {"patch": "partial_update", "delete": "destroy"}
    each: dict[str, Any] = {method: action for method, action in known.items() if hasattr(end_points, action)}
    return [
        path(root, end_points.as_view({"get": "list", "post": "create"}), name=f"project-{noun}"),
        path(f"{root}<{kind}:{key}>/", end_points.as_view(each), name=f"project-{noun}-one"),
    ]


urlpatterns = [
    path("me/", Me.as_view(), name="me"),
    path("me/profile/", OwnProfile.as_view(), name="profile"),
    path("me/totp/", SecondFactor.as_view(), name="second-factor"),
    path("login/", Login.as_view(), name="login"),
    path("login/device/", Devices.as_view(), name="device"),
    path("login/device/token/", DeviceTokens.as_view(), name="device-token"),
    path("logout/", Logout.as_view(), name="logout"),
    path("sections/<str:kind>/", Sections.as_view(), name="sections"),
    path("drivers/", Drivers.as_view(), name="drivers"),
    path("scheduler-drivers/", SchedulerDrivers.as_view(), name="scheduler-drivers"),
    path("defaults/", Defaults.as_view(), name="defaults"),
    path("next-name/", NextName.as_view(), name="next-name"),
    path("groups/", Groups.as_view(), name="groups"),
    path("usage/", Usage.as_view(), name="usage"),
    path("schema/", Schema.as_view(), name="schema"),
    *router.urls,
    *_project("members", Members, "user"),
    *_project("invitations", Invitations, "id", "uuid"),
    *_project("requests", JoinRequests, "id", "uuid"),
    path("projects/<str:name>/requests/<uuid:id>/accept/", JoinRequests.as_view({"post": "accept"}), name="let-in"),
    path("projects/<str:name>/requests/<uuid:id>/refuse/", JoinRequests.as_view({"post": "refuse"}), name="refuse"),
    path("projects/<str:name>/use/", Projects.as_view({"post": "use"}), name="project-use"),
    path("invitations/<str:secret>/accept/", AcceptInvitation.as_view(), name="invitation-accept"),
    path("projects/<str:name>/quotas/", Quotas.as_view(), name="project-quotas"),
    path("servers/<str:name>/<str:act>/", Servers.as_view({"post": "act"}), name="server-act"),
    path("jobs/<str:id>/<str:act>/", Jobs.as_view({"post": "act"}), name="job-act"),
    path("schedulers/<str:name>/logins/<str:user>/", Schedulers.as_view({"put": "map_login"}), name="scheduler-map"),
    path("webhooks/<uuid:webhook>/test/", Webhooks.as_view({"post": "test"}), name="webhook-test"),
    re_path("", Nothing.as_view(), name="nothing"),
]
