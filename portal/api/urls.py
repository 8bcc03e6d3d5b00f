"""The end points of the REST API: one line for each noun."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from accounts.api import Tokens
from clouds.api.accounts import Clouds, Drivers
from clouds.api.catalogue import Flavors, Images, Networks
from clouds.api.choices import Defaults, Keys
from clouds.api.servers import Servers
from operations.api import Operations
from portal.api.schema import Nothing, Schema
from projects.api import Events, Me, Projects

app_name = "api"
router = SimpleRouter(use_regex_path=False)
for noun, end_points in {
    "server": Servers,
    "cloud": Clouds,
    "image": Images,
    "flavor": Flavors,
    "network": Networks,
    "key": Keys,
    "operation": Operations,
    "event": Events,
    "project": Projects,
    "token": Tokens,
}.items():
    router.register(f"{noun}s", end_points, basename=noun)

urlpatterns = [
    path("me/", Me.as_view(), name="me"),
    path("drivers/", Drivers.as_view(), name="drivers"),
    path("defaults/", Defaults.as_view(), name="defaults"),
    path("schema/", Schema.as_view(), name="schema"),
    *router.urls,
    path("servers/<str:name>/<str:act>/", Servers.as_view({"post": "act"}), name="server-act"),
    re_path("", Nothing.as_view(), name="nothing"),
]
