"""Jobs as a list and a page, and what is done about them."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from hpc.models import Cluster, Job
from operations.models import Operation
from projects.models import Project
from tests import factories
from tests.hpc.conftest import read_all

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def job(india: Cluster, project: Project, member: User) -> Job:
    return factories.make_job(india.scheduler, "train", cluster=india, project=project, owner=member, state="running")


def wish() -> Operation:
    return Operation.objects.latest("created_at")


def names(web: Client, query: str = "") -> list[str]:
    return sorted(job.name for job in web.get(f"/jobs/{query}").context["jobs"])


def test_jobs_are_filtered_by_what_is_in_the_url(web: Client, india: Cluster, job: Job) -> None:
    delta = Cluster.objects.get(name="delta")
    factories.make_job(india.scheduler, "ended", cluster=india, state="failed", queue="long", login="ada")
    factories.make_job(india.scheduler, "gpu", cluster=delta, queue="delta")
    assert names(web) == ["ended", "gpu", "train"]
    assert names(web, "?owner=me") == ["train"]
    assert names(web, "?state=live") == ["gpu", "train"]
    assert names(web, "?state=ended") == names(web, "?state=failed") == names(web, "?queue=long") == ["ended"]
    assert names(web, "?cluster=delta") == ["gpu"]
    assert names(web, "?q=ada") == ["ended"]
    assert names(web, f"?q={job.provider_id}") == ["train"]
    assert names(web, f"?project={job.project}") == ["train"]
    assert [job.name for job in web.get(f"/clusters/{delta.pk}/jobs/").context["jobs"]] == ["gpu"]


def test_many_jobs_cost_what_few_do(web: Client, india: Cluster, project: Project, member: User, job: Job) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as seen:
            web.get("/jobs/")
        counts.append(len(seen))
        for _ in range(20):
            factories.make_job(india.scheduler, cluster=india, project=project, owner=member)
    assert counts[0] == counts[1]


def test_a_job_tells_why_it_waits_and_what_can_be_done(web: Client, india: Cluster, project: Project) -> None:
    owner = User.objects.get(username="member") if User.objects.filter(username="member").exists() else None
    job = factories.make_job(
        india.scheduler, cluster=india, project=project, owner=owner, state_reason="It waits for 4 free nodes."
    )
    page = web.get(f"/jobs/{job.pk}/")
    assert "It waits for 4 free nodes." in page.content.decode()


def test_an_action_is_asked_for_and_one_that_makes_no_sense_is_refused(web: Client, job: Job) -> None:
    answer = web.post(f"/jobs/{job.pk}/cancel/", headers=HTMX)
    assert json.loads(answer.headers["HX-Trigger"])["toast"]["title"] == "Cancelling train"
    assert (wish().kind, wish().target_id) == ("job.cancel", job.pk)
    refused = web.post(f"/jobs/{job.pk}/release/", headers=HTMX)
    assert (refused.status_code, "is running" in json.loads(refused.content)["detail"]) == (409, True)
    assert web.post(f"/jobs/{job.pk}/explode/").status_code == 400
    assert web.get(f"/jobs/{job.pk}/cancel/").status_code == 405


def test_several_at_once(web: Client, india: Cluster, project: Project, member: User) -> None:
    jobs = [factories.make_job(india.scheduler, cluster=india, project=project, owner=member) for _ in range(3)]
    form: dict[str, Any] = {"action": "hold", "jobs": [str(job.pk) for job in jobs]}
    answer = web.post("/jobs/bulk/", form, headers=HTMX)
    assert json.loads(answer.headers["HX-Trigger"])["toast"]["title"] == "Holding 3 jobs"
    assert web.post("/jobs/bulk/", {"action": "hold"}, headers=HTMX).status_code >= 400


def test_nobody_acts_on_what_is_somebody_elses(web: Client, india: Cluster, project: Project, lead: User) -> None:
    theirs = factories.make_job(india.scheduler, cluster=india, project=project, owner=lead)
    nobodys = factories.make_job(india.scheduler, cluster=india)
    for job in (theirs, nobodys):
        assert web.get(f"/jobs/{job.pk}/").context["may_read"] is False
        for path, form in (
            (f"/jobs/{job.pk}/cancel/", {}),
            (f"/jobs/{job.pk}/read/output/", {}),
            ("/jobs/bulk/", {"action": "cancel", "jobs": [str(job.pk)]}),
        ):
            assert web.post(path, form, headers=HTMX).status_code == 403, path
    assert not Operation.objects.filter(kind__startswith="job").exists()


def test_where_jobs_are_not_shown_to_all_others_are_not_there(
    client: Client, stranger: User, india: Cluster, project: Project, member: User
) -> None:
    job = factories.make_job(india.scheduler, cluster=india, project=project, owner=member)
    client.force_login(stranger)
    assert client.get(f"/jobs/{job.pk}/").status_code == 200
    india.scheduler.shows_all = False
    india.scheduler.save()
    assert client.get(f"/jobs/{job.pk}/").status_code == 404
    assert client.get(f"/jobs/{job.pk}/row/").status_code == 204


def test_what_a_job_wrote_comes_part_by_part(web: Client, india: Cluster, project: Project) -> None:
    asked = {"cluster": "india", "script": "echo one\necho two", "walltime": "10m"}
    page = web.post("/jobs/submit/", asked, headers=HTMX).headers["HX-Redirect"]
    factories.run(wish().pk)
    read_all(india.scheduler)
    waiting = web.post(f"{page}read/output/", headers=HTMX).content.decode()
    reading = wish()
    assert (reading.kind, f"operation:{reading.pk}" in waiting) == ("job.read", True)
    assert f"operation:{reading.pk}" in web.get(f"/jobs/parts/{reading.pk}/").content.decode()
    factories.run(reading.pk)
    part = web.get(f"/jobs/parts/{reading.pk}/")
    assert part.status_code == 200
    assert "Look for more" in part.content.decode()


def test_a_part_of_a_job_of_somebody_else_is_not_shown(
    web: Client, client: Client, india: Cluster, job: Job, lead: User, member: User
) -> None:
    web.post(f"/jobs/{job.pk}/read/output/", headers=HTMX)
    reading = wish()
    other = factories.make_user("other")
    client.force_login(other)
    assert client.get(f"/jobs/parts/{reading.pk}/").status_code == 404


@pytest.mark.parametrize(("which", "offset"), [("diary", "0"), ("output", "many")])
def test_only_its_files_are_read(web: Client, job: Job, which: str, offset: str) -> None:
    answer = web.post(f"/jobs/{job.pk}/read/{which}/", {"offset": offset}, headers=HTMX)
    assert answer.status_code in (200, 400)
    assert not Operation.objects.filter(kind="job.read").exists()
