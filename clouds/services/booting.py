"""Booting: planned in one place, whether it is then done or only shown; nothing here waits for a cloud."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.models import SshKey, User
from activity import lifecycle
from cloudmesh.errors import Invalid
from cloudmesh.types import ServerState, expand_names
from clouds import defaults
from clouds.models import Default, Server
from clouds.services import facts
from clouds.services.labels import check_labels
from operations import services as operations
from operations.models import Operation, Patience, new_token
from projects import access, policy, quota
from projects.models import Project

BOOTS, WAITS, REFUSED = "boots", "waits", "refused"
MOST_APPROVERS = 10  # who are named
Handing = Callable[[Project, defaults.Naming, int], list[str]]  # names of a project, so many


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a boot comes to: what it uses, what policies say of it and how it fits the quotas."""

    choice: defaults.Choice
    count: int
    decision: policy.Decision
    rooms: Sequence[quota.Room]
    names: Sequence[str] = ()
    approvers: Sequence[str] = ()  # who could approve it, where somebody must

    @property
    def refusal(self) -> str:
        """Why it would be refused; empty when it would not."""
        if self.decision.effect is policy.Effect.DENY:
            return " ".join(filter(None, (*self.decision.reasons, self.decision.next)))
        return next((quota.passed(room) for room in self.rooms if not room.fits), "")

    @property
    def outcome(self) -> str:
        if self.refusal:
            return REFUSED
        return WAITS if self.decision.effect is policy.Effect.ASK else BOOTS

    @property
    def met(self) -> Sequence[quota.Room]:
        """The limits of what it takes."""
        return [room for room in self.rooms if room.wanted]

    @property
    def resources(self) -> Mapping[str, int]:
        return self.choice.resources(self.count)


@transaction.atomic
def boot_servers(
    *,
    actor: User,
    project: Project,
    count: int | None = None,
    name: str = "",
    floating_ip: bool = False,
    if_down: str = Patience.WAIT,
    labels: Mapping[str, str] | None = None,
    **wanted: str,
) -> Operation:
    """Boot `count` servers, or one for each name of the hostlist `name`; the rest comes from the defaults.

    `wanted` may name cloud, image, flavor, key, group, network, security_group. Raises NotAllowed, PolicyDenied,
    QuotaExceeded, Ambiguous, NotFound, Invalid, Conflict.
    """
    plan = _plan(actor, project, count, name, if_down, wanted, is_meant=True)
    check_labels(plan.choice.account.cloud.driver, labels or {})
    decision = plan.decision.require()
    quota.check(plan.rooms)
    names = _names(plan.choice, name, plan.count, defaults.take_names)
    wished = [_server(plan.choice, each, actor, labels or {}) for each in names]
    servers = lifecycle.begin(wished, actor=actor, verb="requested")
    _remember_last(actor, project, servers[-1])
    return operations.request(
        "server.create",
        targets=servers,
        tokens=[server.token for server in servers],
        project=project,
        actor=actor,
        lanes=[plan.choice.account.lane] * len(servers),
        decision=decision,
        params=_params(plan.choice, floating_ip),
        patience=if_down,
    )


def plan_servers(
    *,
    actor: User,
    project: Project,
    count: int | None = None,
    name: str = "",
    floating_ip: bool = False,
    if_down: str = Patience.WAIT,
    labels: Mapping[str, str] | None = None,
    **wanted: str,
) -> Plan:
    """What `boot_servers` would come to now; nothing is recorded or taken. Raises what it would, but for what is told:

    what policies deny and which quotas would be passed.
    """
    plan = _plan(actor, project, count, name, if_down, wanted)
    check_labels(plan.choice.account.cloud.driver, labels or {})
    asks = plan.decision.effect is policy.Effect.ASK
    others = operations.approvers(project, but=actor) if asks else []
    return Plan(
        choice=plan.choice,
        count=plan.count,
        decision=plan.decision,
        rooms=plan.rooms,
        names=_names(plan.choice, name, plan.count, defaults.next_names),
        approvers=[user.username for user in others[:MOST_APPROVERS]],
    )


def _plan(
    actor: User,
    project: Project,
    count: int | None,
    name: str,
    if_down: str,
    wanted: Mapping[str, str],
    *,
    is_meant: bool = False,
) -> Plan:
    """Resolved, decided and counted; one that is meant holds the project's limits until the transaction ends."""
    access.require(actor, "server.create", project)
    operations.check_patience(if_down)
    choice = defaults.resolve(actor=actor, project=project, wanted=wanted)
    number = _count(count, name)
    if is_meant:
        quota.hold(project)
    taken = functools.cache(lambda: facts.taken_by(project))
    resources, scope = choice.resources(number), choice.account.lane

    def used() -> policy.Used:
        return policy.Used(
            project=quota.amounts(taken(), resources, scope=scope),
            member=quota.amounts(taken(), resources, scope=scope, owner_id=actor.pk),
        )

    wish = policy.Wish(service=f"cloud:{choice.account.cloud.name}", resources=resources, used=used)
    return Plan(
        choice=choice,
        count=number,
        decision=policy.decide(actor=actor, project=project, wish=wish),
        rooms=quota.rooms(project, member=actor, scope=scope, label=str(choice.account), wanted=resources, taken=taken),
    )


def _count(count: int | None, name: str) -> int:
    if not name:
        return defaults.check_count(1 if count is None else count)
    named = len(expand_names(name, limit=defaults.MAX_COUNT))
    if count is None or count == named or named == 1:
        return defaults.check_count(named if count is None else count)
    raise Invalid(f"{name!r} stands for {named} names, but count is {count}. Leave one of the two out.", field="count")


def _names(choice: defaults.Choice, name: str, count: int, hand_out: Handing) -> list[str]:
    """The names given, or handed out; several servers of one name are numbered below it."""
    project = choice.account.project
    if not name:
        return hand_out(project, choice.naming, count)
    wanted = expand_names(name, limit=defaults.MAX_COUNT)
    if len(wanted) == 1 and count > 1:
        defaults.check_names(project, f"{wanted[0]}_1")
        return hand_out(project, dataclasses.replace(choice.naming, pattern=f"{wanted[0]}_{defaults.NUMBER}"), count)
    return defaults.check_names(project, name)


def _server(choice: defaults.Choice, name: str, actor: User, labels: Mapping[str, str]) -> Server:
    return Server(
        state=ServerState.REQUESTED,
        account=choice.account,
        project=choice.account.project,
        owner=actor,
        name=name,
        token=new_token(),
        group=choice.group,
        image=choice.image.provider_id,
        flavor=choice.flavor.provider_id,
        key=_key_name(choice.key, actor),
        cores=choice.flavor.cores,
        ram=choice.flavor.ram,
        labels=dict(labels),
    )


def _params(choice: defaults.Choice, floating_ip: bool) -> dict[str, Any]:
    """What the handler needs beside the server's own record; all of it as decided now."""
    return {
        "key_name": _key_name(choice.key, choice.key.user if choice.key else None),
        "public_key": choice.key.public_key if choice.key else "",
        "security_group": choice.security_group,
        "networks": [choice.network.provider_id] if choice.network else [],
        "floating_ip": floating_ip,
    }


def _key_name(key: SshKey | None, owner: User | None) -> str:
    """The key's name at a cloud: readable, and another one when the key itself is another."""
    if key is None or owner is None:
        return ""
    mark = "".join(sign for sign in key.fingerprint.removeprefix("SHA256:") if sign.isalnum())[:8]
    return f"{owner.username}-{key.name}-{mark}"[:255]


def _remember_last(actor: User, project: Project, server: Server) -> None:
    defaults.store(user=actor, project=project, key=Default.Key.LAST_SERVER, value=str(server.pk))
