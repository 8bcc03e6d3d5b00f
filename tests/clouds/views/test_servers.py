"""Servers as pages: listing, booting, acting."""

import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from cloudmesh.types import ServerState
from clouds.models import CloudAccount, Server
from operations.models import Operation
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def web(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def names(web: Client, query: str = "") -> list[str]:
    return [server.name for server in web.get(f"/servers/{query}").context["servers"]]


def wish() -> Operation:
    """The newest."""
    return Operation.objects.order_by("created_at", "pk").reverse()[0]


def toast(answer: HttpResponse) -> dict[str, str]:
    assert answer.status_code == 204
    found: dict[str, str] = json.loads(answer.headers["HX-Trigger"])["toast"]
    return found


# -- the list --------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_by_what_is_in_its_address(
    web: Client, account: CloudAccount, member: User, lead: User
) -> None:
    factories.make_server(account, member, "gregor_1", addresses=["10.16.0.7"])
    factories.make_server(account, lead, "web_1", state=ServerState.STOPPED, addresses=["192.0.2.9"])
    factories.make_server(account, member, "old", state=ServerState.DELETED)
    sierra = factories.make_account(account.project, lead, "sierra")
    factories.make_server(sierra, lead, "far")
    assert set(names(web)) == {"gregor_1", "web_1", "far"}
    assert names(web, "?state=stopped") == ["web_1"]
    assert names(web, "?cloud=sierra") == ["far"]
    assert names(web, "?owner=me") == ["gregor_1"]
    assert set(names(web, "?owner=laszewski")) == {"web_1", "far"}
    assert names(web, "?q=192.0.2") == ["web_1"]
    assert names(web, "?q=GREG") == ["gregor_1"]
    assert names(web, "?project=elsewhere") == []


def test_the_list_is_ordered_as_asked_and_by_nothing_else(web: Client, account: CloudAccount, member: User) -> None:
    for name in ("b", "c", "a"):
        factories.make_server(account, member, name)
    assert names(web, "?sort=name") == ["a", "b", "c"]
    assert names(web, "?sort=-name") == ["c", "b", "a"]
    assert names(web, "?sort=owner__password") == names(web) == ["a", "c", "b"]


def test_the_list_has_pages(web: Client, account: CloudAccount, member: User) -> None:
    factories.make_servers(account, member, 60)
    assert len(names(web)) == 50
    assert len(names(web, "?page=2")) == 10
    assert len(names(web, "?page=99")) == 10  # the last there is


def test_a_row_shows_names_where_the_cloud_has_ids(web: Client, server: Server) -> None:
    row = web.get(f"/servers/{server.pk}/row/").content.decode()
    assert "ubuntu-24.04" in row
    assert "m1.small" in row
    assert f'data-live="server:{server.pk}"' in row


def test_a_row_vanishes_with_its_server(web: Client, server: Server, stranger: User) -> None:
    Server.objects.update(state=ServerState.DELETED)
    assert web.get(f"/servers/{server.pk}/row/").status_code == 204
    assert web.get(f"/servers/{server.pk}/").status_code == 200  # its page tells what became of it
    web.force_login(stranger)
    assert web.get(f"/servers/{server.pk}/row/").status_code == 204


def test_a_menu_says_why_something_cannot_be_done(web: Client, server: Server, lead: User) -> None:
    def reasons() -> dict[str, str]:
        return {action.name: action.reason for action in web.get(f"/servers/{server.pk}/").context["server"].actions}

    assert reasons()["stop"] == reasons()["ip-assign"] == ""
    assert "needs it to be" in reasons()["start"]
    assert "ip-release" not in reasons()
    assert "resume" not in reasons()
    Server.objects.update(owner=lead)
    assert "somebody else's" in reasons()["stop"]


# -- booting ---------------------------------------------------------------------------------------------------


def test_one_click_boots_what_the_button_named(web: Client, account: CloudAccount) -> None:
    named = web.get("/servers/next/").context["next"]["name"]
    said = toast(web.post("/servers/boot/", headers=HTMX))
    server = Server.objects.get()
    assert server.name == named == "gregor_1"
    assert said["title"] == "Booting gregor_1"
    assert said["url"] == f"/operations/{Operation.objects.get(target_id=server.pk).pk}/"


def test_without_javascript_booting_leads_back_to_the_list(web: Client, account: CloudAccount) -> None:
    answer = web.post("/servers/boot/", {"name": "web[1-2]", "count": ""}, follow=True)
    assert answer.redirect_chain == [("/servers/", 302)]
    assert "Booting 2 servers" in answer.content.decode()
    assert Server.objects.count() == 2


def test_the_dialog_shows_what_would_be_used_and_why(web: Client, account: CloudAccount, member: User) -> None:
    factories.make_key(member)
    context = web.get("/servers/boot/?cloud=india&name=web&count=3").context
    assert context["next"]["image"] == "ubuntu-24.04"
    assert context["next"]["sources"]["cloud"] == "option"
    assert (context["name"], context["count"]) == ("web", "3")
    assert ("india", "india") in context["choices"]["clouds"]
    assert context["choices"]["keys"] == [("laptop", "laptop")]
    assert ("m1.small", "m1.small (1 core, 2 GiB)") in context["choices"]["flavors"]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"count": "0"}, "count"),
        ({"count": "-1"}, "count"),
        ({"count": "1000000"}, "count"),
        ({"count": "many"}, "count"),
        ({"name": "with spaces"}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"name": "größe"}, "name"),
        ({"image": "ubunto"}, "image"),
        ({"if_down": "maybe"}, "if_down"),
    ],
)
def test_a_wish_that_cannot_be_is_told_by_field(
    web: Client, account: CloudAccount, form: dict[str, str], field: str
) -> None:
    answer = web.post("/servers/boot/", form, headers=HTMX)
    assert answer.status_code in (400, 404)
    assert json.loads(answer.content)["field"] == field
    assert not Server.objects.exists()


def test_where_nothing_can_be_booted_the_button_says_why(web: Client, project: Project) -> None:
    context = web.get("/servers/next/").context
    assert context["next"] is None
    assert "no cloud that can be used" in context["next_problem"]


# -- acting ----------------------------------------------------------------------------------------------------


def test_an_action_is_asked_for(web: Client, server: Server) -> None:
    said = toast(web.post(f"/servers/{server.pk}/stop/", headers=HTMX))
    assert said["title"] == "Stopping gregor_1"
    assert wish().params == {"action": "stop"}


def test_an_action_that_makes_no_sense_is_refused(web: Client, server: Server) -> None:
    answer = web.post(f"/servers/{server.pk}/start/", headers=HTMX)
    assert answer.status_code == 409
    assert "is active" in json.loads(answer.content)["detail"]
    assert web.post(f"/servers/{server.pk}/explode/").status_code == 400
    assert web.get(f"/servers/{server.pk}/stop/").status_code == 400


def test_deleting(web: Client, server: Server) -> None:
    assert toast(web.post(f"/servers/{server.pk}/delete/", headers=HTMX))["title"] == "Deleting gregor_1"
    server.refresh_from_db()
    assert server.state == ServerState.DELETING
    Server.objects.update(state=ServerState.DELETED)
    again = web.post(f"/servers/{server.pk}/delete/", headers=HTMX)
    assert again.status_code == 404
    assert "deleted already" in json.loads(again.content)["detail"]


def test_renaming_has_a_dialog(web: Client, server: Server) -> None:
    assert "cm vm rename gregor_1" in web.get(f"/servers/{server.pk}/rename/", headers=HTMX).content.decode()
    toast(web.post(f"/servers/{server.pk}/rename/", {"name": "better"}, headers=HTMX))
    assert wish().params == {"name": "better"}


def test_looking_at_the_log_leads_to_what_was_found(web: Client, server: Server) -> None:
    answer = web.post(f"/servers/{server.pk}/console-log/", headers=HTMX)
    assert answer.headers["HX-Redirect"] == f"/operations/{wish().pk}/"


def test_what_a_driver_cannot_do_is_refused_in_its_words(web: Client, server: Server) -> None:
    answer = web.post(f"/servers/{server.pk}/console/", headers=HTMX)
    assert answer.status_code == 409
    assert "has no screen" in json.loads(answer.content)["detail"]


def test_several_at_once(web: Client, account: CloudAccount, member: User) -> None:
    servers = factories.make_servers(account, member, 3)
    form: dict[str, Any] = {"action": "stop", "servers": [str(server.pk) for server in servers]}
    assert toast(web.post("/servers/bulk/", form, headers=HTMX))["title"] == "Stopping 3 servers"
    form["action"] = "delete"
    toast(web.post("/servers/bulk/", form, headers=HTMX))
    assert set(Server.objects.values_list("state", flat=True)) == {ServerState.DELETING}
    assert web.post("/servers/bulk/", {"action": "delete"}, headers=HTMX).status_code == 400


def test_nobody_acts_on_what_belongs_to_somebody_else(web: Client, account: CloudAccount, lead: User) -> None:
    server = factories.make_server(account, lead, "precious")
    for path, form in (
        (f"/servers/{server.pk}/delete/", {}),
        (f"/servers/{server.pk}/stop/", {}),
        ("/servers/bulk/", {"action": "delete", "servers": [str(server.pk)]}),
    ):
        answer = web.post(path, form, headers=HTMX)
        assert answer.status_code == 403, path
        assert "somebody else's" in json.loads(answer.content)["detail"]
    server.refresh_from_db()
    assert server.state == ServerState.ACTIVE
