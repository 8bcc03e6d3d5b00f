"""Clusters, their queues and nodes as pages."""

import datetime
import json

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from hpc.drivers.simulator import control
from hpc.models import Cluster, Load, Node, Queue, Scheduler
from projects.models import Project
from tests import factories
from tests.hpc.conftest import read_all

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def test_one_scheduler_shows_as_its_clusters(web: Client, india: Cluster) -> None:
    factories.make_job(india.scheduler, cluster=india, state="running", cores=8)
    cards = {str(card): card for card in web.get("/clusters/").context["clusters"]}
    assert [(name, cards[name].running) for name in sorted(cards)] == [("delta", 0), ("india", 1)]
    assert [queue.name for queue in cards["india"].queue_list] == ["batch", "debug", "long"]
    assert {each["state"]: each["count"] for each in cards["delta"].states} == {"free": 16}
    assert cards["india"].cores_in_use.limit == 30 * 16 + 2 * 16


def test_the_page_of_a_cluster_tells_limits_and_loads_of_its_queues(web: Client, india: Cluster) -> None:
    factories.make_job(india.scheduler, cluster=india, queue="long", state="running")
    factories.make_job(india.scheduler, cluster=india, queue="long")
    page = web.get(f"/clusters/{india.pk}/")
    queues = {queue.name: queue for queue in page.context["queues"]}
    assert (queues["long"].running, queues["long"].waiting, queues["batch"].running) == (1, 1, 0)
    assert "7-00:00:00" in page.content.decode()
    assert [str(other) for other in page.context["others"]] == ["delta"]


def test_loads_are_drawn_over_the_time_asked_for(web: Client, india: Cluster) -> None:
    Load.objects.all().delete()
    queue = Queue.objects.get(cluster=india, name="batch")
    for days, running in ((0, 3), (3, 5)):
        Load.objects.create(queue=queue, at=timezone.now() - datetime.timedelta(days=days), running=running)
    assert web.get(f"/clusters/{india.pk}/?period=1h").context["drawing"]["running"] == [3]
    assert web.get(f"/clusters/{india.pk}/?period=7d").context["drawing"]["running"] == [5, 3]
    assert web.get(f"/clusters/{india.pk}/?period=1c").context["period"] == "1d"


def test_nodes_are_squares_of_their_state(
    web: Client, india: Cluster, scheduler: Scheduler, settings: LazySettings
) -> None:
    world = control.World(settings.STATE_DIR, "india")
    control.set_node(world, "i003", "down", "does not answer")
    read_all(scheduler)
    page = web.get(f"/clusters/{india.pk}/nodes/").context
    assert len(page["nodes"]) == 32
    assert {"state": "down", "count": 1} in page["legend"]
    only = web.get(f"/clusters/{india.pk}/nodes/?state=down").context["nodes"]
    assert [(node.name, node.fill) for node in only] == [("i003", 0)]


def test_a_node_tells_its_jobs_and_why_it_is_down(web: Client, india: Cluster) -> None:
    node = Node.objects.get(scheduler=india.scheduler, name="i001")
    factories.make_job(india.scheduler, "train", cluster=india, state="running", hosts=["i001"])
    factories.make_job(india.scheduler, "elsewhere", cluster=india, state="running", hosts=["i0011"])
    page = web.get(f"/nodes/{node.pk}/")
    assert [job.name for job in page.context["jobs"]] == ["train"]


def test_a_stranger_sees_what_is_shared_alone(
    client: Client, stranger: User, india: Cluster, project: Project, lead: User
) -> None:
    own = factories.make_scheduler(project, lead, "own").clusters.get()
    client.force_login(stranger)
    assert {str(card) for card in client.get("/clusters/").context["clusters"]} == {"india", "delta"}
    for path in ("", "nodes/", "jobs/", "settings/"):
        assert client.get(f"/clusters/{own.pk}/{path}").status_code == 404, path
    assert client.get(f"/clusters/{own.pk}/row/").status_code == 204
    assert client.post(f"/clusters/{india.pk}/settings/", {"clusters": ""}).status_code == 403


def test_whoever_leads_changes_what_a_scheduler_is_shown_as(client: Client, lead: User, india: Cluster) -> None:
    client.force_login(lead)
    form = {"label": "Bloomington", "clusters": "all:", "shows_all": "on"}
    answer = client.post(f"/clusters/{india.pk}/settings/", form)
    assert answer.headers["Location"] == f"/clusters/{Cluster.objects.get().pk}/settings/"
    assert Queue.objects.values_list("cluster__name", flat=True).distinct().get() == "all"
    wrong = client.post(f"/clusters/{Cluster.objects.get().pk}/settings/", {"clusters": "One Two: batch"})
    assert (wrong.status_code, "cannot be a name" in wrong.content.decode()) == (400, True)


def test_switching_off_reading_and_removing(client: Client, lead: User, india: Cluster) -> None:
    client.force_login(lead)
    assert client.post(f"/clusters/{india.pk}/toggle/", headers=HTMX).status_code == 204
    refused = client.post(f"/clusters/{india.pk}/refresh/", headers=HTMX)
    assert (refused.status_code, "switched off" in json.loads(refused.content)["detail"]) == (409, True)
    assert client.get(f"/clusters/{india.pk}/").context["cluster"].word["state"] == "off"
    here = {**HTMX, "HX-Current-URL": f"http://testserver/clusters/{india.pk}/settings/"}
    assert client.post(f"/clusters/{india.pk}/remove/", headers=here).headers["HX-Redirect"] == "/clusters/"
    assert not Scheduler.objects.exists()


def test_many_clusters_cost_what_few_do(web: Client, india: Cluster, project: Project, lead: User) -> None:
    counts = []
    for wave in range(2):
        for number in range(wave * 5):
            factories.make_scheduler(project, lead, f"more{number}")
        counts.append(statements(web, "/clusters/"))
    assert counts[0] == counts[1]


def statements(web: Client, path: str) -> int:
    web.get(path)  # what is looked at for the first time is read soon
    with CaptureQueriesContext(connection) as seen:
        assert web.get(path).status_code == 200
    return len(seen)
