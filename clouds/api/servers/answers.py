"""What is told of servers and of boots."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from activity.api import Answer
from cloudmesh.types import ServerState
from clouds import services
from operations.api import OperationAnswer
from projects.api import EventAnswer
from projects.api.policies import DecisionAnswer
from projects.api.quotas import RoomAnswer


class ServerAnswer(Answer):
    """A virtual machine."""

    id = serializers.UUIDField(source="server.pk")
    name = serializers.CharField(source="server.name")
    state = serializers.ChoiceField([state.value for state in ServerState], source="server.state")
    state_reason = serializers.CharField(source="server.state_reason")
    addresses = serializers.ListField(source="server.addresses", child=serializers.CharField())
    public_addresses = serializers.ListField(source="server.public_addresses", child=serializers.CharField())
    cloud = serializers.CharField(source="server.account.cloud.name")
    flavor = serializers.CharField()
    image = serializers.CharField()
    login = serializers.CharField(help_text="User name to log in with that its image has; empty where not known")
    key = serializers.CharField(source="server.key")
    group = serializers.CharField(source="server.group")
    labels = serializers.DictField(source="server.labels", child=serializers.CharField())
    project = serializers.CharField(source="server.project.name")
    owner = serializers.CharField(source="server.owner.username", allow_null=True)
    provider_id = serializers.CharField(source="server.provider_id", help_text="The cloud's own id; empty before it")
    cores = serializers.IntegerField(source="server.cores")
    ram = serializers.IntegerField(source="server.ram", help_text="MiB")
    age_seconds = serializers.IntegerField(allow_null=True, help_text="Of what is shown here")
    seen_at = serializers.DateTimeField(allow_null=True, help_text="When its cloud last told, or told no change")
    created_at = serializers.DateTimeField(source="server.created_at", help_text="When the portal first knew of it")
    created = serializers.DateTimeField(source="server.created", allow_null=True, help_text="At its cloud")
    operation = serializers.UUIDField(source="operation.pk", allow_null=True, help_text="The one that is going on")
    is_orphan = serializers.BooleanField(source="server.is_orphan", help_text="Found there, not made here")
    version = serializers.IntegerField(source="server.version")


class ActionAnswer(Answer):
    """Whether an action can be done now, and why not."""

    name = serializers.CharField()
    able = serializers.BooleanField()
    reason = serializers.CharField()


class ServerWhole(ServerAnswer):
    """A virtual machine with all that is known of it."""

    actions = serializers.ListField(child=ActionAnswer())
    events = EventAnswer(many=True)
    operations = OperationAnswer(many=True)
    native = serializers.DictField(source="server.native", help_text="What its cloud says of it")


class Booted(Answer):
    """A boot that was taken down."""

    operation = OperationAnswer()
    servers = ServerAnswer(many=True)


class Grouped(Answer):
    """Servers that are in another group now."""

    operation = OperationAnswer(allow_null=True, help_text="That tells their clouds; null where there is nothing to")
    servers = ServerAnswer(many=True)


class ChoiceAnswer(Answer):
    """What a boot takes; `sources` tells where each value comes from."""

    project = serializers.CharField(source="choice.account.project.name")
    cloud = serializers.CharField(source="choice.account.cloud.name")
    image = serializers.CharField(source="choice.image.name")
    flavor = serializers.CharField(source="choice.flavor.name")
    key = serializers.CharField(source="choice.key.name", allow_null=True)
    network = serializers.CharField(source="choice.network.name", allow_null=True)
    security_group = serializers.CharField(source="choice.security_group")
    login = serializers.CharField(source="choice.login", help_text="User name to log in with; empty where not known")
    group = serializers.CharField(source="choice.group")
    sources = serializers.DictField(
        source="choice.sources", child=serializers.CharField(), help_text="option, own, project, portal, first or none"
    )


class NextAnswer(ChoiceAnswer):
    """What a boot would do now."""

    name = serializers.CharField()


class PlanAnswer(ChoiceAnswer):
    """What a boot would come to; nothing is recorded or taken."""

    outcome = serializers.ChoiceField(["boots", "waits", "refused"], help_text="waits: for somebody's approval")
    refusal = serializers.CharField(help_text="Why it would be refused; empty when it would not")
    names = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]
    count = serializers.IntegerField()
    resources = serializers.DictField(child=serializers.IntegerField(), help_text="instances, cores, ram in MiB")
    decision = DecisionAnswer()
    quotas = RoomAnswer(source="rooms", many=True)
    approvers = serializers.ListField(child=serializers.CharField(), help_text="Who could approve it, if it waits")


@dataclasses.dataclass(frozen=True)
class Everything:
    """All that is known of one server."""

    facts: services.ServerFacts
    actions: Sequence[dict[str, Any]]
    events: Sequence[Any]
    operations: Sequence[Any]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.facts, name)
