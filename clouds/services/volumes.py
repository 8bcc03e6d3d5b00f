"""Promises about volumes: recorded in one transaction; nothing here waits for a cloud."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotFound
from cloudmesh.types import ServerState, VolumeState, expand_names
from clouds import defaults
from clouds.models import CloudAccount, Server, Volume
from clouds.services import facts
from clouds.sync import connect
from operations import services as operations
from operations.models import OPEN, Operation, new_token
from projects import access, policy, quota
from projects.access import naming
from projects.models import Project

LARGEST = 1_000_000  # GiB
LONGEST_DEVICE = 32
DEEDS = ("attach", "detach", "delete")
#: From which states a volume can be attached, detached or deleted; any other refuses it before the cloud is asked.
FROM: Mapping[str, frozenset[str]] = {
    "attach": frozenset({VolumeState.AVAILABLE, VolumeState.UNKNOWN}),
    "detach": frozenset({VolumeState.IN_USE, VolumeState.UNKNOWN}),
    "delete": frozenset(VolumeState) - {VolumeState.ATTACHING, VolumeState.DETACHING, VolumeState.DELETED},
}


# -- new ones --------------------------------------------------------------------------------------------------


@transaction.atomic
def create_volumes(
    *,
    actor: User,
    project: Project,
    name: str,
    size: int,
    count: int | None = None,
    cloud: str = "",
    server: Server | None = None,
) -> Operation:
    """Make volumes of `size` GiB, one for each name of the hostlist, or `count` numbered ones; `server` gets them.

    Raises NotAllowed, PolicyDenied, QuotaExceeded, Ambiguous, NotFound, Invalid, Conflict.
    """
    access.require(actor, "volume.create", project)
    account = _place(actor, project, cloud, server)
    if not 1 <= size <= LARGEST:
        raise Invalid(f"The size of a volume is 1 to {LARGEST:,} GiB, not {size}.", field="size")
    quota.hold(project)
    names = _names(project, name, count)
    decision = _decide(actor, account, {"volumes": len(names), "disk": len(names) * size})
    wished = [_volume(account, each, size, actor) for each in names]
    volumes = lifecycle.begin(wished, actor=actor, verb="requested")
    return operations.request(
        "volume.create",
        targets=volumes,
        tokens=[volume.token for volume in volumes],
        project=project,
        actor=actor,
        lanes=[account.lane] * len(volumes),
        decision=decision,
        params=_of(server) if server else {},
    )


def _place(actor: User, project: Project, cloud: str, server: Server | None) -> CloudAccount:
    """The cloud where it shall be: that of the server, the one named, or the default one; it must have volumes."""
    if server is None:
        account, _ = defaults.choose_cloud(actor, project, cloud, defaults.Values(actor, project))
    else:
        account = server.account
        if cloud and cloud not in (account.cloud.name, str(account.pk)):
            raise Conflict(f"{server} is on {account}, not on {cloud}; a volume reaches only servers of its own cloud.")
        _require_there(actor, server)
    if reason := missing(account):
        raise Conflict(reason, cloud=account.cloud.name)
    return account


def _names(project: Project, text: str, count: int | None) -> list[str]:
    names = expand_names(text, limit=defaults.MAX_COUNT)
    if count is not None and len(names) == 1 and defaults.check_count(count) > 1:
        names = [f"{names[0]}_{number}" for number in range(1, count + 1)]
    if count is not None and count != len(names):
        raise Invalid(f"{text!r} stands for {len(names)} names, but count is {count}. Leave one out.", field="count")
    for name in names:
        if not defaults.NAME.match(name):
            raise Invalid(
                f"{name[:40]!r} cannot be a volume's name: use 1 to 63 letters (a–z), digits, dots, dashes and "
                "underscores, beginning and ending with a letter or digit.",
                field="name",
            )
    if not names:
        raise Invalid("Give the volume a name.", field="name")
    taken = sorted(_live(project).filter(name__in=names).values_list("name", flat=True)[:5])
    if taken:
        raise Conflict(f"There is a volume named {', '.join(taken)} already. Choose another name.", field="name")
    return names


def _decide(actor: User, account: CloudAccount, wanted: Mapping[str, int]) -> policy.Decision:
    """What policies and quotas say of it. Raises PolicyDenied, QuotaExceeded."""
    project, scope = account.project, account.lane
    taken = facts.taken_by(project)

    def used() -> policy.Used:
        return policy.Used(
            project=quota.amounts(taken, wanted, scope=scope),
            member=quota.amounts(taken, wanted, scope=scope, owner_id=actor.pk),
        )

    wish = policy.Wish(service=f"cloud:{account.cloud.name}", resources=wanted, used=used)
    decision = policy.decide(actor=actor, project=project, wish=wish).require()
    label = str(account)
    quota.check(quota.rooms(project, member=actor, scope=scope, label=label, wanted=wanted, taken=lambda: taken))
    return decision


def _volume(account: CloudAccount, name: str, size: int, owner: User) -> Volume:
    return Volume(
        state=VolumeState.REQUESTED,
        account=account,
        project=account.project,
        owner=owner,
        name=name,
        size=size,
        token=new_token(),
    )


# -- those that are there --------------------------------------------------------------------------------------


@transaction.atomic
def attach_volume(*, actor: User, volume: Volume, server: Server, device: str = "") -> Operation:
    """Give a server a volume of its own cloud. Raises NotAllowed, Conflict, Invalid."""
    if len(device) > LONGEST_DEVICE or not (device.isascii() and device.isprintable()):
        raise Invalid("A device is a name such as /dev/vdb.", field="device")
    _require_there(actor, server)
    if volume.account_id != server.account_id:
        raise Conflict(
            f"{volume} is on {volume.account} and {server} on {server.account}; a volume reaches only servers of its "
            "own cloud."
        )
    _require_able(volume, "attach")
    params = _of(server) | {"device": device}
    return _ask("volume.attach", [volume], actor=actor, permission="volume.change", params=params)


@transaction.atomic
def detach_volumes(*, actor: User, volumes: Sequence[Volume]) -> Operation:
    """Take volumes from their servers; what is on them stays. Raises NotAllowed, Conflict."""
    for volume in volumes:
        _require_able(volume, "detach")
    return _ask("volume.detach", volumes, actor=actor, permission="volume.change")


@transaction.atomic
def delete_volumes(*, actor: User, volumes: Sequence[Volume]) -> Operation:
    """Delete volumes that no server has; one that is still being made is taken back first.

    Raises NotAllowed, NotFound, Conflict.
    """
    for volume in volumes:
        if volume.is_gone:
            raise NotFound(f"{volume} is deleted already, since {volume.changed_at:%Y-%m-%d %H:%M} UTC.")
        _require_able(volume, "delete")
    operation = _ask("volume.delete", volumes, actor=actor, permission="volume.delete")
    made = Operation.objects.filter(target_id__in=[v.pk for v in volumes], kind="volume.create", state__in=OPEN)
    for wish in list(made.select_related("project").select_for_update(no_key=True, of=("self",)).order_by("pk")):
        operations.cancel(actor=actor, operation=wish)
    for volume in sorted(volumes, key=lambda volume: volume.pk):
        volume.refresh_from_db()
        if volume.state not in (VolumeState.DELETED, VolumeState.DELETING):
            lifecycle.transition(volume, VolumeState.DELETING, actor=actor)
    return operation


def find_volumes(*, actor: User, names: Sequence[str], permission: str, project: Project | None = None) -> list[Volume]:
    """The live volumes that names, ids, hostlists and globs mean. Raises NotFound, Ambiguous, NotAllowed."""
    live = access.visible(Volume, actor).exclude(state=VolumeState.DELETED).select_related("account__cloud", "project")
    live = live.filter(project=project) if project else live
    found = naming.find(live, names, kind="volume")
    return [access.permitted(volume, actor=actor, permission=permission) for volume in found]


def volume_deeds(volume: Volume) -> list[dict[str, Any]]:
    """Attach, detach and delete, each with whether it can be done now and, if not, why not."""
    reasons = {name: _why_not(volume, name) for name in DEEDS}
    return [{"name": name, "able": not reasons[name], "reason": reasons[name]} for name in DEEDS]


def missing(account: CloudAccount) -> str:
    """Why there are no volumes at a cloud; empty where there are."""
    reason = connect.drivers.named(account.cloud.driver).abilities.reason("volumes")
    return reason or str(account.lacks.get("volumes", ""))


def _why_not(volume: Volume, deed: str) -> str:
    """Why something cannot be done to a volume now, as a sentence; empty when it can."""
    if volume.state == VolumeState.DELETING:
        return f"{volume} is being deleted already."
    if deed == "delete" and volume.server_provider_id:
        return f"{volume} is attached to a server; detach it first."
    if deed != "delete" and not volume.provider_id:
        return f"{volume} is not at its cloud yet."
    if volume.state not in FROM[deed]:
        return f"{volume} is {volume.state}; {deed} needs it to be {' or '.join(sorted(FROM[deed]))}."
    return ""


def _require_able(volume: Volume, deed: str) -> None:
    reason = _why_not(volume, deed)
    if reason:
        raise Conflict(reason, state=volume.state)


def _require_there(actor: User, server: Server) -> None:
    """A server that `actor` may change and that can be given something."""
    access.permitted(server, actor=actor, permission="server.change")
    if not server.provider_id or server.state in (ServerState.DELETING, ServerState.DELETED):
        raise Conflict(f"{server} is {server.state}; it cannot be given a volume.", state=server.state)


def _of(server: Server) -> dict[str, Any]:
    """A server as the handler needs it; as it is now."""
    return {"server": server.provider_id, "server_name": server.name}


def _ask(
    kind: str, volumes: Sequence[Volume], *, actor: User, permission: str, params: Mapping[str, Any] | None = None
) -> Operation:
    """One wish about several volumes of one project."""
    if len({volume.project_id for volume in volumes}) != 1:
        raise Invalid("Choose volumes of one project at a time.", field="volumes")
    for volume in volumes:
        access.permitted(volume, actor=actor, permission=permission)
    lanes = [volume.account.lane for volume in volumes]
    return operations.request(
        kind, targets=volumes, project=volumes[0].project, actor=actor, lanes=lanes, params=params
    )


def _live(project: Project) -> QuerySet[Volume]:
    return Volume.objects.filter(project=project).exclude(state=VolumeState.DELETED)
