"""A PBS of either product behind the portal: registered, read, and used by somebody, from the wish to the end."""

import pathlib
import time
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import PolicyDenied
from hpc import services
from hpc.models import Cluster, Identity, Job, Node, Queue
from operations import engine
from operations.models import Operation
from projects.models import Policy, PolicyState, Project
from tests import factories
from tests.hpc.backends.sshd import ME
from tests.hpc.conftest import read_all
from tests.hpc.drivers.pbs import servers

pytestmark = pytest.mark.django_db
SHORT = {"walltime_hours": 8}


@pytest.fixture(params=["openpbs", "torque"])
def product(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pbs(settings: LazySettings, tmp_path: pathlib.Path, product: str, project: Project, admin: User) -> Cluster:
    """Reached on the portal's own machine, everybody's jobs under its one login."""
    settings.STATE_DIR = tmp_path
    server = servers.start(tmp_path / "pbs", product)
    (tmp_path / "home").mkdir()
    variables = {**server.environment, "HOME": str(tmp_path / "home")}
    scheduler, verify = services.register_scheduler(
        actor=admin, project=project, name="pbs", driver="pbs", way="local", identity=Identity.ONE,
        clusters={"pbs": []}, credential={
            "product": product, "login": ME, "environment": "\n".join(f"{k}={v}" for k, v in variables.items()),
        },
    )  # fmt: skip
    engine.run(verify.pk)
    assert Operation.objects.get(pk=verify.pk).state == "succeeded"
    read_all(scheduler)
    scheduler.refresh_from_db()
    return scheduler.clusters.get()


def submit(cluster: Cluster, actor: User, script: str, **wanted: Any) -> Job:
    operation = services.submit_job(
        actor=actor, project=cluster.scheduler.project, cluster=cluster, script=script, **wanted
    )
    factories.do_all_work()
    return Job.objects.get(pk=operation.target_id)


def until(cluster: Cluster, job: Job, state: str) -> Job:
    end = time.monotonic() + 20
    while job.state != state and time.monotonic() < end:
        time.sleep(0.1)
        read_all(cluster.scheduler)
        job.refresh_from_db()
    assert job.state == state, job.state_reason
    return job


def test_queues_and_nodes_are_read(pbs: Cluster) -> None:
    queue = Queue.objects.get(name="workq")
    assert (queue.is_default, queue.max_walltime, queue.state) == (True, 86400, "open")
    assert set(Node.objects.values_list("name", flat=True)) == {f"n{number}" for number in range(1, 7)}
    assert Job.objects.get(login="carol").name == "say\"hi\\<b>&'1e5"


def test_a_job_runs_to_its_end_in_its_own_directory(pbs: Cluster, member: User) -> None:
    job = submit(pbs, member, "pwd\necho $greeting", name="greet", cores=2, walltime=600)
    assert job.state in ("queued", "running")
    done = until(pbs, job, "completed")
    assert (done.exit_code, done.cores, done.queue, done.owner) == (0, 2, "workq", member)
    asked = services.read_job_file(actor=member, job=done, which="output")
    factories.do_all_work()
    asked.refresh_from_db()
    assert asked.result["text"].split() == [done.directory]
    read_all(pbs.scheduler)
    done.refresh_from_db()
    assert done.is_accounted


def test_an_array_and_its_tasks_are_their_owners(pbs: Cluster, member: User) -> None:
    array = submit(pbs, member, "sleep 1", array="1-2", experiment=False)
    until(pbs, array, "completed")
    tasks = Job.objects.filter(token=array.token).exclude(pk=array.pk)
    assert [(task.owner, task.project, task.state) for task in tasks] == [(member, array.project, "completed")] * 2


def test_what_a_script_asks_for_itself_is_counted_and_given(pbs: Cluster, member: User, project: Project) -> None:
    script = "#!/bin/bash\n#PBS -N mine -l walltime=10:00:00,ncpus=2\n#PBS -q workq\necho"
    lifecycle.begin([Policy(name="day", service="queue:*", effect="deny", state=PolicyState.APPROVED, limits=SHORT)])
    with pytest.raises(PolicyDenied, match="10 h are wanted"):
        submit(pbs, member, script)
    job = submit(pbs, member, script, walltime=3600, is_held=True, experiment=False)
    read_all(pbs.scheduler)
    job.refresh_from_db()
    assert (job.name, job.walltime, job.cores, job.state) == ("mine", 3600, 2, "held")


def test_jobs_are_held_released_and_cancelled(pbs: Cluster, member: User) -> None:
    job = until(pbs, submit(pbs, member, "sleep 100", is_held=True), "held")
    services.change_jobs(actor=member, jobs=[job], action="release")
    factories.do_all_work()
    until(pbs, job, "running")
    services.change_jobs(actor=member, jobs=[job], action="cancel")
    factories.do_all_work()
    assert until(pbs, job, "cancelled").ended
