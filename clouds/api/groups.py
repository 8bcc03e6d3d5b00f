"""Groups of servers over REST."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from activity.api import Answer, Few, Signed, check_parameters, few
from activity.views import SIGNED, needs
from clouds import services
from projects import access


class ServerGroupAnswer(Answer):
    """Servers that belong together; `servers/?group=NAME` lists them."""

    name = serializers.CharField()
    project = serializers.CharField()
    servers = serializers.IntegerField(help_text="How many")
    owners = serializers.ListField(child=serializers.CharField())
    clouds = serializers.ListField(child=serializers.CharField())


class ServerGroupAnswers(Few):
    """All groups."""

    results = ServerGroupAnswer(many=True)


@needs(SIGNED)
class Groups(APIView):
    """Servers that belong together."""

    by_project = True

    @extend_schema(responses=ServerGroupAnswers, operation_id="groups_list", parameters=[OpenApiParameter("project")])
    def get(self, request: Signed) -> Response:
        check_parameters(request, ["project"])
        named = request.query_params.get("project", "")
        project = access.project_named(request.user, named, permission="server.view") if named else None
        return few(ServerGroupAnswer.rows(services.groups(actor=request.user, project=project)))
