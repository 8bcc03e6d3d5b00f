"""Promises about schedulers: registering, verifying, showing as clusters, switching, forgetting."""

import re
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from accounts import secrets
from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotFound, near
from cloudmesh.types import Field
from hpc.models import Cluster, Identity, Job, Queue, Scheduler, Way
from hpc.sync import connect, placing, schedule
from operations import services as operations
from operations.models import OPEN, CredentialState, Operation, Patience
from operations.services import credentials
from projects import access
from projects.lifecycle import end_spans
from projects.models import Project

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}\Z")
MOST_CLUSTERS = 50
NOTHING = "-"  # no queue's name: a cluster that is being given its queues has none
#: Ways that reach what only the portal's own machine or network has.
PRIVILEGED = frozenset({Way.LOCAL})


def drivers() -> Mapping[str, connect.Driver]:
    """The drivers of schedulers there are: label, ways, fields and abilities are declared on each."""
    return connect.drivers.all


def driver_named(name: str) -> connect.Driver:
    """One of them. Raises Invalid."""
    return connect.drivers.named(name)


def fields(driver: str, way: str) -> tuple[Field, ...]:
    """What a scheduler of this kind is registered with on this way. Raises Invalid."""
    ways = driver_named(driver).ways
    if way not in ways:
        raise Invalid(
            f"A {driver} is reached by {' or '.join(ways)}, not by {way[:40]!r}.{near(way, ways)}", field="way"
        )
    return connect.fields(driver, way)


@transaction.atomic
def register_scheduler(
    *,
    actor: User,
    project: Project,
    name: str,
    driver: str,
    way: str,
    credential: Mapping[str, str],
    label: str = "",
    shared: bool = False,
    identity: str = Identity.OWN,
    shows_all: bool = True,
    clusters: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Scheduler, Operation]:
    """Register a scheduler for a project; it is read once an operation has reached it with the credential.

    `shared` makes it the whole portal's; that, the portal's own machine and one login for several people are for
    administrators. `clusters` are what it is shown as: names with their queues, no queues for all the others. Raises
    NotAllowed, Invalid, Conflict.
    """
    access.require(actor, "cluster.register", project)
    _check_privileges(actor, way=way, shared=shared, identity=identity)
    _check_name(name)
    facts, plain = credentials.split(fields(driver, way), credential)
    scheduler = Scheduler(
        name=name, label=label[:120], driver=driver, way=way, identity=identity, project=project, owner=actor,
        is_shared=shared, shows_all=shows_all, state=CredentialState.VERIFYING, facts=facts,
        may_go_private=access.is_admin(actor),
    )  # fmt: skip
    scheduler.pending = secrets.seal(secrets.ring(), plain, **scheduler.place)
    _check_free(scheduler)
    try:
        with transaction.atomic():
            lifecycle.begin([scheduler], actor=actor, verb="registered")
    except IntegrityError as error:
        raise Conflict(
            f"The project {project} has a scheduler named {name} already. Choose another name, or remove that one.",
            field="name",
        ) from error
    _make_clusters(scheduler, clusters or {name: []})
    return scheduler, _verify(scheduler, actor, facts)


@transaction.atomic
def replace_credential(*, actor: User, scheduler: Scheduler, credential: Mapping[str, str]) -> Operation:
    """Verify another credential; until it has worked the old one stays in use. Raises NotAllowed, Invalid."""
    access.permitted(scheduler, actor=actor, permission="cluster.manage")
    facts, plain = credentials.split(fields(scheduler.driver, scheduler.way), credential)
    pending = secrets.seal(secrets.ring(), plain, **scheduler.place)
    lifecycle.change(scheduler, actor=actor, verb="credential", pending=pending)
    return _verify(scheduler, actor, facts)


@transaction.atomic
def change_scheduler(
    *, actor: User, scheduler: Scheduler, label: str | None = None, identity: str | None = None,
    shows_all: bool | None = None,
) -> None:  # fmt: skip
    """Change what was said when it was registered. Raises NotAllowed, Invalid."""
    access.permitted(scheduler, actor=actor, permission="cluster.manage")
    _check_privileges(actor, way=Way.SSH, shared=False, identity=identity or Identity.OWN)
    given: dict[str, Any] = {"label": label, "identity": identity, "shows_all": shows_all}
    lifecycle.change(scheduler, actor=actor, **{name: value for name, value in given.items() if value is not None})


@transaction.atomic
def set_clusters(*, actor: User, scheduler: Scheduler, clusters: Mapping[str, Sequence[str]]) -> None:
    """Show a scheduler as these clusters: names with their queues, no queues for all the others.

    Jobs and queues move to the cluster that has their queue now. Raises NotAllowed, Invalid, Conflict.
    """
    access.permitted(scheduler, actor=actor, permission="cluster.manage")
    Scheduler.objects.select_for_update(no_key=True).get(pk=scheduler.pk)
    if not clusters:
        raise Invalid("A scheduler is shown as one cluster at least.", field="clusters")
    old = Cluster.objects.filter(scheduler=scheduler).exclude(name__in=clusters)
    old.update(chosen=[NOTHING])
    _make_clusters(scheduler, clusters)
    places = placing.clusters_of(scheduler)
    for model, field in ((Queue, "name"), (Job, "queue")):
        for queue in model.objects.filter(scheduler=scheduler).order_by().values_list(field, flat=True).distinct():
            model.objects.filter(scheduler=scheduler, **{field: queue}).update(cluster=places.of(queue))
    old.delete()
    lifecycle.change(scheduler, actor=actor, verb="clusters")


def switch_scheduler(*, actor: User, scheduler: Scheduler, on: bool) -> None:
    """Use a scheduler, or leave it alone for a while. Raises NotAllowed."""
    access.permitted(scheduler, actor=actor, permission="cluster.manage")
    lifecycle.change(scheduler, actor=actor, verb="switched on" if on else "switched off", is_enabled=on)
    if on:
        schedule.hurry(scheduler)


@transaction.atomic
def remove_scheduler(*, actor: User, scheduler: Scheduler) -> None:
    """Forget a scheduler and its credentials; what runs there goes on running. Raises NotAllowed, Conflict."""
    access.permitted(scheduler, actor=actor, permission="cluster.manage")
    if Operation.objects.filter(lane=scheduler.lane, state__in=OPEN).exists():
        raise Conflict(f"Something is still being done on {scheduler}. Wait for it or cancel it, then remove it.")
    lifecycle.note(
        kind=Scheduler.KIND, verb="removed", topic=scheduler.topic, object_id=scheduler.pk, name=str(scheduler),
        project_id=scheduler.project_id, actor=actor,
    )  # fmt: skip
    end_spans(scheduler.lane)
    scheduler.delete()


def refresh_scheduler(*, actor: User, scheduler: Scheduler) -> None:
    """Read everything of a scheduler again, now. Raises NotAllowed, Conflict."""
    if not access.visible(Scheduler, actor).filter(pk=scheduler.pk).exists():
        raise NotFound(f"There is no scheduler {scheduler}, or none that you may see.")
    if not scheduler.is_usable:
        what = scheduler.state if scheduler.is_enabled else "switched off"
        raise Conflict(f"The scheduler {scheduler} is {what}; it cannot be read.")
    Scheduler.objects.filter(pk=scheduler.pk).update(retry_at=None)
    schedule.plan(scheduler)
    schedule.ring(scheduler)


def find_cluster(*, actor: User, name: str = "") -> Cluster:
    """The cluster of that name or id; without one where `actor` last submitted, else the first. Raises NotFound."""
    seen = access.visible(Cluster, actor).select_related("scheduler__project")
    if name:
        return access.first_named(seen, name)
    last = Job.objects.filter(owner=actor.pk, cluster__in=seen, project__isnull=False).order_by("-created_at").first()
    found = seen.filter(pk=last.cluster_id).first() if last else seen.order_by("name").first()
    if found is None:
        raise NotFound("There is no cluster yet. Register one: cm hpc cluster register NAME")
    return found


def watch(*, project_ids: Iterable[uuid.UUID | str] = (), scheduler_ids: Collection[uuid.UUID] = ()) -> None:
    """Somebody looks at these projects, or at these schedulers: read them more often for a while."""
    schedule.watch([*scheduler_ids, *schedule.watched_by([uuid.UUID(str(pk)) for pk in project_ids])])


def _verify(scheduler: Scheduler, actor: User, facts: Mapping[str, str]) -> Operation:
    return operations.request(
        "scheduler.verify",
        targets=[scheduler],
        project=scheduler.project,
        actor=actor,
        lanes=[scheduler.lane],
        params={"facts": dict(facts), "driver": scheduler.driver, "label": scheduler.label},
        patience=Patience.FAIL,
    )


def _make_clusters(scheduler: Scheduler, clusters: Mapping[str, Sequence[str]]) -> None:
    if len(clusters) > MOST_CLUSTERS:
        raise Invalid(f"A scheduler is shown as at most {MOST_CLUSTERS} clusters.", field="clusters")
    rest = [name for name, queues in clusters.items() if not queues]
    if len(rest) > 1:
        raise Invalid(f"{' and '.join(rest)} have no queues: one cluster has all that no other has.", field="clusters")
    for name in clusters:
        _check_name(name)
    Cluster.objects.filter(scheduler=scheduler, name__in=clusters).update(chosen=[NOTHING])
    for name, queues in clusters.items():
        Cluster.objects.update_or_create(scheduler=scheduler, name=name, defaults={"chosen": list(queues)})


def _check_name(name: str) -> None:
    if not NAME.match(name):
        raise Invalid(
            f"{name[:40]!r} cannot be a name: use up to 40 lower-case letters, digits, dashes and underscores.",
            field="name",
        )


def _check_free(scheduler: Scheduler) -> None:
    """What everybody sees has a name of its own."""
    if scheduler.is_shared and Scheduler.objects.filter(name=scheduler.name, is_shared=True).exists():
        raise Conflict(f"The portal has a scheduler named {scheduler.name} already. Choose another name.", field="name")


def _check_privileges(actor: User, *, way: str, shared: bool, identity: str) -> None:
    if identity not in Identity.values:
        raise Invalid(
            f"identity is {', '.join(Identity.values)}, not {identity[:40]!r}.{near(identity, Identity.values)}",
            field="identity",
        )
    if shared:
        access.require_admin(actor, "share a scheduler with the whole portal")
    if way in PRIVILEGED:
        access.require_admin(actor, "have commands run on the portal's own machine")
    if identity != Identity.OWN:
        access.require_admin(actor, "let people's jobs run with the scheduler's own credential")
