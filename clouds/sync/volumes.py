"""Taking over the volumes a cloud reports: only what changed is written, in a constant number of statements."""

import datetime
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from activity import lifecycle
from activity.models import new_id
from cloudmesh import types
from cloudmesh.types import VolumeState
from clouds.drivers import CloudDriver
from clouds.models import RESTLESS_VOLUMES, CloudAccount, Volume
from clouds.sync.servers import GRACE

#: What belongs to the portal and is not the provider's to say.
OURS = ("project", "account", "owner", "token", "is_orphan", "created_at")


class Known(NamedTuple):
    """What the database knows of a volume, as little as a comparison needs."""

    id: uuid.UUID
    provider_id: str
    token: str
    native_hash: str
    state: str
    version: int
    missing_since: datetime.datetime | None
    seen_at: datetime.datetime | None


def read(account: CloudAccount, driver: CloudDriver, began: datetime.datetime) -> tuple[int, int]:
    """Bring the volumes of an account up to date; answers how many there are and how many changed.

    What a cloud cannot do though its kind can is learned here, and told where it would be wished for.
    """
    lacks = dict(driver.lacking())
    if lacks != account.lacks:
        lifecycle.change(account, verb="changed", lacks=lacks)
    if not driver.abilities["volumes"] or "volumes" in lacks:
        return 0, 0
    seen = list(driver.volumes())
    return len(seen), merge(account, seen, began=began)


@transaction.atomic
def merge(account: CloudAccount, seen: Iterable[types.Volume], *, began: datetime.datetime) -> int:
    """Write what is new or different, mark what is absent; answers how many that were.

    The rows are locked in one order, since operations store what they learn of them at the same time.
    """
    volumes = {volume.id: volume for volume in seen}
    known = _known(account, volumes)
    hashes = {key: digest(volume) for key, volume in volumes.items()}
    fresh = [volume for key, volume in volumes.items() if _is_news(volume, known.get(key), hashes[key], began)]
    rows = [_row(account, volume, known.get(volume.id), hashes[volume.id]) for volume in fresh]
    verbs = {row["id"]: "changed" if volume.id in known else "found" for row, volume in zip(rows, fresh, strict=True)}
    lifecycle.absorb(Volume, rows, keep=OURS, topic=account.topic, project_id=account.project_id, verbs=verbs)
    absent = [row for key, row in known.items() if key not in volumes and row.seen_at and row.seen_at < began]
    _mark_absent(absent)
    return len(fresh) + len(absent)


def store(volume: Volume, seen: types.Volume) -> None:
    """Take over what an operation has just learned about its own volume."""
    now = digest(seen)
    if now == volume.native_hash and volume.provider_id == seen.id and volume.state == seen.state:
        return
    lifecycle.transition(
        volume,
        seen.state,
        reason=seen.fault,
        provider_id=seen.id,
        name=seen.name or volume.name,
        size=seen.size,
        server_provider_id=seen.server,
        device=seen.device,
        is_bound=seen.is_bound,
        created=seen.created or volume.created,
        native=orjson.loads(_text(seen)),
        native_hash=now,
        seen_at=timezone.now(),
        missing_since=None,
    )


def unsettled(account: CloudAccount) -> bool:
    """Whether something is going on there, so that it is worth looking again soon."""
    return Volume.objects.filter(account=account, state__in=RESTLESS_VOLUMES).exists()


def digest(volume: types.Volume) -> str:
    return hashlib.blake2b(_text(volume), digest_size=16, key=volume.state.encode()).hexdigest()


def _text(volume: types.Volume) -> bytes:
    return orjson.dumps(volume.native, option=orjson.OPT_SORT_KEYS, default=str)


def _known(account: CloudAccount, volumes: Mapping[str, types.Volume]) -> dict[str, Known]:
    """The account's live volumes by the provider's id; among them wishes known by their token alone."""
    by_token = {volume.token: volume.id for volume in volumes.values() if volume.token}
    wished = Q(provider_id="", token__in=list(by_token)) & ~Q(token="")
    live = Volume.objects.filter(~Q(provider_id="") | wished, account=account).exclude(state=VolumeState.DELETED)
    rows = live.order_by("pk").select_for_update(no_key=True).values_list(*Known._fields)
    return {row.provider_id or by_token[row.token]: row for row in map(Known._make, rows)}


def _is_news(volume: types.Volume, old: Known | None, now: str, began: datetime.datetime) -> bool:
    if old is None:
        return volume.state is not VolumeState.DELETED
    newer = old.seen_at is not None and old.seen_at >= began  # an operation has asked meanwhile
    return not newer and (old.native_hash != now or old.missing_since is not None)


def _row(account: CloudAccount, volume: types.Volume, old: Known | None, now: str) -> dict[str, Any]:
    state, at = volume.state, timezone.now().isoformat()
    if old and old.state == VolumeState.DELETING and state is VolumeState.AVAILABLE:
        state = VolumeState.DELETING  # the cloud has not caught up with our request yet
    return {
        "account": str(account.pk),
        "project": str(account.project_id),
        "created_at": at,
        "seen_at": at,
        "id": old.id if old else new_id(),
        "state": state.value,
        "state_reason": volume.fault,
        "version": old.version + 1 if old else 1,
        "owner": None,
        "name": volume.name[:255],
        "size": volume.size,
        "provider_id": volume.id,
        "token": old.token if old else "",
        "server_provider_id": volume.server,
        "device": volume.device[:64],
        "is_bound": volume.is_bound,
        "is_orphan": old is None,
        "created": volume.created.isoformat() if volume.created else None,
        "native": _text(volume).decode(),
        "native_hash": now,
        "missing_since": None,
    }


def _mark_absent(absent: list[Known]) -> None:
    """First missing, and gone when still absent after the grace: one odd answer must not end anything."""
    now = timezone.now()
    ended = [row.id for row in absent if row.state == VolumeState.DELETING]
    gone = [row.id for row in absent if row.missing_since and now - row.missing_since >= GRACE]
    news = [row.id for row in absent if row.missing_since is None and row.id not in ended]
    if news:
        reason = "The cloud does not list it any more; it is kept for a while in case that is a mistake."
        lifecycle.move_all(Volume, news, VolumeState.MISSING, reason=reason, missing_since=now)
    if ended:
        lifecycle.move_all(Volume, ended, VolumeState.DELETED)
    if gone:
        lifecycle.move_all(Volume, gone, VolumeState.DELETED, verb="vanished", reason="It vanished from the cloud.")
