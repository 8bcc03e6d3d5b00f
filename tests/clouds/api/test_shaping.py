"""Labels over REST: set, removed, shown, and filtered by."""

from collections.abc import Callable

from accounts.models import User
from clouds.models import CloudAccount
from tests import factories
from tests.rest import Api

Login = Callable[..., Api]


def test_labels_are_booted_with_shown_and_filtered_by(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)
    booted = asking.post("servers/", {"name": "web[1-2]", "labels": {"stage": "prod"}})
    assert (booted.status, booted["servers"][0]["labels"]) == (202, {"stage": "prod"})
    asking.post("servers/", {"name": "db"})
    assert {server["name"] for server in asking.get("servers/", {"label": "stage=prod"}).results} == {"web1", "web2"}
    assert asking.get("servers/", {"label": "stage=trial"}).results == []
    assert "has no key" in asking.get("servers/", {"label": "=prod"}).detail


def test_labels_of_one_and_of_many_are_changed(api: Login, account: CloudAccount, member: User) -> None:
    for name in ("web1", "web2"):
        factories.boot(account, member, name=name)
    asking = api(member)
    many = asking.post("servers/labels/", {"servers": ["web[1-2]"], "labels": {"stage": "prod", "tier": "web"}})
    assert (many.status, many["operation"]["is_batch"]) == (202, True)
    factories.do_all_work()
    one = asking.post("servers/web2/label/", {"remove": ["tier"]})
    assert (one.status, one["operation"]["kind"]) == (202, "server.label")
    factories.do_all_work()
    assert asking.get("servers/web1/")["labels"] == {"stage": "prod", "tier": "web"}
    assert asking.get("servers/web2/")["labels"] == {"stage": "prod"}


def test_labels_that_are_no_text_or_the_portals_own_are_refused(
    api: Login, account: CloudAccount, member: User
) -> None:
    factories.make_server(account, member, "web")
    asking = api(member)
    for body, words in (
        ({"labels": {"stage": 3}}, "must be text"),
        ({"labels": ["stage"]}, "must be an object"),
        ({"labels": {"cloudmesh_owner": "me"}}, "The portal itself writes"),
        ({}, "at least one label"),
    ):
        answer = asking.post("servers/web/label/", body)
        assert (answer.status, words in str(answer.body)) == (400, True), answer.body


def test_a_server_is_resized_snapshotted_and_read_anew(api: Login, account: CloudAccount, member: User) -> None:
    for name in ("web1", "web2"):
        factories.boot(account, member, name=name, flavor="m1.small")
    asking = api(member)
    assert asking.post("servers/web1/resize/", {"flavor": "m1.medium"}).status == 202
    factories.do_all_work()
    both = asking.post("servers/resize/", {"servers": ["web*"], "flavor": "m1.large"})
    assert (both.status, both["operation"]["is_batch"], len(both["servers"])) == (202, True, 2)
    factories.do_all_work()
    told = asking.get("servers/web2/")
    assert (told["flavor"], told["cores"], told["ram"], told["state"]) == ("m1.large", 4, 8192, "active")
    assert "has the flavor m1.large already" in asking.post("servers/web1/resize/", {"flavor": "m1.large"}).detail
    assert asking.post("servers/web1/refresh/").status == 202
    assert asking.post("servers/web1/snapshot/", {"name": "golden"})["operation"]["kind"] == "server.snapshot"


def test_own_images_are_listed_and_deleted(api: Login, account: CloudAccount, member: User) -> None:
    factories.boot(account, member, name="web")
    asking = api(member)
    for name in ("first", "second"):
        asking.post("servers/web/snapshot/", {"name": name})
        factories.do_all_work()
    own = asking.get("images/", {"own": "true"}).results
    assert {image["name"]: image["own"] for image in own} == {"first": True, "second": True}
    assert asking.delete(f"images/{own[0]['id']}/")["operation"]["kind"] == "image.delete"
    assert asking.post("images/bulk/", {"action": "delete", "images": [own[1]["id"]]}).status == 202
    factories.do_all_work()
    assert asking.get("images/", {"own": "true"}).results == []
    foreign = asking.get("images/", {"own": "false"}).results[0]
    assert asking.delete(f"images/{foreign['id']}/").status == 403, "nobody's own: for leads, who are told why not"
    assert "true or false" in asking.get("images/", {"own": "perhaps"}).detail
