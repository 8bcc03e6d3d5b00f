"""What is used when nothing is said, over REST; and how the next name looks."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from activity.api import Answer, Body, Few, Flag, Named, Signed, Text, Whole, check_parameters, few
from activity.views import SIGNED, needs
from cloudmesh.errors import Invalid
from clouds import defaults, services
from clouds.models import Default
from projects import access
from projects.models import Project

#: Fields of a change → the default that they set for each cloud named in them.
BY_CLOUD = {
    "images": "image",
    "flavors": "flavor",
    "networks": "network",
    "logins": "login",
    "keys": "key",
    "security_groups": "security_group",
}
IN_PROJECT = OpenApiParameter("project", description="In this project; your default one if not given.")


class DefaultAnswer(Answer):
    """What is used when nothing is said, and where that comes from."""

    key = serializers.ChoiceField(Default.Key.values)
    cloud = serializers.CharField(allow_null=True, help_text="null: for all clouds")
    value = serializers.CharField()
    id = serializers.CharField(help_text="The cloud's own id of an image, flavor or network; the id of a server")
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
    width = Text(required=False, help_text="Digits of their numbers: 3 for 007")
    schema = Text(required=False, help_text="How they look: {user}-{group}-{number}")
    security_group = Text(required=False)
    format = Text(required=False, help_text="Of cm's output")
    last_server = Text(required=False, help_text="A server's name or id")
    images = Named(required=False, help_text="Cloud → image")
    flavors = Named(required=False, help_text="Cloud → flavor")
    networks = Named(required=False, help_text="Cloud → network")
    logins = Named(required=False, help_text="Cloud → user name to log in with")
    keys = Named(required=False, help_text="Cloud → key, where it is another than on all clouds")
    security_groups = Named(required=False, help_text="Cloud → security group, where it is another")
    project = Text(required=False, help_text="In this project; your default one if not given")
    for_project = Flag(required=False, help_text="For everybody in the project")
    for_portal = Flag(required=False, help_text="For everybody")


@needs(SIGNED)
class Defaults(APIView):
    """What is used when nothing is said."""

    by_project = True

    @extend_schema(
        responses=DefaultAnswers,
        operation_id="defaults_list",
        parameters=[
            IN_PROJECT,
            OpenApiParameter(
                "scope", enum=list(defaults.SCOPES), description="Only what is said there: without what is nearer."
            ),
        ],
    )
    def get(self, request: Signed) -> Response:
        check_parameters(request, ["project", "scope"])
        scope = request.query_params.get("scope") or defaults.OWN
        if scope not in defaults.SCOPES:
            raise Invalid(f"scope is one of {', '.join(defaults.SCOPES)}; not {scope[:40]!r}.", field="scope")
        return _all(request, request.query_params.get("project", ""), scope)

    @extend_schema(request=DefaultChange, responses=DefaultAnswers)
    def patch(self, request: Signed) -> Response:
        wish = DefaultChange.parse(request)
        named, scope = wish.pop("project", ""), _scope(wish)
        project = _project(request, named, scope)
        services.set_defaults(actor=request.user, project=project, values=list(_values(wish)), scope=scope)
        return _all(request, named, scope)


def _project(request: Signed, named: str, scope: str) -> Project | None:
    """The portal's defaults are set by people who may be in no project."""
    if scope == defaults.PORTAL:
        return None
    return access.project_named(request.user, named, permission="project.view")


def _all(request: Signed, named: str, scope: str) -> Response:
    project = _project(request, named, scope)
    if project is None:
        return few(DefaultAnswer.rows(services.portal_defaults()))
    return few(DefaultAnswer.rows(services.defaults_in_force(actor=request.user, project=project, scope=scope)))


def _scope(wish: dict[str, Any]) -> str:
    """For whom a change is; takes the fields that say it."""
    for_project, for_portal = wish.pop("for_project", False), wish.pop("for_portal", False)
    if for_project and for_portal:
        raise Invalid("Set it for the project or for the portal, not for both at once.", field="for_portal")
    return defaults.PORTAL if for_portal else defaults.PROJECT if for_project else defaults.OWN


def _values(wish: dict[str, Any]) -> Sequence[tuple[str, str, str]]:
    """Key, value and cloud of each default that a change sets."""
    plain = [(name, value, "") for name, value in wish.items() if name in Default.Key.values]
    return plain + [
        (key, value, cloud) for field, key in BY_CLOUD.items() for cloud, value in wish.get(field, {}).items()
    ]


# -- the next name ---------------------------------------------------------------------------------------------


class NamingAnswer(Answer):
    """The name that the next boot gives, and what it is made of."""

    name = serializers.CharField()
    number = serializers.IntegerField(help_text="Of the next name")
    prefix = serializers.CharField()
    width = serializers.CharField(help_text="Digits that a number has at least")
    schema = serializers.CharField()
    sources = serializers.DictField(child=serializers.CharField(), help_text="own, project, portal or first")


class NamingChange(Body):
    """Each field changes how one's names look; empty text removes what was set."""

    prefix = Text(required=False)
    width = Text(required=False, help_text="Digits of the number: 3 for 007")
    schema = Text(required=False, help_text=f"With any of {', '.join(defaults.WORDS)} in braces")
    number = Whole(required=False, help_text="Count on from here")
    project = Text(required=False, help_text="In this project; your default one if not given")


@needs(SIGNED)
class NextName(APIView):
    """The name of the next server."""

    by_project = True

    @extend_schema(responses=NamingAnswer, operation_id="next_name", parameters=[IN_PROJECT])
    def get(self, request: Signed) -> Response:
        check_parameters(request, ["project"])
        return self._told(request, request.query_params.get("project", ""))

    @extend_schema(request=NamingChange, responses=NamingAnswer)
    def patch(self, request: Signed) -> Response:
        wish = NamingChange.parse(request)
        named = wish.pop("project", "")
        project = access.project_named(request.user, named, permission="server.create")
        services.set_naming(actor=request.user, project=project, **wish)
        return self._told(request, named)

    def _told(self, request: Signed, named: str) -> Response:
        project = access.project_named(request.user, named, permission="server.create")
        return Response(NamingAnswer.row(services.next_naming(actor=request.user, project=project)))
