"""What jobs take of a project's limits."""

import datetime

import pytest
from django.utils import timezone

from accounts.models import User
from cloudmesh.types import JobState
from hpc import quota
from hpc.models import Scheduler
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def scheduler(project: Project, lead: User) -> Scheduler:
    return factories.make_scheduler(project, lead)


def test_live_jobs_take_what_they_may_use_and_ended_ones_what_they_used(
    scheduler: Scheduler, project: Project, member: User
) -> None:
    now = timezone.now()
    mine = {"project": project, "owner": member}
    factories.make_job(scheduler, cores=8, nodes=2, walltime=7200, **mine)
    factories.make_job(scheduler, cores=4, state=JobState.RUNNING, walltime=None, **mine)
    used = {"started": now - datetime.timedelta(hours=5), "ended": now - datetime.timedelta(hours=2)}
    factories.make_job(scheduler, cores=10, state=JobState.COMPLETED, **used, **mine)
    long_ago = {"started": factories.LONG_AGO, "ended": factories.LONG_AGO + datetime.timedelta(days=1)}
    factories.make_job(scheduler, cores=10, state=JobState.COMPLETED, **long_ago, **mine)
    factories.make_job(scheduler, cores=500)  # somebody else's
    taken = quota.taken_by(project)
    assert taken == {scheduler.lane: {member.pk: {"jobs": 2, "cores": 12, "nodes": 3, "core_hours": 16 + 30}}}
    assert quota.measured(project).labels == {scheduler.lane: "india"}
