"""Who one is, where one works and what happened there, over REST."""

import dataclasses
import importlib.metadata
import uuid
from collections.abc import Sequence

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from activity.api import Answer, Body, Filter, Flag, Lists, Signed, Text, one, one_of
from activity.models import Event
from activity.views import SIGNED, needs
from cloudmesh.errors import Invalid, NotFound
from projects import access, services
from projects.models import Project, ProjectState, Role

#: Every noun that belongs to a project can be narrowed to one.
IN_PROJECT = Filter(
    "Of this project, by name or id.",
    lambda actor, text: Q(project=access.first_named(access.visible(Project, actor), text, kind="project").pk),
)


# -- projects --------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Working:
    """A project and what somebody is in it."""

    project: Project
    role: str | None
    is_default: bool = False


class ProjectAnswer(Answer):
    """A project that one may see."""

    id = serializers.UUIDField(source="project.pk")
    name = serializers.CharField(source="project.name")
    title = serializers.CharField(source="project.title")
    state = serializers.ChoiceField(ProjectState.choices, source="project.state")
    state_reason = serializers.CharField(source="project.state_reason")
    role = serializers.ChoiceField(Role.choices, allow_null=True, help_text="What you are in it")
    is_default = serializers.BooleanField(help_text="You work in it unless you say otherwise")
    join_open = serializers.BooleanField(source="project.join_open", help_text="Whether anybody may ask to join")
    ends_at = serializers.DateTimeField(source="project.ends_at", allow_null=True)
    created_at = serializers.DateTimeField(source="project.created_at")
    version = serializers.IntegerField(source="project.version")


class ProjectChange(Body):
    title = Text(required=False, max_length=200)
    join_open = Flag(required=False, help_text="Whether anybody may ask to join")


def _is_yes(actor: User, text: str) -> Q:
    if text != "true":
        raise Invalid(f"joinable is true or left out, not {text[:40]!r}.", field="joinable")
    return Q()


class Projects(Lists):
    """The projects where one works."""

    permissions = {
        "list": SIGNED,
        "retrieve": "project.view",
        "partial_update": "project.manage",
        "use": "project.view",
    }
    serializer_class = ProjectAnswer
    lookup_url_kwarg = "name"
    filters = {
        "state": one_of("state", ProjectState.values),
        "joinable": Filter("true: those that one may ask to join, instead of one's own.", _is_yes, ("true",)),
    }
    searched = {"name": "name", "title": "title"}
    orders = {"name": "name", "created_at": "created_at"}
    ordering = "name"

    def records(self, request: Signed) -> QuerySet[Project]:
        if "joinable" in request.query_params:
            return access.joinable(request.user)
        return access.visible(Project, request.user)

    def facts(self, records: Sequence[Project]) -> list[Working]:
        return [_working(self.request.user, project) for project in records]

    @extend_schema(responses=ProjectAnswer)
    def retrieve(self, request: Signed, name: str) -> Response:
        """One project, by name or id."""
        project = access.project_named(request.user, name, permission="project.view")
        return one(request, ProjectAnswer, self.facts([project])[0])

    @extend_schema(request=ProjectChange, responses=ProjectAnswer)
    def partial_update(self, request: Signed, name: str) -> Response:
        """Change its title, or whether anybody may ask to join."""
        project = access.project_named(request.user, name, permission="project.manage")
        services.change_project(actor=request.user, project=project, **ProjectChange.parse(request))
        return one(request, ProjectAnswer, self.facts([project])[0])

    @extend_schema(request=None, responses=ProjectAnswer)
    def use(self, request: Signed, name: str) -> Response:
        """Work in it from now on, unless a request says otherwise."""
        project = access.project_named(request.user, name, permission="project.view")
        services.select_project(actor=request.user, project=project)
        return one(request, ProjectAnswer, self.facts([project])[0])


def _working(actor: User, project: Project) -> Working:
    return Working(project, access.roles(actor).get(project.pk), access.works_in(actor, project))


# -- oneself ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Self:
    """The actor with their projects."""

    user: User
    project: Project | None  # where they work unless told otherwise
    projects: Sequence[Working]
    is_admin: bool
    version: str = importlib.metadata.version("cloudmesh-portal")

    @property
    def name(self) -> str:
        return self.user.full_name


class Place(Answer):
    """A project in which one is something."""

    id = serializers.UUIDField(source="project.pk")
    name = serializers.CharField(source="project.name")
    role = serializers.ChoiceField(Role.choices, allow_null=True)


class MeAnswer(Answer):
    """Who is signed in."""

    id = serializers.UUIDField(source="user.pk")
    username = serializers.CharField(source="user.username")
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField()
    is_admin = serializers.BooleanField()
    project = serializers.CharField(
        source="project.name", allow_null=True, help_text="Where one works, unless a request names another"
    )
    projects = Place(many=True)
    version = serializers.CharField(help_text="Of the portal")


@needs(SIGNED)
class Me(APIView):
    """Who one is, and where one works."""

    @extend_schema(responses=MeAnswer)
    def get(self, request: Signed) -> Response:
        user, roles = request.user, access.roles(request.user)
        mine = Project.objects.filter(pk__in=roles).order_by("name")
        projects = [Working(project, roles[project.pk]) for project in mine]
        return one(request, MeAnswer, Self(user, _default(user), projects, access.is_admin(user)))


def _default(user: User) -> Project | None:
    try:
        return access.default_project(user)
    except NotFound:
        return None


# -- events ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Told:
    """An event and the name of its project."""

    event: Event
    project: str | None


class EventAnswer(Answer):
    """Something that happened."""

    seq = serializers.IntegerField(source="event.seq", help_text="Gives the order; no number comes late")
    at = serializers.DateTimeField(source="event.at")
    kind = serializers.CharField(source="event.kind", help_text="server, operation, cloud, …")
    object_id = serializers.UUIDField(source="event.object_id", allow_null=True)
    name = serializers.CharField(source="event.name", help_text="What the object was called then")
    verb = serializers.CharField(source="event.verb")
    from_state = serializers.CharField(source="event.from_state")
    to_state = serializers.CharField(source="event.to_state")
    reason = serializers.CharField(source="event.reason")
    project = serializers.CharField(allow_null=True)
    actor = serializers.CharField(source="event.actor_name")
    summary = serializers.CharField(source="event.summary")
    data = serializers.DictField(  # type: ignore[assignment]
        source="event.data", help_text="Changed fields that are no secrets"
    )


@needs(SIGNED)
class Events(Lists):
    """What happened, the newest first."""

    serializer_class = EventAnswer
    filters = {
        "since": Filter("After this number; read on with ordering=seq.", lambda actor, text: Q(seq__gt=_number(text))),
        "object": Filter("About the thing with this id.", lambda actor, text: Q(object_id=_id("object", text))),
        "kind": Filter("About things of this kind.", lambda actor, text: Q(kind=text)),
        "verb": Filter("Of this verb.", lambda actor, text: Q(verb=text)),
        "actor": Filter("Done by this person.", lambda actor, text: Q(actor_name=text)),
        "project": Filter(
            "Of this project, by name or id.",
            lambda actor, text: Q(project_id=access.project_named(actor, text, permission="event.view").pk),
        ),
    }
    searched = {"name": "name", "verb": "verb", "reason": "reason"}
    orders = {"seq": "seq"}
    ordering = "-seq"

    def records(self, request: Signed) -> QuerySet[Event]:
        return access.visible(Event, request.user).exclude(seq=None)

    def facts(self, records: Sequence[Event]) -> list[Told]:
        return told(records)


def told(events: Sequence[Event]) -> list[Told]:
    """The facts of a page of events, with one question to the database."""
    ids = {event.project_id for event in events if event.project_id}
    names = dict(Project.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    return [Told(event, names.get(event.project_id) if event.project_id else None) for event in events]


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid(f"since is the number of an event, not {text[:40]!r}.", field="since")
    return int(text)


def _id(field: str, text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Invalid(f"{field} is an id such as {uuid.UUID(int=0)}, not {text[:40]!r}.", field=field) from None
