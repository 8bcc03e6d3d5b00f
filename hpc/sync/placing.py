"""To whom what a scheduler reports belongs: its cluster by the queue, its person by the login, its project by both."""

import dataclasses
import uuid
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase

from hpc.models import Cluster, Identity, Login, Scheduler
from projects.models import Membership


@dataclasses.dataclass(frozen=True)
class Clusters:
    """The clusters of a scheduler, and which of them has a queue."""

    rest: uuid.UUID
    chosen: Sequence[tuple[str, uuid.UUID]]  # names of queues, globs too

    def of(self, queue: str) -> uuid.UUID:
        return next((cluster for name, cluster in self.chosen if fnmatchcase(queue, name)), self.rest)


def clusters_of(scheduler: Scheduler) -> Clusters:
    """What no cluster has chosen is with the one that has no list, else with the first."""
    clusters = list(Cluster.objects.filter(scheduler=scheduler).order_by("name"))
    rest = next((cluster for cluster in clusters if not cluster.chosen), clusters[0])
    return Clusters(rest.pk, [(name, cluster.pk) for cluster in clusters for name in cluster.chosen])


@dataclasses.dataclass(frozen=True)
class People:
    """Whose login is whose, and which account means which project of theirs."""

    owners: Mapping[str, uuid.UUID]
    projects: Mapping[tuple[uuid.UUID, str], uuid.UUID]

    def owner(self, login: str) -> uuid.UUID | None:
        return self.owners.get(login)

    def project(self, login: str, account: str) -> uuid.UUID | None:
        owner = self.owners.get(login)
        return self.projects.get((owner, account)) if owner else None


def people_of(scheduler: Scheduler, logins: Collection[str], accounts: Collection[str]) -> People:
    """Those among `logins` who are known here; a login that several share is nobody's."""
    if scheduler.identity == Identity.ONE:
        return People({}, {})
    known = Login.objects.filter(scheduler=scheduler, name__in=logins).values_list("name", "user_id")
    names = [name for name, _ in known]
    owners = {name: user for name, user in known if names.count(name) == 1}
    theirs = Membership.objects.filter(user__in=owners.values(), project__name__in=accounts)
    return People(
        owners,
        {(user, name): project for user, name, project in theirs.values_list("user_id", "project__name", "project_id")},
    )
