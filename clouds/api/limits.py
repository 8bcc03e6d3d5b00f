"""Limits over REST: what each cloud says that its account may have and has."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet
from rest_framework import serializers

from activity.api import Answer, Filter, Lists, Signed
from activity.views import SIGNED
from clouds import services
from clouds.api.accounts import IN_CLOUD
from clouds.api.catalogue import OF_PROJECT
from clouds.models import Limit
from projects import access


class LimitAnswer(Answer):
    """How much of a resource a cloud allows an account, and how much it has."""

    resource = serializers.CharField(help_text="instances, cores, ram in MiB, disk in GiB of volumes, …")
    cloud = serializers.CharField()
    project = serializers.CharField()
    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="null: none")
    left = serializers.IntegerField(allow_null=True, help_text="null: any number")
    seen_at = serializers.DateTimeField(allow_null=True, help_text="When its cloud told")


class Limits(Lists):
    """The limits of all clouds, as the clouds tell them."""

    permissions = {"list": SIGNED}
    serializer_class = LimitAnswer
    filters = {
        "cloud": IN_CLOUD,
        "project": OF_PROJECT,
        "resource": Filter(
            "Of this resource; several with commas between.", lambda _, text: Q(resource__in=text.split(","))
        ),
    }
    orders = {"resource": "resource", "cloud": "account__cloud__name"}
    ordering = "resource"

    def records(self, request: Signed) -> QuerySet[Limit]:
        seen = access.visible(Limit, request.user).select_related("account__cloud", "account__project")
        return seen.defer("account__credential", "account__pending")

    def facts(self, records: Sequence[Limit]) -> list[services.LimitFacts]:
        return services.limit_facts(records)
