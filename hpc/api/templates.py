"""Templates over REST: jobs that a project saved, with typed parameters."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from activity.api import Answer, Body, Lists, Signed, Text, Texts, check_parameters, wanted_fields
from activity.views import SIGNED
from cloudmesh.types import Json
from hpc import services
from hpc.api.wishes import Values
from hpc.models import Template
from projects import access
from projects.api import IN_PROJECT


class Parameters(serializers.ListField):
    """What a template asks for: objects of name, type, default and so on; the service says which there are."""

    def to_internal_value(self, data: Any) -> list[Json]:
        if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
            raise serializers.ValidationError(f"{self.field_name} must be a list of objects such as {{name: size}}.")
        return data


class TemplateAnswer(Answer):
    """A job that a project saved."""

    id = serializers.UUIDField(source="pk")
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    project = serializers.CharField(source="project.name")
    owner = serializers.CharField(source="owner.username", allow_null=True)
    script = serializers.CharField()
    parameters = serializers.ListField(
        child=serializers.DictField(), help_text="name, type, default, choices, least, most, required"
    )
    wanted = serializers.DictField(help_text="queue, nodes, walltime …")
    locked = serializers.ListField(child=serializers.CharField(), help_text="What only leads and managers change")
    changed_at = serializers.DateTimeField()


class TemplateRequest(Body):
    name = Text(help_text="Lower-case letters, digits, - and _")
    script = Text(trim_whitespace=False)
    project = Text(required=False, help_text="Your default one if not given")
    label = Text(required=False)  # type: ignore[assignment]
    parameters = Parameters(required=False)
    wanted = Values(required=False)
    locked = Texts(required=False)


class TemplateChange(Body):
    script = Text(required=False, trim_whitespace=False, allow_blank=False)
    label = Text(required=False)  # type: ignore[assignment]
    parameters = Parameters(required=False, help_text="All of them")
    wanted = Values(required=False, help_text="All of it")
    locked = Texts(required=False, help_text="All of them")


IN = OpenApiParameter("project", description="Whose template is meant, where several have one of that name")


class Templates(Lists):
    """The templates of one's projects."""

    by_project = True
    permissions = {
        "list": SIGNED,
        "retrieve": "template.view",
        "create": "template.create",
        "partial_update": "template.change",
        "destroy": "template.change",
    }
    serializer_class = TemplateAnswer
    lookup_url_kwarg = "name"
    filters = {"project": IN_PROJECT}
    searched = {"name": "name", "label": "label"}
    orders = {"name": "name", "changed_at": "changed_at"}
    ordering = "name"

    def records(self, request: Signed) -> QuerySet[Template]:
        return access.visible(Template, request.user).select_related("project", "owner")

    @extend_schema(request=TemplateRequest, responses={201: TemplateAnswer})
    def create(self, request: Signed) -> Response:
        """Save a job under a name, or change the one of that name."""
        wish = TemplateRequest.parse(request)
        project = access.project_named(request.user, wish.pop("project", ""), permission="template.create")
        template = services.save_template(actor=request.user, project=project, **wish)
        return Response(TemplateAnswer.row(template), status=201)

    @extend_schema(responses=TemplateAnswer, parameters=[IN])
    def retrieve(self, request: Signed, name: str) -> Response:
        """One template, by name or id."""
        check_parameters(request, ["project", "fields"])
        template = self._template(name, "template.view")
        return Response(TemplateAnswer.row(template, wanted_fields(request, TemplateAnswer)))

    @extend_schema(request=TemplateChange, responses=TemplateAnswer, parameters=[IN])
    def partial_update(self, request: Signed, name: str) -> Response:
        """Change some of a template; what is not said stays."""
        template = self._template(name, "template.change")
        known = {field: getattr(template, field) for field in ("label", "script", "parameters", "wanted", "locked")}
        wish = {**known, **TemplateChange.parse(request)}
        saved = services.save_template(actor=request.user, project=template.project, name=template.name, **wish)
        return Response(TemplateAnswer.row(saved))

    @extend_schema(responses={204: None}, parameters=[IN])
    def destroy(self, request: Signed, name: str) -> Response:
        """Forget a template; jobs made of it stay."""
        services.delete_template(actor=request.user, template=self._template(name, "template.change"))
        return Response(status=204)

    def _template(self, name: str, permission: str) -> Template:
        seen, named = self.records(self.request), self.request.query_params.get("project", "")
        seen = seen.filter(IN_PROJECT.narrow(self.request.user, named)) if named else seen
        return access.find(seen, name, actor=self.request.user, permission=permission, kind="template")
