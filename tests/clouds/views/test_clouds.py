"""Clouds, images, flavors and keys as pages."""

import json

import pytest
from django.test import Client

from accounts.models import SshKey, User
from clouds.models import CloudAccount, Default, Image
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def web(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def test_a_cloud_shows_what_is_used_and_by_what_name(web: Client, account: CloudAccount, member: User) -> None:
    factories.make_servers(account, member, 2)
    context = web.get(f"/clouds/{account.pk}/").context
    assert context["cloud"].driver_label == "Simulated cloud"
    assert context["cloud"].limits["instances"].used == 2
    assert context["states"] == [{"state": "active", "count": 2}]
    assert ("World", "india") in context["facts"]
    assert {default["key"]: default["value"] for default in context["defaults"]}["image"] == "ubuntu-24.04"


def test_a_cloud_without_images_has_a_page(web: Client, account: CloudAccount) -> None:
    Image.objects.all().delete()
    assert web.get(f"/clouds/{account.pk}/").context["defaults"] == []


def test_no_secret_is_on_any_page_of_a_cloud(web: Client, account: CloudAccount) -> None:
    for path in (
        "/clouds/",
        f"/clouds/{account.pk}/",
        f"/clouds/{account.pk}/row/",
        f"/clouds/register/?account={account.pk}",
    ):
        page = web.get(path).content.decode()
        assert account.credential not in page
        assert 'value="demo"' not in page.replace('name="credential_username" value="demo"', "")


def test_switching_reading_and_removing(web: Client, account: CloudAccount) -> None:
    assert web.post(f"/clouds/{account.pk}/toggle/", headers=HTMX).status_code == 204
    account.refresh_from_db()
    assert not account.is_enabled
    refused = web.post(f"/clouds/{account.pk}/refresh/", headers=HTMX)
    assert (refused.status_code, "switched off" in json.loads(refused.content)["detail"]) == (409, True)
    assert web.post(f"/clouds/{account.pk}/toggle/").headers["Location"] == f"/clouds/{account.pk}/"
    assert web.post(f"/clouds/{account.pk}/refresh/", headers=HTMX).status_code == 204
    here = {**HTMX, "HX-Current-URL": f"http://testserver/clouds/{account.pk}/"}
    assert web.post(f"/clouds/{account.pk}/remove/", headers=here).headers["HX-Redirect"] == "/clouds/"
    assert not CloudAccount.objects.exists()
    assert web.get(f"/clouds/{account.pk}/row/").status_code == 204


def test_a_cloud_is_renamed_in_its_dialog(web: Client, account: CloudAccount) -> None:
    page = f"/clouds/{account.pk}/rename/"
    assert "cm cloud alias india" in web.get(page, headers=HTMX).content.decode()
    refused = web.post(page, {"name": "My Cloud"}, headers=HTMX)
    assert (refused.status_code, "lower-case" in json.loads(refused.content)["detail"]) == (400, True)
    toast = json.loads(web.post(page, {"name": "bloomington"}, headers=HTMX).headers["HX-Trigger"])["toast"]
    assert toast["title"] == "india is now called bloomington"
    assert web.get(f"/clouds/{account.pk}/").context["cloud"].cloud.name == "bloomington"


def test_only_who_registered_it_or_leads_manages_a_cloud(
    web: Client, project: Project, lead: User, world: object
) -> None:
    account = factories.make_account(project, lead)
    for deed in ("toggle", "rename", "remove"):
        assert web.post(f"/clouds/{account.pk}/{deed}/", headers=HTMX).status_code == 403
    assert not web.get("/clouds/").context["clouds"][0].may_manage


def test_the_default_is_marked_and_set(web: Client, account: CloudAccount) -> None:
    def marked(path: str, rows: str) -> list[str]:
        return [row.name for row in web.get(path).context[rows] if row.is_default]

    assert marked("/images/", "images") == ["ubuntu-24.04"]
    answer = web.post("/defaults/", {"key": "image", "cloud": "india", "value": "debian-12"}, headers=HTMX)
    assert json.loads(answer.headers["HX-Trigger"])["toast"]["title"] == "debian-12 is your default image"
    assert marked("/images/", "images") == ["debian-12"]
    assert Default.objects.get().user.username == "gregor"
    assert marked("/flavors/", "flavors") == ["m1.small"]
    wrong = web.post("/defaults/", {"key": "image", "cloud": "india", "value": "debian-13"}, headers=HTMX)
    assert "Did you mean debian-12" in json.loads(wrong.content)["detail"]


def test_images_and_flavors_are_found_by_name(web: Client, account: CloudAccount) -> None:
    assert {image.name for image in web.get("/images/?q=debian").context["images"]} == {"debian-12"}
    flavors = [flavor.name for flavor in web.get("/flavors/?sort=-ram").context["flavors"]]
    assert flavors[-1] == "m1.tiny"


def test_keys_are_added_listed_and_deleted(web: Client, project: Project) -> None:
    assert web.post("/keys/", {"name": "laptop", "public_key": factories.public_key("me@laptop")}).status_code == 302
    key = SshKey.objects.get()
    assert [(each.name, each.is_default) for each in web.get("/keys/").context["keys"]] == [("laptop", True)]
    assert web.post(f"/keys/{key.pk}/delete/", headers=HTMX).status_code == 200
    assert not SshKey.objects.exists()


def test_a_private_key_is_refused_and_never_comes_back(web: Client, project: Project) -> None:
    text = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA"
    answer = web.post("/keys/", {"name": "oops", "public_key": text})
    assert answer.status_code == 400
    assert "This is a private key" in answer.content.decode()
    assert "b3BlbnNzaC1rZXktdjEAAAAA" not in answer.content.decode()


def test_keys_are_ones_own(web: Client, stranger: User, project: Project) -> None:
    key = factories.make_key(stranger)
    assert web.get("/keys/").context["keys"] == []
    assert web.post(f"/keys/{key.pk}/delete/", headers=HTMX).status_code == 404
    assert SshKey.objects.filter(pk=key.pk).exists()
