"""Who sees what of schedulers: those of one's projects and the shared ones; of jobs what the scheduler shows to all."""

from django.db.models import Q

from accounts.models import User
from hpc.models import Cluster, Job, Load, Node, Queue, Scheduler, Sync
from projects import access


def _of_schedulers(actor: User, path: str = "") -> Q:
    if access.sees_all(actor):
        return Q()
    return Q(**{f"{path}is_shared": True}) | Q(**{f"{path}project__in": access.projects_of(actor)})


@access.seen(Scheduler)
def seen_schedulers(actor: User) -> Q:
    return _of_schedulers(actor)


@access.seen(Cluster, Queue, Node, Sync)
def seen_at_schedulers(actor: User) -> Q:
    return _of_schedulers(actor, "scheduler__")


@access.seen(Load)
def seen_loads(actor: User) -> Q:
    return _of_schedulers(actor, "queue__scheduler__")


@access.seen(Job)
def seen_jobs(actor: User) -> Q:
    """One's own, those of one's projects, and everybody's where the scheduler shows them."""
    if access.sees_all(actor):
        return Q()
    mine = Q(project__in=access.projects_of(actor))
    if actor.only_project is None:
        mine |= Q(owner=actor.pk)
    return mine | (_of_schedulers(actor, "scheduler__") & Q(scheduler__shows_all=True))
