"""A simulated scheduler that was verified and read once, shown as two clusters."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from hpc import services
from hpc.drivers.simulator import control
from hpc.models import Cluster, Scheduler
from projects.models import Project
from tests import factories

CREDENTIAL = {"world": "india", "username": "demo", "password": "demo"}


@pytest.fixture
def web(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


@pytest.fixture
def scheduler(settings: LazySettings, tmp_path: Path, project: Project, admin: User) -> Scheduler:
    """Everybody's jobs run as its one login."""
    settings.STATE_DIR = tmp_path
    world = control.World(tmp_path, "india")
    control.set_crowd(world, 0)
    with world.work() as desk:
        desk.db.execute("DELETE FROM job")  # nobody else is there
    made, verify = services.register_scheduler(
        actor=admin, project=project, name="fg", driver="simulator", way="simulator", credential=CREDENTIAL,
        identity="one", shared=True, clusters={"india": [], "delta": ["delta", "delta-long"]},
    )  # fmt: skip
    factories.run(verify.pk)
    factories.read_scheduler(made)
    return Scheduler.objects.get(pk=made.pk)


@pytest.fixture
def india(scheduler: Scheduler) -> Cluster:
    return scheduler.clusters.get(name="india")
