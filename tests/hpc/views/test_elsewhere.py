"""Jobs and clusters where a person looks for everything: the first page, the palette and the events."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from hpc.models import Cluster, Job, Load, Queue
from hpc.services import loads
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(india: Cluster, project: Project, member: User) -> Job:
    return factories.make_job(india.scheduler, "train", cluster=india, project=project, owner=member)


@pytest.fixture
def theirs(india: Cluster) -> Job:
    return factories.make_job(india.scheduler, "trail", cluster=india)


def found(web: Client, words: str) -> list[tuple[str, str]]:
    results = json.loads(web.get("/search/", {"q": words}).content)["results"]
    return [(result["group"], result["title"]) for result in results if result["group"] != "operation"]


def test_the_palette_finds_jobs_and_clusters(web: Client, mine: Job, theirs: Job) -> None:
    assert set(found(web, "trai")) == {("job", "train"), ("job", "trail")}
    assert found(web, theirs.provider_id) == [("job", "trail")]
    assert ("cluster", "delta") in found(web, "delt")
    assert ("do", "Submit a job at delta") in found(web, "submit del")


def test_the_palette_offers_to_change_ones_own_jobs_alone(web: Client, mine: Job, theirs: Job) -> None:
    assert found(web, "cancel trai") == [("do", "Cancel train")]
    assert found(web, "hold trai") == [("do", "Hold train")]
    assert found(web, "release trai") == []


def test_the_first_page_shows_clusters(web: Client, india: Cluster) -> None:
    assert {str(cluster) for cluster in web.get("/").context["clusters"]} == {"india", "delta"}


def test_what_others_do_at_a_cluster_is_no_news(client: Client, admin: User, mine: Job, theirs: Job) -> None:
    """Not even to those who see everything."""
    client.force_login(admin)
    names = {event.name for event in client.get("/events/").context["events"]}
    assert "train" in names
    assert "trail" not in names
    assert "i001" not in names
    assert {"train", "trail"} <= {event.name for event in client.get("/events/?kind=job").context["events"]}


def test_a_chart_shows_no_more_cores_than_there_are(india: Cluster) -> None:
    now = timezone.now()
    Load.objects.filter(queue__cluster=india).delete()
    for queue in Queue.objects.filter(cluster=india):
        Load.objects.create(queue=queue, at=now, cores=queue.cores, cores_used=4)
    [point] = loads(india, since=now)
    assert (point.cores, point.cores_used) == (512, 12)
