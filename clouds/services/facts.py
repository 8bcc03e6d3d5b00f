"""What rows show beside the record itself: names for ids, ages, what is being done, how much is used.

Each function takes a whole page of records and asks a constant number of questions, however many there are.
"""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from accounts.models import User
from cloudmesh.types import ServerState
from clouds.models import Cloud, CloudAccount, Flavor, Held, Image, Server, Sync
from clouds.services import choices
from operations.models import OPEN, Operation
from projects import access
from projects.models import Project, Quota

MOST_CLOUDS = 200  # on one page
RESOURCES = ("instances", "cores", "ram")
#: What a row of a list does not show and would be most of what the database sends.
HEAVY = ("native", "native_hash", "security_groups")


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerFacts:
    """A server (its account, cloud, project and owner are loaded) and what is known around it."""

    server: Server
    image: str  # names; the provider's id where no name is known
    flavor: str
    seen_at: datetime.datetime | None  # when the cloud last told about it, or told that nothing changed
    operation: Operation | None  # the newest that is not ended

    @property
    def age_seconds(self) -> int | None:
        return _age(self.seen_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """How much of one resource is taken; no limit is none that the portal knows of."""

    used: int
    limit: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountFacts:
    """A cloud account (its cloud, project and owner are loaded) and what is known around it."""

    account: CloudAccount
    seen_at: datetime.datetime | None  # when its servers were last read
    states: Mapping[str, int] = field(default_factory=dict)  # of its servers, those deleted left out
    limits: Mapping[str, Use] = field(default_factory=dict)
    operation: Operation | None = None  # a verification that is not ended

    @property
    def servers(self) -> int:
        return sum(self.states.values())

    @property
    def age_seconds(self) -> int | None:
        return _age(self.seen_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldFacts:
    """An image or a flavor (its account, cloud and project are loaded), and whether the next boot takes it."""

    held: Any
    is_default: bool


def known_clouds(actor: User) -> list[CloudAccount]:
    """The clouds that `actor` sees, with when their servers were last read as `read_at`; asked once for an actor object."""
    known: list[CloudAccount] | None = actor.__dict__.get("_clouds")
    if known is None:
        clouds = _with_read_at(access.visible(CloudAccount, actor)).defer("credential", "pending")
        known = actor.__dict__["_clouds"] = list(clouds.order_by("cloud__name", "pk")[:MOST_CLOUDS])
    return known


def light(servers: QuerySet[Server]) -> QuerySet[Server]:
    """For lists: without what no row shows."""
    return servers.defer(*HEAVY)


def server_facts(servers: Sequence[Server]) -> list[ServerFacts]:
    """The facts of a page of servers, with at most 5 questions to the database."""
    read_at = _attach_accounts(servers)
    _attach(servers, "owner", User.objects.all())
    images, flavors = _names(Image, servers), _names(Flavor, servers)
    live = live_operations(server.pk for server in servers)
    return [
        ServerFacts(
            server=server,
            image=images.get((server.account_id, server.image), server.image),
            flavor=flavors.get((server.account_id, server.flavor), server.flavor),
            seen_at=_later(server, read_at.get(server.account_id)),
            operation=live.get(server.pk),
        )
        for server in servers
    ]


def account_facts(accounts: Sequence[CloudAccount]) -> list[AccountFacts]:
    """The facts of some cloud accounts, with at most 8 questions to the database."""
    _attach(accounts, "cloud", Cloud.objects.all())
    _attach(accounts, "project", Project.objects.all())
    _attach(accounts, "owner", User.objects.all())
    ids = [account.pk for account in accounts]
    read_at, states, used = _read_at(ids), _states(ids), _used(ids)
    caps = _caps(account.lane for account in accounts)
    live = live_operations(ids)
    return [
        AccountFacts(
            account=account,
            seen_at=read_at.get(account.pk),
            states=states[account.pk],
            limits={
                name: Use(used=used[account.pk].get(name, 0), limit=caps.get((account.lane, name)))
                for name in RESOURCES
            },
            operation=live.get(account.pk),
        )
        for account in accounts
    ]


def held_facts(records: Sequence[Any], *, actor: User) -> list[HeldFacts]:
    """The facts of a page of images, flavors or networks: two questions, and a few for each cloud on it."""
    _attach(records, "account", CloudAccount.objects.select_related("cloud", "project").defer("credential", "pending"))
    accounts = {record.account_id: record.account for record in records}
    usual = choices.favourites(actor=actor, accounts=list(accounts.values()))
    return [
        HeldFacts(held=held, is_default=held.provider_id == usual[held.account_id].get(held._meta.model_name))
        for held in records
    ]


def live_operations(target_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Operation]:
    """For each target the newest operation that is not ended."""
    wishes = Operation.objects.filter(target_id__in=list(target_ids), state__in=OPEN).defer("params", "result")
    return {wish.target_id: wish for wish in wishes.order_by("created_at", "pk") if wish.target_id}


def _attach_accounts(servers: Sequence[Server]) -> dict[uuid.UUID, datetime.datetime | None]:
    """Load the accounts of a page with their clouds and projects; answers when the servers of each were read."""
    accounts = _with_read_at(CloudAccount.objects.all()).in_bulk({server.account_id for server in servers})
    for server in servers:
        server.account = accounts[server.account_id]
        server.project = server.account.project
    return {pk: account.read_at for pk, account in accounts.items()}  # type: ignore[attr-defined]


def _with_read_at(accounts: QuerySet[CloudAccount]) -> QuerySet[CloudAccount]:
    reads = Sync.objects.filter(account=OuterRef("pk"), kind=Sync.Kind.SERVERS).values("done_at")
    return accounts.select_related("cloud", "project").annotate(read_at=Subquery(reads))


def _attach(records: Sequence[Model], name: str, known: QuerySet[Any]) -> None:
    """Load one relation of all records with one question: a page has few clouds, projects and owners."""
    wanted = {getattr(record, f"{name}_id") for record in records} - {None}
    found = known.in_bulk(wanted) if wanted else {}
    for record in records:
        setattr(record, name, found.get(getattr(record, f"{name}_id")))


def _names(model: type[Held], servers: Sequence[Server]) -> dict[tuple[uuid.UUID, str], str]:
    """(account, the provider's id) → name. Where a server names its flavor by name, that stays as it is."""
    kind = str(model._meta.model_name)
    wanted = {getattr(server, kind) for server in servers} - {""}
    accounts = {server.account_id for server in servers}
    known = model._default_manager.filter(account__in=accounts, provider_id__in=wanted)
    rows = known.values_list("account", "provider_id", "name") if wanted else []
    return {(account, provider_id): name for account, provider_id, name in rows}


def _read_at(account_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime.datetime | None]:
    reads = Sync.objects.filter(account__in=list(account_ids), kind=Sync.Kind.SERVERS)
    return dict(reads.values_list("account", "done_at"))


def _later(server: Server, read_at: datetime.datetime | None) -> datetime.datetime | None:
    """A server that is not at its cloud, or not any more, is only as new as its own last word from there."""
    told = [server.seen_at] if not server.provider_id or server.missing_since else [server.seen_at, read_at]
    return max(filter(None, told), default=None)


def _states(account_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, int]]:
    states: dict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    live = Server.objects.filter(account__in=account_ids).exclude(state=ServerState.DELETED)
    for account, state, count in live.order_by().values_list("account", "state").annotate(Count("pk")):
        states[account][state] = count
    return states


def taken(servers: QuerySet[Server]) -> QuerySet[Server]:
    """Those of `servers` that count against a quota; a boot that never reached the cloud takes nothing."""
    return servers.exclude(Q(state=ServerState.DELETED) | Q(state=ServerState.ERROR, provider_id=""))


def _used(account_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, int]]:
    used: dict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    servers = taken(Server.objects.filter(account__in=account_ids)).order_by()
    for account, *sums in servers.values_list("account").annotate(Count("pk"), Sum("cores"), Sum("ram")):
        used[account] = dict(zip(RESOURCES, sums, strict=True))
    return used


def _caps(lanes: Iterable[str]) -> dict[tuple[str, str], int]:
    """(account's lane, resource) → the lowest limit there is."""
    caps: dict[tuple[str, str], int] = {}
    for scope, resource, limit in Quota.objects.filter(scope__in=list(lanes)).values_list("scope", "resource", "limit"):
        caps[scope, resource] = min(limit, caps.get((scope, resource), limit))
    return caps


def _age(seen_at: datetime.datetime | None) -> int | None:
    return max(0, int((timezone.now() - seen_at).total_seconds())) if seen_at else None
