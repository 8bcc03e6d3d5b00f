"""Volumes over REST: making, attaching, detaching and deleting them, and looking at them."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.models import User
from activity.api import Answer, Body, Filter, Lists, OneOf, Signed, Text, Texts, Whole, one, one_of
from activity.views import SIGNED
from cloudmesh.types import ServerState, VolumeState
from clouds import services
from clouds.api.accounts import IN_CLOUD
from clouds.models import Server, Volume
from operations.api import NOTHING, OperationAnswer, accepted
from operations.models import Operation
from projects import access
from projects.api import IN_PROJECT
from projects.models import Project

# -- answers ---------------------------------------------------------------------------------------------------


class VolumeAnswer(Answer):
    """A disk of its own, which servers come and go from."""

    id = serializers.UUIDField(source="volume.pk")
    name = serializers.CharField(source="volume.name")
    state = serializers.ChoiceField([state.value for state in VolumeState], source="volume.state")
    state_reason = serializers.CharField(source="volume.state_reason")
    size = serializers.IntegerField(source="volume.size", help_text="GiB")
    server = serializers.CharField(source="server.name", allow_null=True, help_text="That has it, if the portal knows")
    device = serializers.CharField(source="volume.device", help_text="What it is called there")
    is_bound = serializers.BooleanField(source="volume.is_bound", help_text="It is deleted with its server")
    cloud = serializers.CharField(source="volume.account.cloud.name")
    project = serializers.CharField(source="volume.project.name")
    owner = serializers.CharField(source="volume.owner.username", allow_null=True)
    provider_id = serializers.CharField(source="volume.provider_id", help_text="The cloud's own id; empty before it")
    server_provider_id = serializers.CharField(
        source="volume.server_provider_id", help_text="Of the server that has it"
    )
    age_seconds = serializers.IntegerField(allow_null=True, help_text="Of what is shown here")
    seen_at = serializers.DateTimeField(allow_null=True, help_text="When its cloud last told, or told no change")
    created_at = serializers.DateTimeField(source="volume.created_at", help_text="When the portal first knew of it")
    created = serializers.DateTimeField(source="volume.created", allow_null=True, help_text="At its cloud")
    operation = serializers.UUIDField(source="operation.pk", allow_null=True, help_text="The one that is going on")
    is_orphan = serializers.BooleanField(source="volume.is_orphan", help_text="Found there, not made here")
    version = serializers.IntegerField(source="volume.version")


class DeedAnswer(Answer):
    """Whether something can be done to a volume now, and why not."""

    name = serializers.CharField()
    able = serializers.BooleanField()
    reason = serializers.CharField()


class VolumeWhole(VolumeAnswer):
    """A volume with all that is known of it."""

    actions = serializers.ListField(child=DeedAnswer())
    native = serializers.DictField(source="volume.native", help_text="What its cloud says of it")


class VolumesAsked(Answer):
    """What was asked for, and of which volumes."""

    operation = OperationAnswer()
    volumes = VolumeAnswer(many=True)


@dataclasses.dataclass(frozen=True)
class Everything:
    """All that is known of one volume."""

    facts: services.VolumeFacts
    actions: Sequence[dict[str, Any]]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.facts, name)


# -- requests --------------------------------------------------------------------------------------------------


class VolumeRequest(Body):
    name = Text(help_text="A name or hostlist")
    size = Whole(help_text="GiB")
    count = Whole(required=False, help_text="How many, numbered below the name; 1 if not given")
    cloud = Text(required=False, help_text="Your default one if not given")
    project = Text(required=False)
    server = Text(required=False, help_text="A server's name or id: it is made where that is, and attached to it")


class AttachRequest(Body):
    server = Text(help_text="A server's name or id, on the cloud of the volume")
    device = Text(required=False, help_text="Such as /dev/vdb; the cloud chooses if not given")


class VolumeBulkRequest(Body):
    action = OneOf(["detach", "delete"])
    volumes = Texts(help_text="Ids, names, hostlists or globs")
    project = Text(required=False, help_text="Only in this project")


# -- end points ------------------------------------------------------------------------------------------------


class Volumes(Lists):
    """Volumes of all clouds."""

    by_project = True
    permissions = {
        "list": SIGNED,
        "retrieve": "volume.view",
        "create": "volume.create",
        "attach": "volume.change",
        "detach": "volume.change",
        "destroy": "volume.delete",
        "bulk": SIGNED,
    }
    serializer_class = VolumeAnswer
    lookup_url_kwarg = "name"
    filters = {
        "cloud": IN_CLOUD,
        "state": one_of("state", [state.value for state in VolumeState]),
        "project": IN_PROJECT,
        "server": Filter("At this server, by name or id; a hostlist or glob for several.", services.at_server),
        "name": Filter("Of these names: a hostlist such as data[1-3], or globs.", lambda _, text: services.named(text)),
    }
    searched = {"name": "name"}
    orders = {"created_at": "created_at", "name": "name", "state": "state", "size": "size"}
    ordering = "-created_at"

    def records(self, request: Signed) -> QuerySet[Volume]:
        """Those deleted only where they are asked for."""
        seen = access.visible(Volume, request.user).defer("native", "native_hash")
        gone = VolumeState.DELETED in request.query_params.get("state", "").split(",")
        return seen if gone else seen.exclude(state=VolumeState.DELETED)

    def facts(self, records: Sequence[Volume]) -> list[services.VolumeFacts]:
        services.watch(project_ids=list({volume.project_id for volume in records}))
        return services.volume_facts(records)

    @extend_schema(request=VolumeRequest, responses={202: VolumesAsked})
    def create(self, request: Signed) -> Response:
        """Make volumes; where a server is named, it gets them."""
        wish = VolumeRequest.parse(request)
        project = access.project_named(request.user, wish.pop("project", ""), permission="volume.create")
        named = wish.pop("server", "")
        server = self._server(named, Q(project=project)) if named else None
        return self._asked(services.create_volumes(actor=request.user, project=project, server=server, **wish))

    @extend_schema(responses=VolumeWhole)
    def retrieve(self, request: Signed, name: str) -> Response:
        """One volume, by name or id, with all that is known of it."""
        volume = self._volume(name, "volume.view")
        return one(request, VolumeWhole, Everything(self.facts([volume])[0], services.volume_deeds(volume)))

    @extend_schema(request=AttachRequest, responses={202: VolumesAsked})
    @action(detail=True, methods=["post"])
    def attach(self, request: Signed, name: str) -> Response:
        """Give a server the volume."""
        volume = self._volume(name, "volume.change")
        wish = AttachRequest.parse(request)
        server = self._server(wish.pop("server"), Q(account=volume.account_id))
        return self._asked(services.attach_volume(actor=request.user, volume=volume, server=server, **wish))

    @extend_schema(request=NOTHING, responses={202: VolumesAsked})
    @action(detail=True, methods=["post"])
    def detach(self, request: Signed, name: str) -> Response:
        """Take the volume from its server; what is on it stays."""
        volume = self._volume(name, "volume.change")
        return self._asked(services.detach_volumes(actor=request.user, volumes=[volume]))

    @extend_schema(request=NOTHING, responses={202: VolumesAsked})
    def destroy(self, request: Signed, name: str) -> Response:
        """Delete a volume that no server has."""
        volume = self._volume(name, "volume.delete")
        return self._asked(services.delete_volumes(actor=request.user, volumes=[volume]))

    @extend_schema(request=VolumeBulkRequest, responses={202: VolumesAsked})
    @action(detail=False, methods=["post"])
    def bulk(self, request: Signed) -> Response:
        """Detach or delete many volumes."""
        wish = VolumeBulkRequest.parse(request)
        named = wish.get("project", "")
        project = access.project_named(request.user, named, permission="volume.view") if named else None
        return self._asked(_change(request.user, wish["action"], wish["volumes"], project))

    def _volume(self, name: str, permission: str) -> Volume:
        """By id, also when it is gone; or by name among those that are not."""
        seen = access.visible(Volume, self.request.user).select_related("account__cloud", "project", "owner")
        live = seen if services.ID.fullmatch(name) else seen.exclude(state=VolumeState.DELETED)
        return access.find(live, name, actor=self.request.user, permission=permission, kind="volume")

    def _server(self, name: str, where: Q) -> Server:
        live = access.visible(Server, self.request.user).exclude(state=ServerState.DELETED)
        live = live.select_related("account__cloud", "account__project", "project")
        near = live.filter(where, name=name)  # of several of one name the one that can be meant
        return access.find(near if near.exists() else live, name, actor=self.request.user, permission="server.change")

    def _asked(self, operation: Operation) -> Response:
        parts = operation.children.all() if operation.is_batch else Operation.objects.filter(pk=operation.pk)
        volumes = Volume.objects.filter(pk__in=parts.values("target_id")).defer("native", "native_hash").order_by("pk")
        return accepted(operation, volumes=VolumeAnswer.rows(self.facts(list(volumes))))


def _change(actor: User, deed: str, names: list[str], project: Project | None) -> Operation:
    permission = "volume.delete" if deed == "delete" else "volume.change"
    volumes = services.find_volumes(actor=actor, names=names, permission=permission, project=project)
    if deed == "delete":
        return services.delete_volumes(actor=actor, volumes=volumes)
    return services.detach_volumes(actor=actor, volumes=volumes)
