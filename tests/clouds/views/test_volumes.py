"""Volumes and limits as pages: listing, making, attaching, detaching, deleting."""

import json
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from clouds.models import CloudAccount, Volume
from operations.models import Operation
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
Work = Callable[[], None]


@pytest.fixture
def web(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def names(web: Client, query: str = "") -> list[str]:
    return sorted(volume.name for volume in web.get(f"/volumes/{query}").context["volumes"])


def toast(answer: HttpResponse) -> str:
    assert answer.status_code == 204, answer.content
    return str(json.loads(answer.headers["HX-Trigger"])["toast"]["title"])


def test_the_list_is_filtered_by_what_is_in_its_address(
    web: Client, account: CloudAccount, member: User, project: Project
) -> None:
    factories.make_account(project, member, "sierra")
    server = factories.boot(account, member, name="web")
    for name, wanted in (("data1", {"server": server}), ("data2", {}), ("log", {"cloud": "sierra"})):
        factories.make_volume(account, member, name, **wanted)
    assert names(web) == ["data1", "data2", "log"]
    assert names(web, "?cloud=sierra") == ["log"]
    assert names(web, "?state=in-use") == ["data1"]
    assert names(web, "?q=data&sort=-size&owner=me") == ["data1", "data2"]
    page = web.get("/volumes/").content.decode()
    assert "cm volume list" in page
    assert f'href="/servers/{server.pk}/"' in page


def test_a_volume_is_made_from_its_dialog(web: Client, account: CloudAccount, member: User, work: Work) -> None:
    server = factories.boot(account, member, name="web")
    dialog = web.get("/volumes/new/?server=web").content.decode()
    assert "web on india" in dialog
    assert '<option value="web" selected' in dialog
    form = {"name": "data[1-2]", "size": "5", "count": "", "cloud": "", "server": "web"}
    assert toast(web.post("/volumes/new/", form, headers=HTMX)) == "Making 2 volumes"
    work()
    assert {v.server_provider_id for v in Volume.objects.all()} == {server.provider_id}
    panel = web.get(f"/servers/{server.pk}/volumes/").content.decode()
    assert ("data1" in panel, "/dev/vdb" in panel, "Detach…" in panel) == (True, True, True)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "data", "size": "big"}, "The size should be a number"),
        ({"name": "data", "size": ""}, "The size should be a number"),
        ({"name": "data", "size": "0"}, "1 to 1,000,000"),
        ({"name": "", "size": "1"}, "Give the volume a name"),
        ({"name": "data", "size": "1", "count": "x"}, "How many should be a number"),
        ({"name": "data", "size": "1", "server": "nobody"}, "nobody"),
    ],
)
def test_a_wrong_wish_is_explained(web: Client, account: CloudAccount, form: dict[str, str], said: str) -> None:
    answer = web.post("/volumes/new/", form, headers=HTMX)
    assert answer.status_code in (400, 404, 422)
    assert said in answer.content.decode()
    assert not Volume.objects.exists()


def test_its_menu_attaches_detaches_and_deletes(web: Client, account: CloudAccount, member: User, work: Work) -> None:
    factories.boot(account, member, name="web")
    volume = factories.make_volume(account, member, "data")
    here = f"/volumes/{volume.pk}/"
    assert "<option" in web.get(f"{here}attach/").content.decode()
    assert toast(web.post(f"{here}attach/", {"server": "web", "device": "/dev/vdc"}, headers=HTMX)) == "Attaching data"
    work()
    page = web.get(here).content.decode()
    assert ("/dev/vdc" in page, "in-use" in page, "cm volume show data" in page) == (True, True, True)
    assert "detach it first" in web.get(f"{here}row/").content.decode()
    assert web.post(f"{here}delete/", headers=HTMX).status_code == 409
    assert toast(web.post(f"{here}detach/", headers=HTMX)) == "Detaching data"
    work()
    assert toast(web.post(f"{here}delete/", headers=HTMX)) == "Deleting data"
    work()
    assert web.get(f"{here}row/").status_code == 204
    assert web.get(f"{here}explode/").status_code in (400, 404)
    assert web.post(f"{here}explode/").status_code == 404


def test_many_are_deleted_at_once(web: Client, account: CloudAccount, member: User) -> None:
    chosen = [str(factories.make_volume(account, member).pk) for _ in range(2)]
    said = toast(web.post("/volumes/bulk/", {"deed": "delete", "volumes": chosen}, headers=HTMX))
    assert said == "Deleting 2 volumes"
    assert Operation.objects.filter(kind="volume.delete", is_batch=False).count() == 2


def test_strangers_see_none(client: Client, stranger: User, account: CloudAccount, member: User) -> None:
    volume = factories.make_volume(account, member, "data")
    client.force_login(stranger)
    assert client.get(f"/volumes/{volume.pk}/").status_code == 404
    assert client.post(f"/volumes/{volume.pk}/delete/").status_code == 404
    assert names(client) == []
    assert client.get("/limits/").context["rows"] == []


def test_limits_of_all_clouds_are_one_table(web: Client, account: CloudAccount, member: User, project: Project) -> None:
    factories.make_account(project, member, "sierra")
    page = web.get("/limits/")
    assert [str(row["account"]) for row in page.context["rows"]] == ["india", "sierra"]
    assert page.context["resources"][:5] == ["instances", "cores", "ram", "volumes", "disk"]
    text = page.content.decode()
    assert ("0 of 150" in text, "0 GiB of 3000 GiB" in text, "All together" in text) == (True, True, True)
    cloud = web.get(f"/clouds/{account.pk}/").content.decode()
    assert "volumes: 0 of 20" in cloud


def test_a_cloud_without_volumes_says_so_on_its_page_and_is_not_offered(
    web: Client, account: CloudAccount, member: User
) -> None:
    CloudAccount.objects.filter(pk=account.pk).update(lacks={"volumes": "This cloud has no block storage."})
    assert "no block storage" in web.get(f"/clouds/{account.pk}/").content.decode()
    assert '<option value="india"' not in web.get("/volumes/new/").content.decode()
