"""Submitting a job from its page."""

import json

import pytest
from django.test import Client

from accounts.models import User
from hpc.models import Cluster, Job
from operations.models import Operation
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
ASKED = {"cluster": "india", "queue": "long", "script": "hostname", "nodes": "2", "walltime": "1-12:00:00"}


def test_the_page_offers_the_usual_cluster_and_its_default_queue(web: Client, india: Cluster) -> None:
    context = web.get("/jobs/submit/?cluster=india").context
    assert (str(context["cluster"]), str(context["queue"])) == ("india", "batch")
    assert {str(cluster) for cluster in context["clusters"]} == {"india", "delta"}


def test_without_a_cluster_it_says_what_to_do(web: Client, project: Project) -> None:
    page = web.get("/jobs/submit/").content.decode()
    assert "Nothing can be submitted yet" in page


def test_a_submission_leads_to_the_page_of_its_job(web: Client, india: Cluster, project: Project) -> None:
    answer = web.post("/jobs/submit/", ASKED | {"name": "; rm -rf ~", "memory": "4G"}, headers=HTMX)
    job = Job.objects.get()
    assert answer.headers["HX-Redirect"] == f"/jobs/{job.pk}/"
    assert (job.queue, job.nodes, job.walltime, job.name) == ("long", 2, 129_600, "; rm -rf ~")
    assert Operation.objects.get(kind="job.submit").params["memory"] == 4096
    assert web.post("/jobs/submit/", ASKED).headers["Location"].startswith("/jobs/")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"script": " "}, "script"),
        ({"walltime": "90"}, "walltime"),
        ({"walltime": "soon"}, "walltime"),
        ({"walltime": "9d"}, "walltime"),
        ({"nodes": "two"}, "nodes"),
        ({"nodes": "0"}, "nodes"),
        ({"nodes": "99"}, "nodes"),
        ({"cores": "-1"}, "cores"),
        ({"memory": "much"}, "memory"),
        ({"array": "1..5"}, "array"),
        ({"queue": "lunch"}, "queue"),
        ({"account": "a b"}, "account"),
        ({"after": "12345"}, "after"),
        ({"cluster": "nowhere"}, "cluster"),
    ],
)
def test_a_wish_that_cannot_be_is_told_at_its_field(
    web: Client, india: Cluster, form: dict[str, str], field: str
) -> None:
    answer = web.post("/jobs/submit/", ASKED | form, headers=HTMX)
    problem = json.loads(answer.content)
    assert answer.status_code in (400, 404)
    assert problem.get("field", "cluster") == field
    assert not Job.objects.exists()


def test_what_it_comes_to_is_told_before(web: Client, india: Cluster) -> None:
    assert "Write a command" in web.get("/jobs/submit/plan/").content.decode()
    page = web.get("/jobs/submit/plan/", ASKED | {"tasks": "4", "cores": "2"})
    assert page.context["plan"].resources["core_hours"] == 8 * 36
    assert "submitted at once" in page.content.decode()
    assert "is no time" in web.get("/jobs/submit/plan/", ASKED | {"walltime": "soon"}).content.decode()
    assert not Job.objects.exists()


def test_the_scheduler_is_asked_when_it_would_start(web: Client, india: Cluster) -> None:
    answer = web.post("/jobs/submit/forecast/", ASKED, headers=HTMX)
    wish = Operation.objects.get(kind="job.forecast")
    assert f"operation:{wish.pk}" in answer.content.decode()
    factories.run(wish.pk)
    assert "It would start" in web.get(f"/jobs/forecast/{wish.pk}/").content.decode()


def test_another_like_it_asks_for_the_same(web: Client, india: Cluster, project: Project, member: User) -> None:
    job = factories.make_job(
        india.scheduler, "train", cluster=india, project=project, owner=member, queue="long", tasks=4, cores=8,
        nodes=2, walltime=129_600, script="hostname",
    )  # fmt: skip
    said = web.get(f"/jobs/submit/?from={job.pk}").context["said"]
    assert (said["tasks"], said["cores"], said["nodes"], said["walltime"]) == ("4", "2", "2", "1-12:00:00")
    assert (said["script"], said["name"]) == ("hostname", "train")
    assert web.get("/jobs/submit/?from=nothing").status_code == 404
