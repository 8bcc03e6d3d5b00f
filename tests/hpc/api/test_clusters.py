"""Clusters, queues, nodes and schedulers over REST."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from hpc.models import Cluster, Queue, Scheduler
from projects.models import Project
from tests import factories
from tests.hpc.api.test_jobs import field_of
from tests.hpc.conftest import read_all
from tests.rest import Api

pytestmark = pytest.mark.django_db
Login = Callable[..., Api]
DEMO = {"world": "india", "username": "demo", "password": "demo"}


def names(api: Api, path: str, **query: object) -> list[str]:
    return [row["name"] for row in api.get(path, query).results]


def test_a_queue_manager_is_shown_as_its_clusters(api: Login, cluster: Cluster, member: User) -> None:
    asking = api(member)
    assert names(asking, "clusters/") == ["delta", "india"]
    assert names(asking, "queues/", cluster="delta") == ["delta", "delta-long"]
    told = asking.get("clusters/india/")
    assert {queue["name"] for queue in told["queues"]} == {"batch", "debug", "gpu", "long"} & {
        queue["name"] for queue in told["queues"]
    }
    assert (told["scheduler"], told["state"], told["login"], told["is_shared"]) == ("india", "active", "demo", True)
    assert sum(told["nodes"].values()) == len(names(asking, "nodes/", cluster="india", page_size=1000))
    assert {deed["name"] for deed in told["abilities"]} >= {"cancel", "forecast"}
    missing = asking.get("clusters/indai/")
    assert (missing.status, "Did you mean india" in missing.detail) == (404, True)


def test_nodes_and_queues_are_narrowed(api: Login, cluster: Cluster, member: User) -> None:
    asking = api(member)
    [name, *_] = names(asking, "nodes/", cluster="india")
    assert names(asking, "nodes/", name=name) == [name]
    assert names(asking, "nodes/", queue="no-such") == []
    [node] = asking.get("nodes/", {"name": name}).results
    assert asking.get(f"nodes/{node['id']}/")["native"]
    [queue] = asking.get("queues/", {"name": "batch"}).results
    assert (asking.get(f"queues/{queue['id']}/")["native"] != {}, queue["cluster"]) == (True, "india")
    assert asking.get("nodes/", {"state": "sleepy"}).status == 400


def test_how_busy_it_was_is_told(api: Login, cluster: Cluster, member: User) -> None:
    points = api(member).get("clusters/india/loads/", {"hours": 1}).results
    assert points[-1].keys() == {"at", "running", "waiting", "cores_used", "cores"}
    refused = api(member).get("clusters/india/loads/", {"hours": "many"})
    assert (refused.status, refused["field"]) == (400, "hours")


def test_lists_ask_a_constant_number_of_questions(
    api: Login, registered: Scheduler, project: Project, member: User
) -> None:
    asking = api(member)
    for path in ("clusters/", "queues/", "nodes/", "jobs/", "schedulers/", "experiments/", "templates/"):
        asking.get(path)
        with CaptureQueriesContext(connection) as few:
            asking.get(path)
        for number in range(3):
            other = factories.make_scheduler(project, member, f"{path[:3]}{number}")
            for _ in range(3):
                factories.make_job(other, project=project, owner=member)
        asking.get(path)  # what is looked at for the first time is read soon
        with CaptureQueriesContext(connection) as many:
            asking.get(path)
        assert len(many) <= min(len(few), 12), (path, [query["sql"][:120] for query in many])


def test_the_life_of_a_scheduler(api: Login, hpc_world: object, project: Project, lead: User) -> None:
    asking = api(lead)
    wish = {"name": "mine", "driver": "simulator", "credential": DEMO, "clusters": {"d": ["delta*"], "rest": []}}
    made = asking.post("schedulers/", wish)
    assert (made.status, made["scheduler"]["state"], made["operation"]["kind"]) == (
        202,
        "verifying",
        "scheduler.verify",
    )
    factories.do_all_work()
    read_all(Scheduler.objects.get(name="mine"))
    assert names(asking, "clusters/", scheduler="mine") == ["d", "rest"]
    whole = asking.get("schedulers/mine/")
    assert (whole["clusters"], whole["endpoint"]["world"]) == ({"d": ["delta*"], "rest": []}, "india")
    assert "demo" not in str(whole["endpoint"].get("password", ""))
    changed = asking.change("schedulers/mine/", {"label": "Mine", "clusters": {"all": []}, "is_enabled": False})
    assert (changed["label"], changed["clusters"], changed["is_enabled"]) == ("Mine", {"all": []}, False)
    assert asking.post("schedulers/mine/refresh/").status == 409
    assert asking.post("schedulers/mine/credential/", {"credential": DEMO}).status == 202
    factories.do_all_work()
    assert asking.delete("schedulers/mine/").status == 204
    assert names(asking, "schedulers/") == []


def test_what_is_wrong_is_told_and_nothing_is_half_done(
    api: Login, registered: Scheduler, project: Project, lead: User
) -> None:
    asking = api(lead)
    for wish, field in (
        ({"name": "No!", "driver": "simulator", "credential": DEMO}, "name"),
        ({"name": "x", "driver": "slrum"}, "driver"),
        ({"name": "x", "driver": "slurm", "way": "pigeon"}, "way"),
        ({"name": "x", "driver": "simulator", "credential": DEMO, "clusters": {"a": [], "b": []}}, "clusters"),
        ({"name": "x", "driver": "simulator", "credential": DEMO, "clusters": ["a"]}, "clusters"),
    ):
        refused = asking.post("schedulers/", wish)
        assert (refused.status, field_of(refused)) == (400, field), refused.body
    assert asking.post("schedulers/", {"name": "x", "driver": "slurm", "way": "local"}).status == 403
    refused = asking.change("schedulers/india/", {"is_enabled": False, "clusters": {}})
    assert refused.status == 400
    assert asking.get("schedulers/india/")["is_enabled"]


def test_who_one_is_at_a_scheduler(api: Login, project: Project, member: User, admin: User) -> None:
    scheduler = factories.make_scheduler(project, member, facts={"world": "india"})
    asking = api(member)
    missing = asking.get("schedulers/india/login/")
    assert (missing.status, "cm hpc login set india NAME" in missing.detail) == (404, True)
    said = asking.ask("PUT", "schedulers/india/login/", {"name": "gregor", "credential": {"password": "secret"}})
    assert (said.status, said["login"]["name"], said["operation"]["kind"]) == (202, "gregor", "login.verify")
    assert "secret" not in str(asking.get("schedulers/india/login/").body)
    assert asking.ask("PUT", "schedulers/india/logins/gregor/", {"name": "g"}).status == 403
    assert api(admin).ask("PUT", "schedulers/india/logins/gregor/", {"name": "greg"})["is_mapped"]
    assert asking.get("schedulers/india/login/")["name"] == "greg"
    assert asking.delete("schedulers/india/login/").status == 204
    assert scheduler.logins.count() == 0


def test_who_needs_no_login_of_their_own_is_told_so(api: Login, registered: Scheduler, member: User) -> None:
    told = api(member).get("schedulers/india/login/")
    assert (told.status, "everybody's jobs run as demo" in told.detail) == (404, True)
    Scheduler.objects.update(identity="mapped")
    assert api(member).get("schedulers/india/login/")["name"] == member.username
    registered.logins.all().delete()
    User.objects.filter(pk=member.pk).update(username="0-is-none")
    told = api(User.objects.get(pk=member.pk)).get("schedulers/india/login/")
    assert (told.status, "ask one" in told.detail) == (404, True)


def test_the_kinds_of_schedulers_and_their_ways(api: Login, member: User) -> None:
    kinds = {kind["name"]: kind for kind in api(member).get("scheduler-drivers/").results}
    ways = {way["name"]: {field["name"] for field in way["fields"]} for way in kinds["slurm"]["ways"]}
    assert ways["ssh"] >= {"host", "key"}
    assert ways["rest"] >= {"url", "token"}
    own = {way["name"]: [field["name"] for field in way["own"]] for way in kinds["slurm"]["ways"]}
    assert own == {"local": [], "ssh": ["key", "passphrase"], "rest": ["token"]}


def test_strangers_see_what_is_shared_alone(api: Login, registered: Scheduler, stranger: User) -> None:
    asking = api(stranger)
    assert names(asking, "clusters/") == ["delta", "india"]
    assert asking.get("schedulers/india/")["endpoint"] is None
    Scheduler.objects.update(is_shared=False)
    assert names(asking, "clusters/") == names(asking, "queues/") == names(asking, "nodes/") == []
    assert asking.get("clusters/india/").status == 404


def test_a_filter_that_means_nothing_is_not_taken_for_none(api: Login, registered: Scheduler, member: User) -> None:
    asking = api(member)
    assert names(asking, "clusters/", scheduler=str(registered.pk), project="fg101") == ["delta", "india"]
    for path, query in (
        ("clusters/", {"scheduler": "indai"}),
        ("clusters/", {"project": "fg102"}),
        ("nodes/", {"scheduler": "indai"}),
        ("nodes/", {"cluster": "indai"}),
        ("queues/", {"cluster": "indai"}),
    ):
        refused = asking.get(path, query)
        assert (refused.status, len(refused["near"]) > 0) == (404, True), (path, query)
    assert asking.get("clusters/india/loads/", {"hours": "9" * 5000}).status == 400


def test_one_cluster_asks_a_constant_number_of_questions(api: Login, registered: Scheduler, member: User) -> None:
    asking, cluster = api(member), registered.clusters.get(name="india")
    asking.get("clusters/india/")
    with CaptureQueriesContext(connection) as few:
        asking.get("clusters/india/")
    for number in range(9):
        Queue.objects.create(scheduler=registered, cluster=cluster, name=f"more-{number}", state="open")
    with CaptureQueriesContext(connection) as many:
        assert len(asking.get("clusters/india/")["queues"]) > 9
    assert len(few) == len(many)
