"""What is done to one server: each end point asks for it and answers with the operation."""

from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from activity.api import Lists, Signed
from cloudmesh.errors import NotFound, near
from cloudmesh.types import ServerState
from clouds import services
from clouds.api.servers.answers import Booted, ServerAnswer
from clouds.api.servers.wishes import AddressRequest, LogRequest, RenameRequest
from clouds.models import Server
from operations.api import NOTHING, accepted
from operations.models import Operation
from projects import access


class Deeds(Lists):
    """One server by name or id, and what can be done to it."""

    permissions = {
        "destroy": "server.delete",
        "rename": "server.change",
        "ip_assign": "server.change",
        "ip_unassign": "server.change",
        "ip_release": "server.change",
        "console": "server.console",
        "console_log": "server.console",
        "act": "server.change",
    }
    serializer_class = ServerAnswer
    lookup_url_kwarg = "name"

    def facts(self, records: Sequence[Server]) -> list[services.ServerFacts]:
        services.watch(project_ids=list({server.project_id for server in records}))
        return services.server_facts(records)

    @extend_schema(request=NOTHING, responses={202: Booted})
    def destroy(self, request: Signed, name: str) -> Response:
        """Delete a server; a boot that is going on is taken back first."""
        server = self.server(name, "server.delete")
        return self.booted(services.delete_servers(actor=request.user, servers=[server]))

    @extend_schema(request=RenameRequest, responses={202: Booted})
    @action(detail=True, methods=["post"])
    def rename(self, request: Signed, name: str) -> Response:
        """Give a server another name, here and at its cloud."""
        wish = RenameRequest.parse(request)
        return self.do(name, "server.change", services.rename_server, name=wish["name"])

    @extend_schema(request=AddressRequest, responses={202: Booted})
    @action(detail=True, methods=["post"], url_path="ip-assign")
    def ip_assign(self, request: Signed, name: str) -> Response:
        """Give a server a public address: this one, or one that is nobody's, or a new one."""
        return self.do(name, "server.change", services.assign_ip, **AddressRequest.parse(request))

    @extend_schema(request=NOTHING, responses={202: Booted})
    @action(detail=True, methods=["post"], url_path="ip-unassign")
    def ip_unassign(self, request: Signed, name: str) -> Response:
        """Take a server's public address off it; the project keeps it."""
        return self.do(name, "server.change", services.unassign_ip)

    @extend_schema(request=NOTHING, responses={202: Booted})
    @action(detail=True, methods=["post"], url_path="ip-release")
    def ip_release(self, request: Signed, name: str) -> Response:
        """Give a server's public address back."""
        return self.do(name, "server.change", services.release_ip)

    @extend_schema(request=NOTHING, responses={202: Booted})
    @action(detail=True, methods=["post"])
    def console(self, request: Signed, name: str) -> Response:
        """Ask where the screen can be seen; the operation's result has the url."""
        return self.do(name, "server.console", services.open_console)

    @extend_schema(request=LogRequest, responses={202: Booted})
    @action(detail=True, methods=["post"], url_path="console-log")
    def console_log(self, request: Signed, name: str) -> Response:
        """Ask for the last lines of the console; the operation's result has the text."""
        wish = LogRequest.parse(request)
        return self.do(name, "server.console", services.read_console_log, **wish)

    @extend_schema(
        operation_id="servers_act",
        request=NOTHING,
        responses={202: Booted},
        parameters=[OpenApiParameter("act", str, OpenApiParameter.PATH, enum=list(services.ACTIONS))],
    )
    def act(self, request: Signed, name: str, act: str) -> Response:
        """Start, stop, reboot, suspend, resume, pause, unpause, shelve or unshelve a server."""
        if act not in services.ACTIONS:
            raise NotFound(
                f"There is no action {act[:40]!r}; there are: {', '.join(services.ACTIONS)}."
                + near(act[:40], services.ACTIONS)
            )
        server = self.server(name, "server.change")
        return self.booted(services.change_servers(actor=request.user, servers=[server], action=act))

    def server(self, name: str, permission: str) -> Server:
        """By id, also when it is gone; or by name among those that are not."""
        seen = access.visible(Server, self.request.user).select_related("account__cloud", "project", "owner")
        by_id = services.ID.fullmatch(name)
        live = seen if by_id else seen.exclude(state=ServerState.DELETED)
        return access.find(live, name, actor=self.request.user, permission=permission, kind="server")

    def do(self, whom: str, permission: str, service: Callable[..., Operation], **wish: Any) -> Response:
        server = self.server(whom, permission)
        return self.booted(service(actor=self.request.user, server=server, **wish))

    def booted(self, operation: Operation) -> Response:
        parts = operation.children.all() if operation.is_batch else Operation.objects.filter(pk=operation.pk)
        servers = services.light(Server.objects.filter(pk__in=parts.values("target_id"))).order_by("pk")
        return accepted(operation, servers=ServerAnswer.rows(self.facts(list(servers))))
