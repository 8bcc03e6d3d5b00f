"""Templates as pages: saved, chosen for a job, with what is locked kept."""

import json

import pytest
from django.test import Client

from accounts.models import User
from hpc import services
from hpc.models import Cluster, Job, Template
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SAVED = {
    "name": "blast", "script": 'blast -n "$threads" -m "$mode"', "walltime": "2h", "memory": "4G", "queue": "long",
    "p_name": ["threads", "mode", ""], "p_type": ["integer", "choice", "text"], "p_label": ["Threads", "", ""],
    "p_default": ["8", "fast", ""], "p_limits": ["1..64", "fast, exact", ""],
}  # fmt: skip


@pytest.fixture
def blast(web: Client, india: Cluster, project: Project) -> Template:
    assert web.post("/jobs/templates/save/", SAVED).headers["Location"] == "/jobs/submit/?template=blast"
    return Template.objects.get()


def test_what_was_typed_is_saved_and_shown_again(web: Client, blast: Template) -> None:
    assert blast.wanted == {"walltime": 7200, "memory": 4096, "queue": "long"}
    assert blast.parameters == [
        {"name": "threads", "type": "integer", "label": "Threads", "default": "8", "least": 1, "most": 64},
        {"name": "mode", "type": "choice", "default": "fast", "choices": ["fast", "exact"]},
    ]
    context = web.get("/jobs/templates/save/?template=blast").context
    assert [row.get("limits") for row in context["rows"]][:2] == ["1..64", "fast, exact"]
    assert dict(context["wanted"])["walltime"] == "2:00:00"
    assert [str(each) for each in web.get("/jobs/templates/").context["templates"]] == ["blast"]


@pytest.mark.parametrize("wrong", [{"p_limits": ["few", "a", ""]}, {"p_name": ["1x", "m", ""]}, {"name": "Über"}])
def test_what_cannot_be_saved_is_told_and_stays_typed(web: Client, india: Cluster, wrong: dict[str, object]) -> None:
    answer = web.post("/jobs/templates/save/", SAVED | wrong)
    assert answer.status_code == 400
    assert answer.context["said"]["script"] == SAVED["script"]
    assert not Template.objects.exists()


def test_a_job_is_made_of_a_template(web: Client, blast: Template) -> None:
    page = web.get("/jobs/submit/?template=blast&cluster=india").context
    assert [(each["field"], each["value"]) for each in page["parameters"]] == [
        ("value_threads", "8"), ("value_mode", "fast"),
    ]  # fmt: skip
    assert page["said"]["walltime"] == "2:00:00"
    form = {"template": "blast", "cluster": "india", "queue": "long", "value_threads": "4", "value_mode": "exact"}
    assert "submitted at once" in web.get("/jobs/submit/plan/", form).content.decode()
    web.post("/jobs/submit/", form, headers=HTMX)
    job = Job.objects.get()
    assert (job.name, job.queue, job.walltime) == ("blast", "long", 7200)
    assert "export threads=4" in job.script
    wrong = web.post("/jobs/submit/", form | {"value_threads": "99"}, headers=HTMX)
    assert (wrong.status_code, json.loads(wrong.content)["field"]) == (400, "value_threads")


def test_what_is_locked_cannot_be_said(web: Client, india: Cluster, project: Project, lead: User) -> None:
    services.save_template(
        actor=lead, project=project, name="safe", script="run", locked=["queue", "n"], wanted={"queue": "batch"},
        parameters=[{"name": "n", "default": "1"}],
    )  # fmt: skip
    page = web.get("/jobs/submit/?template=safe&cluster=india").content.decode()
    assert 'name="queue" disabled' in page
    form = {"template": "safe", "cluster": "india"}
    assert web.post("/jobs/submit/", form | {"queue": "long"}, headers=HTMX).status_code == 403
    assert web.post("/jobs/submit/", form | {"value_n": "2"}, headers=HTMX).status_code == 403
    assert web.post("/jobs/submit/", form, headers=HTMX).status_code == 204


def test_a_job_becomes_a_template(web: Client, india: Cluster, project: Project, member: User) -> None:
    job = factories.make_job(
        india.scheduler, cluster=india, project=project, owner=member, tasks=4, cores=8, script="x"
    )
    said = web.get(f"/jobs/templates/save/?job={job.pk}").context["said"]
    assert (said["script"], said["tasks"], said["cores"], said["cluster"]) == ("x", "4", "2", "india")


def test_templates_are_removed_by_those_who_may(client: Client, web: Client, blast: Template, stranger: User) -> None:
    client.force_login(stranger)
    assert client.post(f"/jobs/templates/{blast.pk}/remove/", headers=HTMX).status_code == 404
    client.force_login(blast.owner)
    assert client.post(f"/jobs/templates/{blast.pk}/remove/", headers=HTMX).status_code == 204
    assert not Template.objects.exists()
