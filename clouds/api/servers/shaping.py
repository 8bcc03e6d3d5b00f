"""What servers are besides running: their labels."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from activity.api import Signed
from activity.views import SIGNED
from clouds import services
from clouds.api.servers.answers import Booted
from clouds.api.servers.deeds import Deeds
from clouds.api.servers.wishes import LabelRequest, LabelsRequest
from clouds.models import Server
from projects import access


class Shaping(Deeds):
    """Labels, of one server or of many."""

    permissions = {**Deeds.permissions, "label": "server.change", "labels": SIGNED}

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
