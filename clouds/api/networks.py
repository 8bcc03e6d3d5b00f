"""Security groups and public addresses over REST."""

import uuid
from collections.abc import Sequence

from django.db.models import Q
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.models import User
from activity.api import Answer, Body, Filter, Flag, Signed, Text, Texts, Whole
from activity.views import SIGNED
from cloudmesh.errors import Invalid
from clouds import services
from clouds.api.catalogue import Catalogue
from clouds.models import FloatingIp, SecurityGroup
from operations.api import Accepted, accepted
from projects import access

OWNER = Filter(
    "Of this person, or `me`: who asked for it here.",
    lambda actor, text: Q(owner__username=actor.username if text == "me" else text),
)


def _used(actor: User, text: str) -> Q:
    if text not in ("true", "false"):
        raise Invalid(f"used is true or false, not {text[:40]!r}.", field="used")
    return ~Q(server_provider_id="") if text == "true" else Q(server_provider_id="")


USED = Filter("true: those that servers have; false: the others.", _used, ("true", "false"))


# -- security groups -------------------------------------------------------------------------------------------


class RuleAnswer(Answer):
    """A rule that opens a network."""

    rule = serializers.CharField(help_text="As one writes it, such as tcp:22:0.0.0.0/0")
    name = serializers.CharField(help_text="ssh, http, …; empty where there is no word for it")
    protocol = serializers.CharField(help_text="tcp, udp, icmp, or any for all of them")
    ports = serializers.CharField(help_text="Such as 22 or 8000-8100; all; empty where there are none")
    cidr = serializers.CharField(help_text="Where from")


class GroupAnswer(Answer):
    """A named set of rules that say who may reach servers."""

    id = serializers.UUIDField(source="held.pk")
    provider_id = serializers.CharField(source="held.provider_id")
    name = serializers.CharField(source="held.name")
    cloud = serializers.CharField(source="held.account.cloud.name")
    project = serializers.CharField(source="held.account.project.name")
    network = serializers.CharField(source="held.network", help_text="Where it can be used; empty: everywhere")
    owner = serializers.CharField(source="held.owner.username", allow_null=True, help_text="Who asked for it here")
    rules = RuleAnswer(many=True)
    is_default = serializers.BooleanField(help_text="Your next boot takes it")


class GroupWhole(GroupAnswer):
    """A security group with its cloud's own document."""

    native = serializers.DictField(source="held.native")


class GroupRequest(Body):
    name = Text()
    rules = Texts(required=False, help_text="Such as tcp:22, udp:53:10.0.0.0/8, icmp or ssh")
    cloud = Text(required=False, help_text="Your default one if not given")
    project = Text(required=False, help_text="Your default one if not given")


class RulesRequest(Body):
    add = Texts(required=False, help_text="Rules such as tcp:22 or tcp:8000-8100:10.0.0.0/8")
    remove = Texts(required=False, help_text="Rules as they are listed")


class GroupsRequest(Body):
    groups = Texts(help_text="Ids, names, hostlists or globs")
    cloud = Text(required=False, help_text="Only on this cloud")


@extend_schema_view(retrieve=extend_schema(responses=GroupWhole))
class SecurityGroups(Catalogue):
    """Who may reach servers."""

    by_project = True
    model, whole, seen = SecurityGroup, GroupWhole, "secgroup.view"
    serializer_class = GroupAnswer
    permissions = {
        "list": SIGNED,
        "retrieve": "secgroup.view",
        "create": "secgroup.create",
        "partial_update": "secgroup.change",
        "destroy": "secgroup.delete",
        "delete_many": SIGNED,
    }
    filters = {**Catalogue.filters, "owner": OWNER}

    def facts(self, records: Sequence[SecurityGroup]) -> list[services.GroupFacts]:
        return services.group_facts(records, actor=self.request.user)

    @extend_schema(request=GroupRequest, responses={202: Accepted})
    def create(self, request: Signed) -> Response:
        """Make a security group with rules at a cloud."""
        wish = GroupRequest.parse(request)
        project = access.project_named(request.user, wish.pop("project", ""), permission="secgroup.create")
        return accepted(services.create_group(actor=request.user, project=project, **wish))

    @extend_schema(request=RulesRequest, responses={202: Accepted})
    def partial_update(self, request: Signed, id: uuid.UUID) -> Response:
        """Add rules to a security group and remove others."""
        wish = RulesRequest.parse(request)
        group = access.fetch(SecurityGroup, id, actor=request.user, permission="secgroup.change")
        return accepted(services.change_group(actor=request.user, group=group, **wish))

    @extend_schema(responses={202: Accepted})
    def destroy(self, request: Signed, id: uuid.UUID) -> Response:
        """Delete a security group that no server uses."""
        group = access.fetch(SecurityGroup, id, actor=request.user, permission="secgroup.delete")
        return accepted(services.delete_groups(actor=request.user, groups=[group]))

    @extend_schema(request=GroupsRequest, responses={202: Accepted})
    @action(detail=False, methods=["post"], url_path="delete")
    def delete_many(self, request: Signed) -> Response:
        """Delete several security groups."""
        wish = GroupsRequest.parse(request)
        groups = services.find_held(
            SecurityGroup,
            actor=request.user,
            names=wish["groups"],
            permission="secgroup.delete",
            cloud=wish.get("cloud", ""),
        )
        return accepted(services.delete_groups(actor=request.user, groups=groups))


# -- public addresses ------------------------------------------------------------------------------------------


class AddressAnswer(Answer):
    """A public address that can be given to servers."""

    id = serializers.UUIDField(source="address.pk")
    provider_id = serializers.CharField(source="address.provider_id")
    address = serializers.CharField(source="address.name")
    cloud = serializers.CharField(source="address.account.cloud.name")
    project = serializers.CharField(source="address.account.project.name")
    owner = serializers.CharField(source="address.owner.username", allow_null=True, help_text="Who reserved it here")
    is_used = serializers.BooleanField(help_text="A server has it")
    server = serializers.CharField(
        source="server.name", allow_null=True, help_text="Which; null also where that is not known here"
    )


class AddressWhole(AddressAnswer):
    """A public address with its cloud's own document."""

    native = serializers.DictField(source="address.native")


class ReserveRequest(Body):
    count = Whole(required=False, help_text="How many; 1 if not given")
    cloud = Text(required=False, help_text="Your default one if not given")
    project = Text(required=False, help_text="Your default one if not given")


class ReleaseRequest(Body):
    addresses = Texts(help_text="Addresses, ids, hostlists or globs")
    cloud = Text(required=False, help_text="Only on this cloud")
    is_used = Flag(required=False, help_text="Also those that servers have")


@extend_schema_view(retrieve=extend_schema(responses=AddressWhole))
class Addresses(Catalogue):
    """Public addresses of one's clouds."""

    by_project = True
    model, whole, seen = FloatingIp, AddressWhole, "ip.view"
    serializer_class = AddressAnswer
    permissions = {
        "list": SIGNED,
        "retrieve": "ip.view",
        "create": "ip.create",
        "destroy": "ip.release",
        "release": SIGNED,
    }
    filters = {
        **Catalogue.filters,
        "owner": OWNER,
        "used": USED,
    }
    searched = {"address": "name"}
    orders = {"address": "name", "cloud": "account__cloud__name"}
    ordering = "address"

    def facts(self, records: Sequence[FloatingIp]) -> list[services.AddressFacts]:
        return services.address_facts(records, actor=self.request.user)

    @extend_schema(request=ReserveRequest, responses={202: Accepted})
    def create(self, request: Signed) -> Response:
        """Reserve public addresses, to be given to servers later."""
        wish = ReserveRequest.parse(request)
        project = access.project_named(request.user, wish.pop("project", ""), permission="ip.create")
        return accepted(services.reserve_addresses(actor=request.user, project=project, **wish))

    @extend_schema(responses={202: Accepted})
    def destroy(self, request: Signed, id: uuid.UUID) -> Response:
        """Give an address that no server has back to its cloud."""
        address = access.fetch(FloatingIp, id, actor=request.user, permission="ip.release")
        return accepted(services.release_addresses(actor=request.user, addresses=[address]))

    @extend_schema(request=ReleaseRequest, responses={202: Accepted})
    @action(detail=False, methods=["post"])
    def release(self, request: Signed) -> Response:
        """Give several addresses back."""
        wish = ReleaseRequest.parse(request)
        addresses = services.find_held(
            FloatingIp,
            actor=request.user,
            names=wish["addresses"],
            permission="ip.release",
            cloud=wish.get("cloud", ""),
        )
        is_used = wish.get("is_used", False)
        return accepted(services.release_addresses(actor=request.user, addresses=addresses, is_used=is_used))
