"""Labels, sizes and images of servers, as pages: what dialogs show, and what follows from them."""

import json

import pytest
from django.test import Client

from accounts.models import User
from clouds import services
from clouds.models import CloudAccount, Flavor, Image, Server
from operations.models import Operation
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def web(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


@pytest.fixture
def labelled(account: CloudAccount, member: User) -> Server:
    return factories.make_server(account, member, "web", labels={"stage": "trial", "tier": "web"})


def ask(web: Client, server: Server, action: str, **form: str) -> Operation:
    answer = web.post(f"/servers/{server.pk}/{action}/", form, headers=HTMX)
    assert answer.status_code == 204, answer.content
    assert json.loads(answer.headers["HX-Trigger"])["toast"]
    return Operation.objects.order_by("created_at", "pk").reverse()[0]


def test_the_page_shows_labels_that_lead_to_their_like(web: Client, labelled: Server, account: CloudAccount) -> None:
    page = web.get(f"/servers/{labelled.pk}/").content.decode()
    assert 'href="/servers/?label=stage%3Dtrial"' in page
    factories.make_server(account, labelled.owner, "other")  # type: ignore[arg-type]
    assert [server.name for server in web.get("/servers/?label=stage%3Dtrial").context["servers"]] == ["web"]
    assert web.get("/servers/?label=%3D").status_code == 400


def test_the_labels_become_what_stands_in_the_dialog(web: Client, labelled: Server) -> None:
    dialog = web.get(f"/servers/{labelled.pk}/label/").content.decode()
    assert "stage=trial\ntier=web\n" in dialog
    wish = ask(web, labelled, "label", labels="stage=prod\r\n\r\n owner = ada \r\n")
    assert wish.params == {"labels": {"stage": "prod", "owner": "ada"}, "remove": ["tier"]}
    for text, words in (("stage=trial\ntier=web", "Nothing is different"), ("stage", "is no label")):
        refused = web.post(f"/servers/{labelled.pk}/label/", {"labels": text}, headers=HTMX)
        assert (refused.status_code, words in refused.content.decode()) == (400, True)


def test_the_dialog_of_a_resize_offers_the_other_flavors(web: Client, server: Server) -> None:
    dialog = web.get(f"/servers/{server.pk}/resize/")
    assert dialog.context["now"].name == "m1.small"
    assert {flavor.name for flavor in dialog.context["flavors"]} == set(
        Flavor.objects.exclude(name="m1.small").values_list("name", flat=True)
    )
    assert "It restarts" in dialog.content.decode()
    assert ask(web, server, "resize", flavor="m1.large").params["name"] == "m1.large"


def test_an_image_is_made_and_a_server_read_from_their_buttons(web: Client, server: Server) -> None:
    assert "goes on running" in web.get(f"/servers/{server.pk}/snapshot/").content.decode()
    assert ask(web, server, "snapshot", name="golden").params == {"name": "golden"}
    assert ask(web, server, "refresh").kind == "server.refresh"
    assert web.get(f"/servers/{server.pk}/refresh/").status_code == 400


def test_own_images_have_a_button_that_deletes_them(web: Client, account: CloudAccount, member: User) -> None:
    services.snapshot_server(actor=member, server=factories.boot(account, member), name="golden")
    factories.do_all_work()
    image = Image.objects.get(name="golden")
    page = web.get("/images/").content.decode()
    assert page.count('aria-label="Delete') == page.count(f"/images/{image.pk}/delete/") == 1
    assert web.post(f"/images/{image.pk}/delete/", headers=HTMX).status_code == 204
    factories.do_all_work()
    assert not Image.objects.filter(name="golden").exists()
