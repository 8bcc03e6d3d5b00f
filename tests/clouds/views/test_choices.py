"""The page of defaults: the same permissions as the shell's, and both set the same."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from clouds.models import CloudAccount, Default, Server
from tests.factories import make_server
from tests.rest import Api

pytestmark = pytest.mark.django_db
Login = Callable[..., Api]


@pytest.fixture
def page(client: Client) -> Callable[..., str]:
    """The page of a scope as somebody sees it."""

    def read(user: User, scope: str = "own") -> str:
        client.force_login(user)
        return client.get("/defaults/", {"scope": scope}).content.decode()

    return read


def post(client: Client, user: User, **values: str) -> int:
    client.force_login(user)
    return client.post("/defaults/", values, headers={"HX-Request": "true"}).status_code


def test_what_one_sets_on_the_page_the_shell_reads_with_its_source(
    client: Client, api: Login, account: CloudAccount, member: User, page: Callable[..., str]
) -> None:
    assert post(client, member, key="group", value="class") == 204
    assert post(client, member, key="image", value="debian-12", cloud="india") == 204
    told = {(row["cloud"], row["key"]): (row["value"], row["source"]) for row in api(member).get("defaults/").results}
    assert (told[None, "group"], told["india", "image"]) == (("class", "own"), ("debian-12", "own"))
    assert 'value="class"' in page(member)
    assert "your default" in page(member)
    assert post(client, member, key="group", value="") == 204
    assert 'value="class"' not in page(member)


@pytest.mark.parametrize(("scope", "flag"), [("project", "for_project"), ("portal", "for_portal")])
def test_who_may_in_the_shell_may_on_the_page_and_nobody_else(
    client: Client, api: Login, account: CloudAccount, member: User, lead: User, admin: User, scope: str, flag: str
) -> None:
    boss = lead if scope == "project" else admin
    assert api(member).change("defaults/", {"group": "class", flag: True}).status == 403
    assert post(client, member, key="group", value="class", scope=scope) == 403
    assert not Default.objects.exists()
    assert api(boss).change("defaults/", {"group": "class", flag: True}).status == 200
    assert post(client, boss, key="prefix", value="lab", scope=scope) == 204
    assert Default.objects.filter(user=None).count() == 2


def test_those_who_may_not_set_them_read_them(account: CloudAccount, member: User, page: Callable[..., str]) -> None:
    assert "disabled" not in page(member).partition('id="list"')[2].partition("</section>")[0]
    assert "These can only be read: As member of fg101" in page(member, "project")
    assert "set by the portal" in page(member, "portal")


def test_without_a_project_the_page_says_so(page: Callable[..., str], admin: User) -> None:
    assert "you are in no active project" in page(admin)
    assert "disabled" not in page(admin, "portal").partition('id="list"')[2].partition("</section>")[0]


def test_ticked_servers_are_put_into_a_group(client: Client, account: CloudAccount, member: User, lead: User) -> None:
    mine = [make_server(account, member, name, group="old") for name in ("a", "b")]
    theirs = make_server(account, lead, "c")
    client.force_login(member)
    dialog = client.get("/servers/group/", {"servers": [str(each.pk) for each in mine]}).content.decode()
    assert "Group of 2 servers" in dialog
    assert 'value="old"' in dialog
    assert client.post("/servers/group/", {"servers": [str(mine[0].pk)], "group": "web"}).status_code == 302
    assert client.post("/servers/group/", {"servers": [str(theirs.pk)], "group": "web"}).status_code == 403
    assert dict(Server.objects.values_list("name", "group")) == {"a": "web", "b": "old", "c": ""}
    shown = client.get("/servers/", {"group": "web"}).content.decode()
    assert f'id="server-{mine[0].pk}"' in shown
    assert f'id="server-{mine[1].pk}"' not in shown
