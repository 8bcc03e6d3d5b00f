"""The simulated scheduler of tests/hpc, and a member's browser."""

import pytest
from django.test import Client

from accounts.models import User
from hpc.models import Cluster, Job, Scheduler


@pytest.fixture
def web(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


@pytest.fixture
def scheduler(registered: Scheduler) -> Scheduler:
    """Without the jobs that other people have there."""
    Job.objects.all().delete()
    return Scheduler.objects.get(pk=registered.pk)


@pytest.fixture
def india(scheduler: Scheduler, cluster: Cluster) -> Cluster:
    return cluster
