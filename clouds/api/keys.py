"""SSH keys over REST."""

import dataclasses
from collections.abc import Sequence

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from accounts import services as people
from accounts.models import SshKey
from activity.api import Answer, Body, Lists, Signed, Text, one
from activity.views import OWN, SIGNED
from cloudmesh.errors import NotFound
from clouds import services
from projects import access
from projects.models import Project

# -- keys ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class KeyFacts:
    key: SshKey
    is_default: bool


class KeyAnswer(Answer):
    """A public SSH key, for the servers of all clouds."""

    id = serializers.UUIDField(source="key.pk")
    name = serializers.CharField(source="key.name")
    fingerprint = serializers.CharField(source="key.fingerprint", help_text="As ssh-keygen -l prints it")
    comment = serializers.CharField(source="key.comment")
    public_key = serializers.CharField(source="key.public_key")
    created_at = serializers.DateTimeField(source="key.created_at")
    is_default = serializers.BooleanField(help_text="Your next boot takes it")


class KeyRequest(Body):
    name = Text(required=False, help_text="From the key's comment if not given")
    public_key = Text(help_text="One line, as in id_ed25519.pub")


class Keys(Lists):
    """One's own public SSH keys."""

    permissions = {
        "list": SIGNED,
        "retrieve": OWN,
        "create": SIGNED,
        "destroy": OWN,
    }
    serializer_class = KeyAnswer
    lookup_url_kwarg = "name"
    searched = {"name": "name", "comment": "comment"}
    orders = {"name": "name", "created_at": "created_at"}
    ordering = "created_at"

    def records(self, request: Signed) -> QuerySet[SshKey]:
        return access.visible(SshKey, request.user)

    def facts(self, records: Sequence[SshKey]) -> list[KeyFacts]:
        usual = services.usual_key(self.request.user, _default_project(self.request))
        return [KeyFacts(key, key == usual) for key in records]

    @extend_schema(responses=KeyAnswer)
    def retrieve(self, request: Signed, name: str) -> Response:
        """One key, by name or id."""
        return one(request, KeyAnswer, self.facts([self._own(request, name)])[0])

    @extend_schema(request=KeyRequest, responses={201: KeyAnswer})
    def create(self, request: Signed) -> Response:
        """Keep a public key; boots upload it to their cloud where it is missing."""
        wish = KeyRequest.parse(request)
        key = people.add_ssh_key(actor=request.user, name=wish.get("name", ""), public_key=wish["public_key"])
        return one(request, KeyAnswer, self.facts([key])[0], status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Signed, name: str) -> Response:
        """Forget a key; servers that have it keep it."""
        people.remove_ssh_key(key=self._own(request, name), actor=request.user)
        return Response(status=204)

    def _own(self, request: Signed, name: str) -> SshKey:
        return access.first_named(self.records(request), name, kind="key")


def _default_project(request: Signed) -> Project | None:
    try:
        return access.default_project(request.user)
    except NotFound:
        return None
