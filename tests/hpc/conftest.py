"""A simulated scheduler that a project registered, as the sandbox has it, without other people's jobs."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.models import User
from hpc import services
from hpc.drivers.simulator import control
from hpc.models import Cluster, Identity, Scheduler
from operations import engine
from projects.models import Project
from tests import factories


@pytest.fixture
def hpc_world(settings: LazySettings, tmp_path: Path) -> control.World:
    settings.STATE_DIR = tmp_path
    world = control.World(tmp_path, "india")
    control.set_crowd(world, 0)
    return world


@pytest.fixture
def registered(hpc_world: control.World, project: Project, admin: User) -> Scheduler:
    """Shown as the clusters delta and india, everybody's jobs under its one login."""
    demo = {"world": "india", "username": "demo", "password": "demo"}
    scheduler, verify = services.register_scheduler(
        actor=admin, project=project, name="india", driver="simulator", way="simulator", credential=demo,
        shared=True, identity=Identity.ONE, clusters={"delta": ["delta*"], "india": []},
    )  # fmt: skip
    engine.run(verify.pk)
    scheduler.refresh_from_db()
    read_all(scheduler)
    return scheduler


@pytest.fixture
def cluster(registered: Scheduler) -> Cluster:
    return registered.clusters.select_related("scheduler__project").get(name="india")


def read_all(scheduler: Scheduler) -> None:
    """One reading of each kind."""
    from hpc.models import Sync
    from hpc.sync import schedule

    Sync.objects.filter(scheduler=scheduler).update(due_at=factories.LONG_AGO)
    for sync in scheduler.syncs.order_by("-kind"):
        schedule.run(sync.pk)
