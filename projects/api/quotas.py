"""Quotas over REST: how much a project and its members may have, and what is taken of it."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from activity.api import Answer, Body, Few, Signed, Text, Whole, check_parameters, few
from activity.views import needs
from cloudmesh.types import Json
from projects import access, quota, services
from projects.models import Project, Quota


class RoomAnswer(Answer):
    """One limit, and what is taken of it."""

    resource = serializers.CharField()
    scope = serializers.CharField(source="quota.scope", help_text="Empty: everywhere")
    where = serializers.CharField(help_text="The scope's name; empty: everywhere")
    whose = serializers.CharField(help_text="A member's name; empty: the project's")
    limit = serializers.IntegerField()
    used = serializers.IntegerField()
    wanted = serializers.IntegerField(help_text="By what is planned")
    left = serializers.IntegerField(help_text="Before what is wanted")
    fits = serializers.BooleanField(help_text="Whether what is wanted is free")
    source = serializers.ChoiceField(Quota.Source.choices, source="quota.source")  # type: ignore[assignment]


class RoomList(Few):
    results = RoomAnswer(many=True)


class QuotaRequest(Body):
    resource = Text(help_text="instances, cores, ram, …")
    limit = Whole(allow_null=True, help_text="The most; null for no limit")
    where = Text(required=False, help_text="A cloud's name or a scope; empty: everywhere")
    user = Text(required=False, help_text="A member's share; empty: the whole project's")


@needs("usage.view", patch="quota.share")
class Quotas(APIView):
    """The limits of a project and of its members."""

    @extend_schema(operation_id="projects_quotas_list", responses=RoomList)
    def get(self, request: Signed, name: str) -> Response:
        """All limits with what is taken of each."""
        check_parameters(request, ())
        project = access.project_named(request.user, name, permission="usage.view")
        return few(_rows(project))

    @extend_schema(operation_id="projects_quotas_set", request=QuotaRequest, responses=RoomList)
    def patch(self, request: Signed, name: str) -> Response:
        """Set one limit: leads a member's share, the portal's operators also the project's."""
        project = access.project_named(request.user, name, permission="quota.share")
        wish = QuotaRequest.parse(request)
        user, scope = wish.pop("user", ""), wish.pop("where", "")
        if user:
            services.set_share(actor=request.user, project=project, user=_member(project, user), scope=scope, **wish)
        else:
            services.set_quota(actor=request.user, project=project, scope=scope, **wish)
        return few(_rows(project))


def _member(project: Project, name: str) -> User:
    members = User.objects.filter(memberships__project=project)
    return access.first_named(members, name, field="username", kind="member")


def _rows(project: Project) -> list[Json]:
    return RoomAnswer.rows(quota.overview(project, quota.measure(project)))
