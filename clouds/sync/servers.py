"""Taking over the servers a cloud reports: only what changed is written, in a constant number of statements."""

import dataclasses
import datetime
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from activity import lifecycle
from activity.models import new_id
from cloudmesh import types
from cloudmesh.types import ServerState
from clouds.models import MOVING, CloudAccount, Flavor, Server
from operations.models import OPEN, Operation

#: How long a server must be absent from complete answers before it is believed to be gone.
GRACE = datetime.timedelta(seconds=60)
#: What belongs to the portal and is not the provider's to say.
OURS = ("project", "account", "owner", "token", "group", "is_orphan", "created_at")
OUR_LABELS = "cloudmesh"  # how the keys of labels begin that the portal writes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Known:
    """What the database knows of a server, as little as a comparison needs."""

    id: uuid.UUID
    provider_id: str
    native_hash: str
    state: str
    version: int
    token: str
    name: str
    missing_since: datetime.datetime | None
    seen_at: datetime.datetime | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tally:
    """What a reading found."""

    seen: int
    changed: int


@transaction.atomic
def merge(account: CloudAccount, seen: Iterable[types.Server], *, full: bool, began: datetime.datetime) -> Tally:
    """Write what is new in `seen`; after a `full` reading also mark what is absent from it."""
    servers = {server.id: server for server in seen}
    known = _known(account, None if full else list(servers))
    texts = {
        key: orjson.dumps(server.native, option=orjson.OPT_SORT_KEYS, default=str) for key, server in servers.items()
    }
    hashes = {key: _digest(servers[key], text) for key, text in texts.items()}
    fresh = [key for key in servers if _is_news(servers[key], known.get(key), hashes[key], began)]
    if fresh:
        held = _held(account, [servers[key] for key in fresh])
        fresh = [key for key in fresh if _is_news(servers[key], held.get(key), hashes[key], began)]
    if fresh:
        _write(account, [servers[key] for key in fresh], held, texts, hashes)
    absent = _absent(known, servers, began) if full else []
    if absent:
        _mark_absent(absent)
    return Tally(seen=len(servers), changed=len(fresh) + len(absent))


def store(server: Server, seen: types.Server) -> None:
    """Take over what an operation has just learned about its own server."""
    text = orjson.dumps(seen.native, option=orjson.OPT_SORT_KEYS, default=str)
    digest = _digest(seen, text)
    if digest == server.native_hash and server.provider_id == seen.id and server.state == seen.state:
        return
    lifecycle.transition(
        server,
        seen.state,
        reason=seen.fault,
        provider_id=seen.id,
        name=seen.name or server.name,
        addresses=list(seen.addresses),
        public_addresses=list(seen.public_addresses),
        security_groups=list(seen.security_groups),
        labels=_labels(seen),
        key=seen.key or server.key,
        created=seen.created or server.created,
        native=orjson.loads(text),
        native_hash=digest,
        seen_at=timezone.now(),
        missing_since=None,
        **_size(server, seen),
    )


def _size(server: Server, seen: types.Server) -> dict[str, Any]:
    """Its flavor and what that takes, where it is not the one we know: most looks ask nothing."""
    if not seen.flavor or seen.flavor == server.flavor:
        return {}
    known = {name: size for pk, title, *size in _sizes(server.account) for name in (title, pk) if name == seen.flavor}
    cores, ram = known.get(seen.flavor, (server.cores, server.ram))
    return {"flavor": seen.flavor[:255], "cores": cores, "ram": ram}


def _known(account: CloudAccount, ids: list[str] | None) -> dict[str, Known]:
    """The account's live servers by the provider's id; with `ids` only those."""
    servers = Server.objects.filter(account=account).exclude(state=ServerState.DELETED).exclude(provider_id="")
    return {
        row.provider_id: row for row in _rows(servers if ids is None else servers.filter(provider_id__in=_listed(ids)))
    }


def _listed(texts: list[str]) -> RawSQL:
    """Many values as one parameter: thousands of placeholders take longer than the question itself."""
    return RawSQL("SELECT unnest(%s::varchar[])", (texts,))


def _held(account: CloudAccount, servers: list[types.Server]) -> dict[str, Known]:
    """The rows that will be written, by the provider's id: locked, and as they are by now.

    Operations store what they learn at the same time. Among the rows are wishes whose server the cloud has made
    though its answer did not reach us, known by their token. Locked in one order, so that two never wait crosswise.
    """
    by_token = {server.token: server.id for server in servers if server.token}
    made = Q(provider_id__in=_listed([server.id for server in servers])) & ~Q(provider_id="")
    wished = Q(provider_id="", token__in=_listed(list(by_token))) & ~Q(token="")
    rows = Server.objects.filter(made | wished, account=account).exclude(state=ServerState.DELETED).order_by("pk")
    return {row.provider_id or by_token[row.token]: row for row in _rows(rows.select_for_update(no_key=True))}


def _is_news(server: types.Server, old: Known | None, digest: str, began: datetime.datetime) -> bool:
    if old is None:
        return server.state is not ServerState.DELETED
    newer = old.seen_at is not None and old.seen_at >= began  # an operation has asked meanwhile
    return not newer and (old.native_hash != digest or old.missing_since is not None)


def _rows(servers: Any) -> Iterable[Known]:
    names = [field.name for field in dataclasses.fields(Known)]
    return (Known(**dict(zip(names, row, strict=True))) for row in servers.values_list(*names))


def _write(
    account: CloudAccount,
    servers: list[types.Server],
    known: Mapping[str, Known],
    texts: Mapping[str, bytes],
    hashes: Mapping[str, str],
) -> None:
    sizes = {name: (cores, ram) for pk, title, cores, ram in _sizes(account) for name in (pk, title)}
    busy = _in_hand([known[server.id].id for server in servers if server.id in known])
    now = timezone.now().isoformat()  # COPY takes texts several times quicker than objects
    place = {"account": str(account.pk), "project": str(account.project_id), "created_at": now, "seen_at": now}
    rows, verbs = [], {}
    for server in servers:
        old = known.get(server.id)
        size = sizes.get(server.flavor, (0, 0))
        row = _row(place, server, old, size, texts[server.id].decode(), hashes[server.id])
        rows.append(row)
        verbs[row["id"]] = _verb(server, old, row["state"], busy)
    lifecycle.absorb(Server, rows, keep=OURS, topic=account.topic, project_id=account.project_id, verbs=verbs)


def _row(
    place: Mapping[str, str],
    server: types.Server,
    old: Known | None,
    size: tuple[int, int],
    native: str,
    digest: str,
) -> dict[str, Any]:
    state = server.state
    if old and old.state == ServerState.DELETING and state not in (ServerState.DELETED, ServerState.ERROR):
        state = ServerState.DELETING  # the cloud has not caught up with our request yet
    return {
        **place,
        "id": old.id if old else new_id(),
        "state": state.value,
        "state_reason": server.fault,
        "version": old.version + 1 if old else 1,
        "owner": None,
        "name": server.name[:255],
        "provider_id": server.id,
        "token": old.token if old else "",
        "group": "",
        "image": server.image[:255],
        "flavor": server.flavor[:255],
        "key": server.key[:255],
        "cores": size[0],
        "ram": size[1],
        "addresses": orjson.dumps(server.addresses).decode(),
        "public_addresses": orjson.dumps(server.public_addresses).decode(),
        "security_groups": orjson.dumps(server.security_groups).decode(),
        "labels": orjson.dumps(_labels(server)).decode(),
        "is_orphan": old is None,
        "created": server.created.isoformat() if server.created else None,
        "native": native,
        "native_hash": digest,
        "missing_since": None,
    }


def _labels(server: types.Server) -> dict[str, str]:
    """People's own: what the portal writes there is shown as group and owner."""
    return {key: value for key, value in server.labels.items() if not key.startswith(OUR_LABELS)}


def _verb(server: types.Server, old: Known | None, state: str, busy: set[uuid.UUID]) -> str:
    """What happened, in one word: changes that no wish of ours explains are drift, others told by the new state."""
    if old is None:
        return "found"
    if state == ServerState.DELETED:
        return "deleted"
    outside = old.id not in busy and old.state not in types.UNSETTLED
    if outside and (old.state != state or old.name != server.name):
        return "drifted"
    return state if old.state != state else "changed"


def _in_hand(ids: list[uuid.UUID]) -> set[uuid.UUID]:
    open_ones = Operation.objects.filter(target_id__in=ids, state__in=OPEN).values_list("target_id", flat=True)
    return {target for target in open_ones if target}


def _sizes(account: CloudAccount) -> Iterable[tuple[str, str, int, int]]:
    return Flavor.objects.filter(account=account).values_list("provider_id", "name", "cores", "ram")


def _absent(known: Mapping[str, Known], servers: Mapping[str, Any], began: datetime.datetime) -> list[Known]:
    """Servers we know and the complete answer lacks, but for those we heard of after it was asked for."""
    return [row for key, row in known.items() if key not in servers and row.seen_at and row.seen_at < began]


def _mark_absent(absent: list[Known]) -> None:
    """First missing, and gone when still absent after the grace: one odd answer must not end anything."""
    now = timezone.now()
    gone = [row.id for row in absent if row.missing_since and now - row.missing_since >= GRACE]
    news = [row.id for row in absent if row.missing_since is None]
    if news:
        reason = "The cloud does not list it any more; it is kept for a while in case that is a mistake."
        lifecycle.move_all(Server, news, ServerState.MISSING, reason=reason, missing_since=now)
    if gone:
        lifecycle.move_all(Server, gone, ServerState.DELETED, verb="vanished", reason="It vanished from the cloud.")


def _digest(server: types.Server, text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16, key=server.state.encode()).hexdigest()


def unsettled(account: CloudAccount) -> bool:
    """Whether something is going on there, so that it is worth looking again soon."""
    return Server.objects.filter(account=account, state__in=MOVING).exists()
