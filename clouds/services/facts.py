"""What rows show beside the record itself: names for ids, ages, what is being done, how much is used.

Each function takes a whole page of records and asks a constant number of questions, however many there are.
"""

import datetime
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Model, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.utils import timezone

from accounts.models import User
from cloudmesh.types import ServerState, VolumeState
from clouds.models import CloudAccount, Flavor, FloatingIp, Image, SecurityGroup, Server, Sync, Volume
from clouds.services import choices, rules
from operations.models import OPEN, Operation
from projects import access, quota
from projects.models import Project, Quota

MOST_CLOUDS = 200  # on one page
RESOURCES = ("instances", "cores", "ram")
OF_VOLUMES = ("volumes", "disk")
NEVER_THERE = Q(state=ServerState.ERROR, provider_id="")  # a boot that failed before its cloud made anything
#: What a row of a list does not show and would be most of what the database sends.
HEAVY = ("native", "native_hash", "security_groups")


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerFacts:
    """A server (its account, cloud, project and owner are loaded) and what is known around it."""

    server: Server
    image: str  # names; the provider's id where no name is known
    flavor: str
    login: str  # the user name to log in with that its image has; empty where it is not known
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
    latency: float | None = None  # how long that took
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


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupFacts:
    """A security group (its account, cloud, project and owner are loaded) with its rules in words."""

    held: SecurityGroup
    is_default: bool
    rules: Sequence[rules.Described]


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressFacts:
    """A public address (its account, cloud, project and owner are loaded), and the server that has it."""

    address: FloatingIp
    server: Server | None  # None also where the portal does not know it

    @property
    def is_used(self) -> bool:
        return bool(self.address.server_provider_id)


def known_clouds(actor: User) -> list[CloudAccount]:
    """The clouds that `actor` sees, with `read_at`, when their servers were read; asked once for an actor object."""
    known: list[CloudAccount] | None = actor.__dict__.get("_clouds")
    if known is None:
        clouds = _with_read_at(access.visible(CloudAccount, actor)).defer("credential", "pending")
        known = actor.__dict__["_clouds"] = list(clouds.order_by("cloud__name", "pk")[:MOST_CLOUDS])
    return known


def light(servers: QuerySet[Server]) -> QuerySet[Server]:
    """For lists: without what no row shows."""
    return servers.defer(*HEAVY)


def server_facts(servers: Sequence[Server], *, known: Iterable[CloudAccount] = ()) -> list[ServerFacts]:
    """The facts of a page of servers, with at most 4 questions to the database; 3 when `known` has their clouds."""
    read_at = _attach_accounts(servers, known)
    _attach(servers, "owner", User.objects.all())
    names = _names(servers)
    live = live_operations(server.pk for server in servers)
    return [
        ServerFacts(
            server=server,
            image=names.get(("image", server.account_id, server.image), (server.image, ""))[0],
            flavor=names.get(("flavor", server.account_id, server.flavor), (server.flavor, ""))[0],
            login=names.get(("image", server.account_id, server.image), ("", ""))[1],
            seen_at=_later(server, read_at.get(server.account_id)),
            operation=live.get(server.pk),
        )
        for server in servers
    ]


def account_facts(accounts: Sequence[CloudAccount], *, known: Iterable[CloudAccount] = ()) -> list[AccountFacts]:
    """The facts of some cloud accounts, with at most 5 questions to the database; 4 when they are all `known`."""
    ids = [account.pk for account in accounts]
    read = _loaded(ids, known)
    for account in accounts:
        account.cloud, account.project = read[account.pk].cloud, read[account.pk].project
    _attach(accounts, "owner", User.objects.all())
    states, used = _tally(ids)
    caps = _caps(account.lane for account in accounts)
    live = live_operations(ids)
    return [
        AccountFacts(
            account=account,
            seen_at=_read_at(read[account.pk]),
            latency=vars(read[account.pk])["latency"],
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
    """The facts of a page of what accounts hold: three questions, and one for each project on it."""
    accounts = _loaded({record.account_id for record in records}, known_clouds(actor))
    for record in records:
        record.account = accounts[record.account_id]
    usual = choices.favourites(actor=actor, accounts=list(accounts.values()))
    return [HeldFacts(held=held, is_default=_is_usual(held, usual[held.account_id])) for held in records]


def _is_usual(held: Any, usual: Mapping[str, str]) -> bool:
    return usual.get(held._meta.model_name) in (held.provider_id, held.name)


def group_facts(groups: Sequence[SecurityGroup], *, actor: User) -> list[GroupFacts]:
    """The facts of a page of security groups: those of `held_facts` and a question more."""
    _attach(groups, "owner", User.objects.all())
    return [
        GroupFacts(held=facts.held, is_default=facts.is_default, rules=rules.described(facts.held))
        for facts in held_facts(groups, actor=actor)
    ]


def address_facts(addresses: Sequence[FloatingIp], *, actor: User) -> list[AddressFacts]:
    """The facts of a page of public addresses: three questions."""
    _attach(addresses, "owner", User.objects.all())
    accounts = _loaded({address.account_id for address in addresses}, known_clouds(actor))
    for address in addresses:
        address.account = accounts[address.account_id]
    used = {address.server_provider_id for address in addresses} - {""}
    there = Server.objects.filter(account__in=accounts, provider_id__in=used) if used else Server.objects.none()
    servers = {(server.account_id, server.provider_id): server for server in light(there)}
    return [
        AddressFacts(address=address, server=servers.get((address.account_id, address.server_provider_id)))
        for address in addresses
    ]


def live_operations(target_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Operation]:
    """For each target the newest operation that is not ended."""
    wishes = Operation.objects.filter(target_id__in=list(target_ids), state__in=OPEN).defer("params", "result")
    return {wish.target_id: wish for wish in wishes.order_by("created_at", "pk") if wish.target_id}


def _attach_accounts(
    servers: Sequence[Server], known: Iterable[CloudAccount]
) -> dict[uuid.UUID, datetime.datetime | None]:
    """Load the accounts of a page with their clouds and projects; answers when the servers of each were read."""
    accounts = _loaded({server.account_id for server in servers}, known)
    for server in servers:
        server.account = accounts[server.account_id]
        server.project = server.account.project
    return {pk: _read_at(account) for pk, account in accounts.items()}


def _loaded(ids: Collection[uuid.UUID], known: Iterable[CloudAccount]) -> dict[uuid.UUID, CloudAccount]:
    """The accounts with these ids, with cloud, project and `read_at`; asked for only as far as they are not `known`."""
    accounts = {account.pk: account for account in known if account.pk in ids}
    if unknown := set(ids) - accounts.keys():
        accounts |= _with_read_at(CloudAccount.objects.defer("credential", "pending")).in_bulk(unknown)
    return accounts


def _with_read_at(accounts: QuerySet[CloudAccount]) -> QuerySet[CloudAccount]:
    reads = Sync.objects.filter(account=OuterRef("pk"), kind=Sync.Kind.SERVERS, done_at__isnull=False)
    return accounts.select_related("cloud", "project").annotate(
        read_at=Subquery(reads.values("done_at")), latency=Subquery(reads.values("seconds"))
    )


def _attach(records: Sequence[Model], name: str, known: QuerySet[Any]) -> None:
    """Load one relation of all records with one question: a page has few clouds, projects and owners."""
    wanted = {getattr(record, f"{name}_id") for record in records} - {None}
    found = known.in_bulk(wanted) if wanted else {}
    for record in records:
        setattr(record, name, found.get(getattr(record, f"{name}_id")))


def _read_at(account: CloudAccount) -> datetime.datetime | None:
    when: datetime.datetime | None = vars(account)["read_at"]
    return when


def _names(servers: Sequence[Server]) -> dict[tuple[str, uuid.UUID, str], tuple[str, str]]:
    """(image or flavor, account, the provider's id) → name and login; what a server names by name stays as it is."""
    accounts = {server.account_id for server in servers}
    images = Image.objects.filter(account__in=accounts, provider_id__in={server.image for server in servers})
    flavors = Flavor.objects.filter(account__in=accounts, provider_id__in={server.flavor for server in servers})
    named = _named("image", images, F("login")).union(_named("flavor", flavors, Value("")), all=True)
    rows = named if servers else []
    return {(kind, account, provider_id): (name, login) for kind, account, provider_id, name, login in rows}


def _named(kind: str, known: QuerySet[Any], login: F | Value) -> QuerySet[Any, Any]:
    return known.order_by().values_list(Value(kind), "account", "provider_id", "name", login)


def _later(server: Server, read_at: datetime.datetime | None) -> datetime.datetime | None:
    """A server that is not at its cloud, or not any more, is only as new as its own last word from there."""
    told = [server.seen_at] if not server.provider_id or server.missing_since else [server.seen_at, read_at]
    return max(filter(None, told), default=None)


def taken(servers: QuerySet[Server]) -> QuerySet[Server]:
    """Those of `servers` that count against a quota; a boot that never reached the cloud takes nothing."""
    return servers.exclude(Q(state=ServerState.DELETED) | NEVER_THERE)


def taken_by(project: Project) -> quota.Taken:
    """What the servers and volumes of a project's clouds take, by cloud and owner; three questions."""
    servers = taken(Server.objects.filter(account__project=project)).order_by().values_list("account", "owner")
    volumes = Volume.objects.filter(account__project=project).exclude(state=VolumeState.DELETED).exclude(NEVER_THERE)
    of_servers = servers.annotate(Count("pk"), Sum("cores", default=0), Sum("ram", default=0))
    of_volumes = volumes.order_by().values_list("account", "owner").annotate(Count("pk"), Sum("size", default=0))
    found: dict[str, dict[uuid.UUID | None, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for names, counted in ((RESOURCES, of_servers), (OF_VOLUMES, of_volumes)):
        for account, owner, *amounts in counted:
            found[f"cloud:{account}"][owner] |= dict(zip(names, amounts, strict=True))
    for lane, owner, grown in _growing(project):
        for name, more in grown.items():
            found[lane][owner][name] += more
    return found


def _growing(project: Project) -> Iterator[tuple[str, uuid.UUID | None, Mapping[str, int]]]:
    """What servers will take besides once the resizes that were promised are done, so that no other wish takes it."""
    resizes = Operation.objects.filter(project=project, kind="server.resize", state__in=OPEN, is_batch=False)
    sizes = {pk: params for pk, params in resizes.values_list("target_id", "params") if pk}
    servers = taken(Server.objects.filter(pk__in=sizes)) if sizes else Server.objects.none()
    for pk, account, owner, cores, ram in servers.order_by().values_list("pk", "account", "owner", "cores", "ram"):
        grown = {"cores": sizes[pk]["cores"] - cores, "ram": sizes[pk]["ram"] - ram}
        yield f"cloud:{account}", owner, {name: more for name, more in grown.items() if more > 0}


@quota.meter
def measured(project: Project) -> quota.Measured:
    """The project's clouds by name, and what is taken in each."""
    accounts = CloudAccount.objects.filter(project=project).select_related("cloud").defer("credential", "pending")
    return quota.Measured(labels={each.lane: str(each) for each in accounts}, taken=taken_by(project))


def _tally(account_ids: Sequence[uuid.UUID]) -> tuple[dict[uuid.UUID, dict[str, int]], dict[uuid.UUID, Counter[str]]]:
    """Of each account how many servers are in which state, and what they take."""
    states: dict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    used: dict[uuid.UUID, Counter[str]] = defaultdict(Counter)
    live = Server.objects.filter(account__in=account_ids).exclude(state=ServerState.DELETED).order_by()
    counted = live.values_list("account", "state").annotate(
        count=Count("pk"),
        taken=Count("pk", filter=~NEVER_THERE),
        taken_cores=Sum("cores", filter=~NEVER_THERE, default=0),
        taken_ram=Sum("ram", filter=~NEVER_THERE, default=0),
    )
    for account, state, count, *amounts in counted:
        states[account][state] = count
        used[account].update(dict(zip(RESOURCES, amounts, strict=True)))
    return states, used


def _caps(lanes: Iterable[str]) -> dict[tuple[str, str], int]:
    """(account's lane, resource) → the lowest limit there is."""
    caps: dict[tuple[str, str], int] = {}
    limits = Quota.objects.filter(scope__in=list(lanes), user=None)
    for scope, resource, limit in limits.values_list("scope", "resource", "limit"):
        caps[scope, resource] = min(limit, caps.get((scope, resource), limit))
    return caps


def _age(seen_at: datetime.datetime | None) -> int | None:
    return max(0, int((timezone.now() - seen_at).total_seconds())) if seen_at else None
