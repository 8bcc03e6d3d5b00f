"""Jobs, experiments and templates over REST, on a simulated scheduler."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from hpc.drivers.simulator import control
from hpc.models import Cluster, Job, Scheduler
from projects.models import Project
from tests import factories
from tests.hpc.conftest import read_all
from tests.rest import Answer, Api

pytestmark = pytest.mark.django_db
Login = Callable[..., Api]


def names(api: Api, **query: object) -> list[str]:
    return sorted(job["name"] for job in api.get("jobs/", query).results)


def submitted(asking: Api, script: str = "sleep 1000", **wish: Any) -> Any:
    """The job as it is when its scheduler has it."""
    made = asking.post("jobs/", {"script": script, "cluster": "india", **wish})
    assert made.status == 202, made.body
    factories.do_all_work()
    read_all(Scheduler.objects.get())
    return asking.get(f"jobs/{made['jobs'][0]['id']}/").body


def field_of(refused: Answer) -> str:
    """The field that a problem is about."""
    return str(refused.body.get("field") or next(iter(refused.body.get("errors", {})), ""))


def result(asking: Api, asked: Answer) -> Any:
    assert asked.status == 202, asked.body
    factories.do_all_work()
    return asking.get(f"operations/{asked['operation']['id']}/")["result"]


def test_the_life_of_a_job(api: Login, cluster: Cluster, member: User) -> None:
    asking = api(member)
    made = asking.post("jobs/", {"command": "sleep 1000", "name": "train", "cluster": "india", "walltime": 600})
    assert (made.status, made["operation"]["kind"], made["jobs"][0]["state"]) == (202, "job.submit", "requested")
    factories.do_all_work()
    read_all(cluster.scheduler)
    job = asking.get("jobs/train/")
    assert (job["state"], job["owner"], job["project"], job["login"]) in [
        (state, "gregor", "fg101", "demo") for state in ("queued", "running")
    ]
    assert (job["experiment"], job["walltime"], "sleep 1000" in job["script"]) == (1, 600, True)
    assert asking.get(f"jobs/{job['provider_id']}/", {"cluster": "india"})["id"] == job["id"]
    assert asking.post(f"jobs/{job['id']}/cancel/").status == 202
    factories.do_all_work()
    read_all(cluster.scheduler)
    assert asking.get(f"jobs/{job['id']}/")["state"] == "cancelled"
    again = asking.post(f"jobs/{job['id']}/cancel/")
    assert (again.status, "is cancelled" in again.detail) == (409, True)
    nonsense = asking.post(f"jobs/{job['id']}/cancle/")
    assert (nonsense.status, "Did you mean cancel" in nonsense.detail) == (404, True)


def test_jobs_are_narrowed(api: Login, cluster: Cluster, member: User, lead: User) -> None:
    asking = api(member)
    first, second = submitted(asking, name="a-1"), submitted(asking, name="a-2", is_held=True)
    submitted(api(lead), name="b")
    assert names(asking, owner="me") == ["a-1", "a-2"]
    assert names(asking, owner="laszewski,me") == ["a-1", "a-2", "b"]
    assert names(asking, name="a-[1-2]", state="held") == ["a-2"]
    assert names(asking, id=f"{first['provider_id']},{second['id']}") == ["a-1", "a-2"]
    assert names(asking, state="live", cluster="delta") == []
    assert names(asking, search="a-", owner="me") == ["a-1", "a-2"]
    wrong = asking.get("jobs/", {"state": "runing"})
    assert (wrong.status, "Did you mean running" in wrong.detail) == (400, True)


def test_many_at_once(api: Login, cluster: Cluster, member: User, lead: User) -> None:
    asking = api(member)
    for name in ("a-1", "a-2"):
        submitted(asking, name=name, is_held=True)
    submitted(api(lead), name="b", is_held=True)
    asked = asking.post("jobs/bulk/", {"action": "release", "jobs": ["a-[1-2]"]})
    assert [job["name"] for job in asked["jobs"]] == ["a-1", "a-2"]
    factories.do_all_work()
    read_all(cluster.scheduler)
    assert names(asking, state="held") == ["b"]
    assert asking.post("jobs/bulk/", {"action": "cancel", "jobs": ["b"]}).status == 403
    assert asking.post("jobs/bulk/", {"action": "cancel", "jobs": []}).status == 400
    assert asking.post("jobs/bulk/", {"action": "cancel", "jobs": ["no-such"]}).status == 404


def test_what_it_would_come_to(api: Login, cluster: Cluster, member: User) -> None:
    asking = api(member)
    plan = asking.post("jobs/plan/", {"script": "true", "cluster": "india", "tasks": 2, "cores": 3, "walltime": 3600})
    assert (plan["outcome"], plan["login"], plan["resources"]["core_hours"]) == ("submits", "demo", 6)
    assert result(asking, asking.post("jobs/forecast/", {"script": "true", "cluster": "india"})).keys() >= {"start"}
    assert not Job.objects.filter(project__isnull=False).exists()


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, "script"),
        ({"script": "true", "command": "true"}, "command"),
        ({"script": "true", "queue": "no-such"}, "queue"),
        ({"script": "true", "nodes": "many"}, "nodes"),
        ({"script": "true", "after": ["999999"]}, "after"),
        ({"script": "true", "files": [{"path": "../x", "content": ""}]}, "files"),
        ({"script": "true", "files": [{"path": "x", "content": "%%%"}]}, "files"),
        ({"script": "true", "files": [{"path": "x"}]}, "files"),
        ({"script": "true", "if_down": "maybe"}, "if_down"),
        ({"script": "true", "walltme": 1}, "walltme"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(
    api: Login, cluster: Cluster, member: User, wish: dict[str, Any], field: str
) -> None:
    refused = api(member).post("jobs/", wish)
    assert (400 <= refused.status < 500, field_of(refused)) == (True, field), refused.body
    assert not Job.objects.filter(project__isnull=False).exists()


def test_files_go_up_and_come_down(api: Login, cluster: Cluster, hpc_world: control.World, member: User) -> None:
    control.set_speed(hpc_world, 1000)
    asking, content = api(member), bytes(range(256)) * 4000
    files = [{"path": "in/data.bin", "content": base64.b64encode(content).decode()}]
    job = submitted(asking, "echo hello\n", files=files)
    read_all(cluster.scheduler)
    found = result(asking, asking.post(f"jobs/{job['id']}/files/", {"path": "in"}))
    assert [(each["path"], each["size"]) for each in found["files"]] == [("in/data.bin", len(content))]
    part = result(asking, asking.post(f"jobs/{job['id']}/read/", {"path": "in/data.bin", "offset": -4, "raw": True}))
    assert (base64.b64decode(part["data"]), part["size"]) == (content[-4:], len(content))
    assert result(asking, asking.post(f"jobs/{job['id']}/read/", {"which": "output"}))["text"] == "hello\n"
    assert asking.post(f"jobs/{job['id']}/read/", {"path": "../../etc/passwd"}).status == 400


def test_what_is_inside_a_job_is_for_those_who_may(
    api: Login, cluster: Cluster, member: User, stranger: User, lead: User
) -> None:
    job = submitted(api(member), "echo secret\nsleep 1000\n")
    assert "secret" in api(lead).get(f"jobs/{job['id']}/")["script"]
    assert api(stranger).get(f"jobs/{job['id']}/")["script"] == ""
    assert api(stranger).post(f"jobs/{job['id']}/read/", {"which": "script"}).status == 403
    assert api(stranger).post(f"jobs/{job['id']}/cancel/").status == 403


def test_experiments_are_listed_and_removed_by_number(api: Login, cluster: Cluster, member: User, lead: User) -> None:
    asking = api(member)
    jobs = [submitted(asking, "true", is_held=True) for _ in range(2)]
    assert [each["number"] for each in asking.get("experiments/").results] == [2, 1]
    assert asking.get("experiments/1/")["job"] == jobs[0]["id"]
    busy = asking.post("experiments/remove/", {"numbers": ["1"]})
    assert (busy.status, "Cancel it first" in busy.detail) == (409, True)
    asking.post(f"jobs/{jobs[0]['id']}/cancel/")
    factories.do_all_work()
    read_all(cluster.scheduler)
    assert asking.post("experiments/remove/", {"numbers": ["1"]}).status == 202
    factories.do_all_work()
    assert [each["number"] for each in asking.get("experiments/").results] == [2]
    assert asking.post("experiments/remove/", {"numbers": []}).status == 404
    assert api(lead).get("experiments/").results == []
    assert asking.get("experiments/99999999999/").status == 404


def test_jobs_are_made_of_templates(api: Login, cluster: Cluster, project: Project, member: User, lead: User) -> None:
    template = {
        "name": "train", "script": "echo $SIZE\nsleep 1000\n", "wanted": {"cluster": "india", "queue": "batch"},
        "parameters": [{"name": "SIZE", "type": "integer", "default": 3, "least": 1, "most": 9}], "locked": ["queue"],
    }  # fmt: skip
    assert api(member).post("templates/", template).status == 403
    assert api(lead).post("templates/", template).status == 201
    asking = api(member)
    assert asking.get("templates/train/")["locked"] == ["queue"]
    made = asking.post("jobs/", {"template": "train", "values": {"SIZE": 5}, "tasks": 2})
    job = asking.get(f"jobs/{made['jobs'][0]['id']}/")
    assert ("export SIZE=5" in job["script"], job["name"], job["queue"], job["tasks"]) == (True, "train", "batch", 2)
    for wish, status in (
        ({"values": {"SIZE": 99}}, 400),
        ({"values": {"SIEZ": 1}}, 400),
        ({"queue": "debug"}, 403),
        ({"values": [1]}, 400),
    ):
        assert asking.post("jobs/", {"template": "train", **wish}).status == status, wish
    assert asking.delete("templates/train/").status == 403
    assert api(lead).delete("templates/train/").status == 204


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": [{"name": "SIZE", "type": "integer", "least": "one"}]},
        {"parameters": [{"name": "SIZE", "type": "choice", "choices": 5}]},
        {"parameters": [{"name": "SIZE", "default": {"a": 1}}]},
        {"parameters": [{"name": "no name"}]},
        {"wanted": {"nodes": "two"}},
        {"wanted": {"queue": 7}},
        {"wanted": {"speed": 7}},
        {"locked": ["speed"]},
        {"script": ""},
    ],
)
def test_a_template_that_cannot_be_is_not_kept(
    api: Login, project: Project, lead: User, change: dict[str, Any]
) -> None:
    asking = api(lead)
    refused = asking.post("templates/", {"name": "train", "script": "true", **change})
    assert (refused.status, field_of(refused)) == (400, next(iter(change)))
    assert asking.post("templates/", {"name": "train", "script": "true", "label": "Train"}).status == 201
    refused = asking.change("templates/train/", change)
    assert (refused.status, field_of(refused)) == (400, next(iter(change)))
    told = asking.get("templates/train/", {"fields": "name,label,parameters"})
    assert told.body == {"name": "train", "label": "Train", "parameters": []}


def test_some_of_a_template_is_changed(api: Login, project: Project, member: User, lead: User) -> None:
    asking, wanted = api(lead), {"queue": "batch", "nodes": 2}
    asking.post("templates/", {"name": "train", "script": "true", "wanted": wanted, "locked": ["queue"]})
    changed = asking.change("templates/train/", {"label": "Train"})
    assert (changed.status, changed["label"], changed["wanted"], changed["locked"]) == (200, "Train", wanted, ["queue"])
    assert api(member).change("templates/train/", {"label": "x"}).status == 403
    assert asking.get("templates/train/", {"project": "no-such"}).status == 404


def test_an_id_that_two_schedulers_gave_is_not_guessed(
    api: Login, cluster: Cluster, project: Project, member: User
) -> None:
    asking, other = api(member), factories.make_scheduler(project, member, "sierra")
    Job.objects.all().delete()
    mine = {"project": project, "owner": member, "provider_id": "77"}
    factories.make_job(cluster.scheduler, "old", **mine, state="completed")
    job = factories.make_job(cluster.scheduler, "new", **mine, cluster=cluster)
    assert asking.get("jobs/77/")["name"] == "new"
    there = factories.make_job(other, "there", **mine)
    told = asking.get("jobs/77/")
    assert (told.status, "india and sierra" in told.detail) == (400, True)
    for refused in (
        asking.post("jobs/77/cancel/"),
        asking.post("jobs/bulk/", {"action": "cancel", "jobs": ["77"]}),
    ):
        assert (refused.status, refused["type"]) == (400, "/docs/errors/ambiguous")
    assert asking.get("jobs/77/", {"cluster": "india", "fields": "id"}).body == {"id": str(job.pk)}
    assert asking.get("jobs/77/", {"cluster": "sierra"})["id"] == str(there.pk)
    asked = asking.post("jobs/bulk/", {"action": "cancel", "jobs": ["77"], "cluster": "sierra"})
    assert [each["name"] for each in asked["jobs"]] == ["there"]


def test_experiments_are_narrowed_by_what_there_is(api: Login, cluster: Cluster, member: User) -> None:
    asking = api(member)
    submitted(asking, "true", is_held=True)
    for query, numbers in (({"state": "live"}, [1]), ({"state": "failed"}, []), ({"cluster": "india"}, [1])):
        assert [each["number"] for each in asking.get("experiments/", query).results] == numbers
    misspelt = asking.get("experiments/", {"state": "runing"})
    assert (misspelt.status, "Did you mean running" in misspelt.detail) == (400, True)
    assert asking.get("experiments/", {"cluster": "indai"})["near"][0] == "india"
