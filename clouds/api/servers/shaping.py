"""What servers are besides running: their labels, groups and size, images of them, what their clouds say now."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from activity.api import Signed
from activity.views import SIGNED
from clouds import services
from clouds.api.servers.answers import Booted, Grouped, ServerAnswer
from clouds.api.servers.deeds import Deeds
from clouds.api.servers.wishes import (
    LabelRequest,
    LabelsRequest,
    RegroupRequest,
    ResizeRequest,
    ResizesRequest,
    SnapshotRequest,
)
from clouds.models import Server
from operations.api import NOTHING, accepted
from projects import access


class Shaping(Deeds):
    """Labels, groups and sizes, of one server or of many; images and news of one."""

    permissions = {
        **Deeds.permissions,
        "label": "server.change",
        "labels": SIGNED,
        "group": SIGNED,
        "resize": "server.change",
        "resizes": SIGNED,
        "snapshot": "server.change",
        "refresh": "server.view",
    }

    @extend_schema(request=LabelRequest, responses={202: Booted})
    @action(detail=True, methods=["post"])
    def label(self, request: Signed, name: str) -> Response:
        """Set labels of a server and remove others, here and at its cloud."""
        return self._label([self.server(name, "server.change")], LabelRequest.parse(request))

    @extend_schema(request=LabelsRequest, responses={202: Booted})
    @action(detail=False, methods=["post"])
    def labels(self, request: Signed) -> Response:
        """Set labels of many servers and remove others."""
        wish = LabelsRequest.parse(request)
        return self._label(self.chosen(wish), wish)

    @extend_schema(request=ResizeRequest, responses={202: Booted})
    @action(detail=True, methods=["post"])
    def resize(self, request: Signed, name: str) -> Response:
        """Give a server another flavor; it restarts. Policies and quotas are asked for what it grows by."""
        return self._resize([self.server(name, "server.change")], ResizeRequest.parse(request))

    @extend_schema(operation_id="servers_resize_many", request=ResizesRequest, responses={202: Booted})
    @action(detail=False, methods=["post"], url_path="resize")
    def resizes(self, request: Signed) -> Response:
        """Give many servers of one cloud another flavor."""
        wish = ResizesRequest.parse(request)
        return self._resize(self.chosen(wish), wish)

    @extend_schema(request=SnapshotRequest, responses={202: Booted})
    @action(detail=True, methods=["post"])
    def snapshot(self, request: Signed, name: str) -> Response:
        """Make an image of a server, which goes on running; the operation's result has its name and id."""
        wish = SnapshotRequest.parse(request)
        return self.do(name, "server.change", services.snapshot_server, name=wish.get("name", ""))

    @extend_schema(request=NOTHING, responses={202: Booted})
    @action(detail=True, methods=["post"])
    def refresh(self, request: Signed, name: str) -> Response:
        """Read a server from its cloud now."""
        return self.do(name, "server.view", services.refresh_server)

    @extend_schema(request=RegroupRequest, responses={200: Grouped, 202: Grouped})
    @action(detail=False, methods=["post"])
    def group(self, request: Signed) -> Response:
        """Have servers in one group and no other; their clouds are told."""
        wish = RegroupRequest.parse(request)
        servers = self.chosen(wish)
        operation = services.group_servers(actor=request.user, servers=servers, group=wish["group"])
        if operation:
            return accepted(operation, servers=ServerAnswer.rows(self.facts(servers)))
        return Response({"operation": None, "servers": ServerAnswer.rows(self.facts(servers))})

    def chosen(self, wish: dict[str, Any]) -> list[Server]:
        """The servers that a wish about many names, where they may be changed."""
        actor, named = self.request.user, wish.get("project", "")
        project = access.project_named(actor, named, permission="server.view") if named else None
        return services.find_servers(actor=actor, names=wish["servers"], permission="server.change", project=project)

    def _label(self, servers: list[Server], wish: dict[str, Any]) -> Response:
        labels, remove = wish.get("labels", {}), wish.get("remove", [])
        return self.booted(
            services.label_servers(actor=self.request.user, servers=servers, labels=labels, remove=remove)
        )

    def _resize(self, servers: list[Server], wish: dict[str, Any]) -> Response:
        return self.booted(services.resize_servers(actor=self.request.user, servers=servers, flavor=wish["flavor"]))
