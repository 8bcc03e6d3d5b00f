"""Agreements over REST: what is in force, and accepting it."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts import backends, services
from accounts.models import Agreement
from activity.api import Answer, Body, Lists, Signed, Whole, one
from activity.views import SIGNED
from cloudmesh.errors import NotFound


class AgreementAnswer(Answer):
    """An agreement that is in force."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    text = serializers.CharField()
    published_at = serializers.DateTimeField()
    accepted_at = serializers.DateTimeField(allow_null=True, help_text="By you; null for what is to be accepted")


class AcceptRequest(Body):
    version = Whole(help_text="The one that was read")


class Agreements(Lists):
    """Terms that everybody accepts before they work."""

    permissions = {"list": SIGNED, "retrieve": SIGNED, "accept": SIGNED}
    serializer_class = AgreementAnswer
    lookup_url_kwarg = "name"
    orders = {"name": "name"}
    ordering = "name"

    def records(self, request: Signed) -> QuerySet[Agreement]:
        return Agreement.objects.filter(pk__in=[newest.pk for newest in backends.newest_agreements()])

    def facts(self, records: Sequence[Any]) -> Sequence[Any]:
        accepted = dict(self.request.user.acceptances.values_list("agreement", "accepted_at"))
        for agreement in records:
            agreement.accepted_at = accepted.get(agreement.pk)
        return records

    @extend_schema(responses=AgreementAnswer)
    def retrieve(self, request: Signed, name: str) -> Response:
        return one(request, AgreementAnswer, self.facts([self._named(request, name)])[0])

    @extend_schema(request=AcceptRequest, responses=AgreementAnswer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Signed, name: str) -> Response:
        """Accept the version that was read, if it is still the one in force."""
        version = AcceptRequest.parse(request)["version"]
        read = Agreement.objects.filter(name=name, version=version).first() or self._named(request, name, version)
        services.accept_agreement(actor=request.user, agreement=read)
        return one(request, AgreementAnswer, self.facts([read])[0])

    def _named(self, request: Signed, name: str, version: int | None = None) -> Agreement:
        known = self.records(request).filter(name=name, **({"version": version} if version is not None else {}))
        found = known.first()
        if found is None:
            raise NotFound(f"There is no agreement {name[:40]!r} in force{f', version {version}' if version else ''}.")
        return found
