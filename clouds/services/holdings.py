"""What rows of volumes and of limits show beside the records themselves; a constant number of questions for a page."""

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from cloudmesh.types import ServerState, VolumeState
from clouds.models import CloudAccount, Limit, Server, Sync, Volume
from clouds.services.facts import live_operations
from operations.models import Operation
from projects import access
from projects.access import naming

#: What a row of a list does not show.
HEAVY = ("native", "native_hash")
TOTAL = "total"


@dataclass(frozen=True, kw_only=True, slots=True)
class VolumeFacts:
    """A volume (its account, cloud, project and owner are loaded) and what is known around it."""

    volume: Volume
    server: Server | None  # that has it, where the portal knows it
    seen_at: datetime.datetime | None
    operation: Operation | None  # the newest that is not ended

    @property
    def age_seconds(self) -> int | None:
        return max(0, int((timezone.now() - self.seen_at).total_seconds())) if self.seen_at else None


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitFacts:
    """How much of a resource is taken of what a cloud allows, or of what all clouds together allow."""

    resource: str
    cloud: str
    project: str
    used: int
    limit: int | None
    seen_at: datetime.datetime | None = None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)


def volume_facts(volumes: Sequence[Volume]) -> list[VolumeFacts]:
    """The facts of a page of volumes, with at most 5 questions to the database."""
    accounts = CloudAccount.objects.select_related("cloud", "project").defer("credential", "pending")
    known = accounts.in_bulk({volume.account_id for volume in volumes})
    owners = User.objects.in_bulk({volume.owner_id for volume in volumes} - {None})
    for volume in volumes:
        volume.account = known[volume.account_id]
        volume.project = volume.account.project
        volume.owner = owners.get(volume.owner_id)
    held, live, read_at = _servers(volumes), live_operations(volume.pk for volume in volumes), _read_at(known)
    return [
        VolumeFacts(
            volume=volume,
            server=held.get((volume.account_id, volume.server_provider_id)),
            seen_at=_later(volume, read_at.get(volume.account_id)),
            operation=live.get(volume.pk),
        )
        for volume in volumes
    ]


def volumes_of(server: Server) -> QuerySet[Volume]:
    """The volumes that a server has."""
    held = Volume.objects.filter(account=server.account_id, server_provider_id=server.provider_id)
    return held.exclude(state=VolumeState.DELETED).exclude(server_provider_id="").defer(*HEAVY).order_by("device")


def at_server(actor: User, text: str) -> Q:
    """The condition that a volume is at a server of this name or id. Raises NotFound."""
    live = access.visible(Server, actor).exclude(state=ServerState.DELETED)
    found = naming.find(live, [text], kind="server")
    names = {"account": OuterRef("account"), "provider_id": OuterRef("server_provider_id")}
    return Q(Exists(Server.objects.filter(pk__in=[server.pk for server in found], **names))) & ~Q(server_provider_id="")


def limit_facts(limits: Sequence[Limit]) -> list[LimitFacts]:
    """The facts of some limits (their account, cloud and project are loaded), with one question to the database."""
    accounts = {limit.account_id for limit in limits}
    syncs = Sync.objects.filter(account__in=accounts, kind=Sync.Kind.LIMITS) if accounts else Sync.objects.none()
    read_at = dict(syncs.values_list("account", "done_at"))
    return [
        LimitFacts(
            resource=limit.resource,
            cloud=limit.account.cloud.name,
            project=limit.account.project.name,
            used=limit.used,
            limit=limit.limit,
            seen_at=read_at.get(limit.account_id),
        )
        for limit in limits
    ]


def limit_totals(facts: Iterable[LimitFacts]) -> list[LimitFacts]:
    """For each resource what all clouds together have; where one has no limit, the sum has none."""
    by_resource: dict[str, list[LimitFacts]] = {}
    for each in facts:
        by_resource.setdefault(each.resource, []).append(each)
    return [
        LimitFacts(
            resource=resource,
            cloud=TOTAL,
            project="",
            used=sum(row.used for row in rows),
            limit=None if any(row.limit is None for row in rows) else sum(row.limit or 0 for row in rows),
        )
        for resource, rows in sorted(by_resource.items())
    ]


def _servers(volumes: Iterable[Volume]) -> Mapping[tuple[uuid.UUID, str], Server]:
    wanted = {(volume.account_id, volume.server_provider_id) for volume in volumes if volume.server_provider_id}
    if not wanted:
        return {}
    places = {"account__in": {account for account, _ in wanted}, "provider_id__in": {pk for _, pk in wanted}}
    servers = Server.objects.filter(**places).exclude(state=ServerState.DELETED).only("name", "account", "provider_id")
    return {(server.account_id, server.provider_id): server for server in servers}


def _read_at(accounts: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, datetime.datetime | None]:
    return dict(
        Sync.objects.filter(account__in=list(accounts), kind=Sync.Kind.VOLUMES).values_list("account", "done_at")
    )


def _later(volume: Volume, read_at: datetime.datetime | None) -> datetime.datetime | None:
    """A volume that is not at its cloud, or not any more, is only as new as its own last word from there."""
    told = [volume.seen_at] if not volume.provider_id or volume.missing_since else [volume.seen_at, read_at]
    return max(filter(None, told), default=None)
