"""What is one's own, over REST: SSH keys, and what is used when nothing is said."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services as people
from accounts.models import SshKey
from activity.api import Answer, Body, Few, Flag, Lists, Named, Signed, Text, check_parameters, few, one
from activity.views import OWN, SIGNED, needs
from cloudmesh.errors import NotFound
from clouds import services
from clouds.models import Default
from projects import access
from projects.models import Project

#: Fields of a change → the default that they set for each cloud named in them.
BY_CLOUD = {"images": "image", "flavors": "flavor", "networks": "network", "logins": "login"}


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


# -- defaults --------------------------------------------------------------------------------------------------


class DefaultAnswer(Answer):
    """What is used when nothing is said, and where that comes from."""

    key = serializers.CharField(help_text="cloud, image, flavor, key, group, prefix, …")
    cloud = serializers.CharField(source="account.cloud.name", allow_null=True, help_text="null: for all clouds")
    value = serializers.CharField()
    id = serializers.CharField(help_text="The cloud's own id of an image, flavor or network")
    source = serializers.CharField(help_text="own, project, portal, first (usable), or none")  # type: ignore[assignment]


class DefaultAnswers(Few):
    """All defaults."""

    results = DefaultAnswer(many=True)


class DefaultChange(Body):
    """Each field sets a default; empty text removes it."""

    cloud = Text(required=False)
    key = Text(required=False)
    group = Text(required=False)
    prefix = Text(required=False, help_text="Of the names that boots hand out")
    security_group = Text(required=False)
    format = Text(required=False, help_text="Of cm's output")
    images = Named(required=False, help_text="Cloud → image")
    flavors = Named(required=False, help_text="Cloud → flavor")
    networks = Named(required=False, help_text="Cloud → network")
    logins = Named(required=False, help_text="Cloud → user name to log in with")
    project = Text(required=False, help_text="In this project; your default one if not given")
    for_project = Flag(required=False, help_text="For everybody in the project")


@needs(SIGNED)
class Defaults(APIView):
    """What is used when nothing is said."""

    by_project = True

    @extend_schema(responses=DefaultAnswers, operation_id="defaults_list", parameters=[OpenApiParameter("project")])
    def get(self, request: Signed) -> Response:
        check_parameters(request, ["project"])
        return self._all(request, request.query_params.get("project", ""))

    @extend_schema(request=DefaultChange, responses=DefaultAnswers)
    def patch(self, request: Signed) -> Response:
        wish = DefaultChange.parse(request)
        named, for_project = wish.pop("project", ""), wish.pop("for_project", False)
        services.set_defaults(
            actor=request.user,
            project=access.project_named(request.user, named, permission="project.view"),
            values=list(_values(wish)),
            for_project=for_project,
        )
        return self._all(request, named)

    def _all(self, request: Signed, named: str) -> Response:
        project = access.project_named(request.user, named, permission="project.view")
        return few(DefaultAnswer.rows(services.defaults_in_force(actor=request.user, project=project)))


def _values(wish: dict[str, Any]) -> Sequence[tuple[str, str, str]]:
    """Key, value and cloud of each default that a change sets."""
    plain = [(name, value, "") for name, value in wish.items() if name in Default.Key.values]
    return plain + [
        (key, value, cloud) for field, key in BY_CLOUD.items() for cloud, value in wish.get(field, {}).items()
    ]
