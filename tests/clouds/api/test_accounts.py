"""Clouds over REST: registering in three ways, switching, forgetting; and no secret ever comes back."""

from collections.abc import Callable

import pytest

from accounts.models import User
from clouds.models import Cloud, CloudAccount
from operations.models import Operation
from tests import factories
from tests.rest import Api

Login = Callable[..., Api]

SECRET = "s3cret-of-nobody"
WORLD = {"world": "india", "username": "demo", "password": "demo"}
YAML = """
clouds:
  chameleon:
    auth:
      auth_url: https://127.0.0.1:5000/v3
      username: gregor
      password: {password}
      project_name: fg101
  other:
    auth: {{auth_url: "https://example.org/v3", username: x, project_name: y}}
"""


def test_a_cloud_is_told_with_what_it_can_do_and_holds(api: Login, account: CloudAccount, member: User) -> None:
    factories.make_servers(account, member, 2)
    [told] = api(member).get("clouds/").results
    assert (told["name"], told["driver"], told["project"], told["state"]) == ("india", "simulator", "fg101", "active")
    assert (told["servers"], told["states"], told["health"]) == (2, {"active": 2}, "ok")
    assert told["limits"]["instances"] == {"used": 2, "limit": 50}
    assert told["abilities"]["stop"] == {"able": True, "reason": ""}
    assert told["abilities"]["console"]["able"] is False
    assert told["abilities"]["console"]["reason"]
    whole = api(member).get("clouds/india/")
    assert whole["endpoint"] == {"world": "india", "username": "demo"}


@pytest.mark.django_db(transaction=True)
def test_a_registered_cloud_becomes_usable(
    api: Login, world: object, project: object, member: User, work: Callable[[], None]
) -> None:
    asking = api(member)
    answer = asking.post("clouds/", {"name": "mine", "driver": "simulator", "credential": WORLD, "label": "My own"})
    assert (answer.status, answer["cloud"]["state"], answer["cloud"]["label"]) == (202, "verifying", "My own")
    assert answer["cloud"]["operation"] == answer["operation"]["id"]
    work()
    assert asking.get("clouds/mine/")["state"] == "active"
    assert asking.get(answer.headers["Location"])["state"] == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_a_refused_secret_is_told_and_not_kept(
    api: Login, world: object, project: object, member: User, work: Callable[[], None]
) -> None:
    asking = api(member)
    wish = {"name": "mine", "driver": "simulator", "credential": {**WORLD, "password": SECRET}}
    answer = asking.post("clouds/", wish, Idempotency_Key="k")
    work()
    operation = asking.get(answer.headers["Location"])
    assert operation["state"] == "failed"
    assert operation["reason"]
    assert SECRET not in str(operation.body) + str(answer.body)
    assert asking.get("clouds/").results == []
    assert not Cloud.objects.exists()
    again = asking.post("clouds/", wish, Idempotency_Key="k")
    assert (again.status, again.body) == (202, answer.body)


def test_a_cloud_comes_from_a_clouds_yaml(api: Login, member: User, project: object) -> None:
    wish = {"name": "cc", "clouds_yaml": YAML.format(password=SECRET), "cloud": "chameleon"}
    answer = api(member).post("clouds/", wish)
    assert (answer.status, answer["cloud"]["driver"]) == (202, "openstack")
    assert SECRET not in str(answer.body)
    account = CloudAccount.objects.get()
    assert account.facts["auth_url"] == "https://127.0.0.1:5000/v3"
    assert SECRET not in str(account.facts) + str(Operation.objects.get().params) + account.pending


def test_a_cloud_comes_from_an_openrc_and_a_password(api: Login, member: User, project: object) -> None:
    openrc = "export OS_AUTH_URL=https://example.org:5000/v3\nexport OS_USERNAME=gregor\nexport OS_PROJECT_NAME=p\n"
    asking = api(member)
    answer = asking.post("clouds/", {"name": "rc", "openrc": openrc})
    assert (answer.status, answer["errors"]["password"]) == (400, [answer.detail])
    assert asking.post("clouds/", {"name": "rc", "openrc": openrc, "password": SECRET}).status == 202


@pytest.mark.parametrize(
    ("wish", "field", "words"),
    [
        ({}, "name", "name is required"),
        ({"name": "x"}, "driver", "Say how the cloud is reached"),
        ({"name": "x", "driver": "simulator", "openrc": "x"}, "openrc", "in one way"),
        ({"name": "My Cloud", "driver": "simulator", "credential": WORLD}, "name", "lower-case"),
        ({"name": "x" * 41, "driver": "simulator", "credential": WORLD}, "name", "40"),
        ({"name": "india", "driver": "simulator", "credential": WORLD}, "name", "already"),
        ({"name": "x", "driver": "simulater", "credential": WORLD}, "driver", "simulator"),
        ({"name": "x", "driver": "simulator", "credential": {**WORLD, "passwort": SECRET}}, "passwort", "password"),
        ({"name": "x", "driver": "simulator", "credential": {"world": "india"}}, "password", "Password is missing"),
        ({"name": "x", "driver": "simulator", "credential": {"password": [SECRET]}}, "credential", "must be text"),
        ({"name": "x", "driver": "simulator", "credential": {"password": 12345678}}, "credential", "must be text"),
        ({"name": "x", "driver": "simulator", "credential": SECRET}, "credential", "must be an object"),
        ({"name": "x", "driver": "openstack", "credential": {"auth_url": f"https://me:{SECRET}@h/"}}, None, ""),
        ({"name": "x", "clouds_yaml": f"clouds: [{SECRET}"}, "clouds_yaml", "Line 2"),
        ({"name": "x", "clouds_yaml": f"nothing: {SECRET}"}, "clouds_yaml", "no `clouds`"),
        ({"name": "x", "clouds_yaml": YAML.format(password=SECRET)}, "cloud", "Say which one"),
        ({"name": "x", "clouds_yaml": YAML.format(password=SECRET), "cloud": "chamaeleon"}, "cloud", "chameleon"),
        ({"name": "x", "clouds_yaml": YAML.format(password=SECRET), "cloud": "other"}, "password", "password"),
        ({"name": "x", "openrc": f"export OS_PASSWORD={SECRET}"}, "openrc", "no openrc"),
        ({"name": "x", "driver": "simulator", "credential": WORLD, "shared": True}, None, "Only administrators"),
        ({"name": "x", "driver": "simulator", "credential": WORLD, "project": "elsewhere"}, None, "elsewhere"),
    ],
)
def test_a_cloud_that_cannot_be_is_refused_without_repeating_secrets(
    api: Login, account: CloudAccount, member: User, stranger: User, wish: object, field: str | None, words: str
) -> None:
    answer = api(member).post("clouds/", wish)
    assert answer.status in (400, 403, 404, 409), answer.body
    assert words in answer.detail
    assert SECRET not in str(answer.body)
    assert "12345678" not in str(answer.body)
    if field:
        assert field in answer["errors"]
    assert CloudAccount.objects.count() == 1


def test_a_cloud_is_switched_off_and_on(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)
    assert asking.change("clouds/india/", {"is_active": False})["is_active"] is False
    assert "switched off" in asking.post("servers/", {"cloud": "india"}).detail
    assert "switched off" in asking.post("clouds/india/refresh/").detail
    assert asking.change("clouds/india/", {"is_active": True, "label": "Indiana"})["label"] == "Indiana"
    assert asking.post("servers/", {"cloud": "india"}).status == 202


def test_a_cloud_is_renamed(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)
    assert asking.change("clouds/india/", {"name": "bloomington"})["name"] == "bloomington"
    assert asking.get("clouds/india/").status == 404
    answer = asking.change("clouds/bloomington/", {"name": "My Cloud"})
    assert (answer.status, list(answer["errors"])) == (400, ["name"])


def test_a_cloud_tells_how_it_answers(api: Login, account: CloudAccount, member: User) -> None:
    told = api(member).get("clouds/india/")
    assert (told["health"], told["failures"], told["retry_at"], told["latency"] > 0) == ("ok", 0, None, True)
    CloudAccount.objects.update(health="down", health_reason="It did not answer.", failures=3)
    assert [api(member).get("clouds/india/")[key] for key in ("health", "failures")] == ["down", 3]


@pytest.mark.django_db(transaction=True)
def test_another_credential_is_used_only_once_it_worked(
    api: Login, account: CloudAccount, member: User, work: Callable[[], None]
) -> None:
    asking = api(member)
    before = account.credential
    answer = asking.change("clouds/india/", {"credential": {"password": SECRET}})
    assert (answer.status, SECRET in str(answer.body)) == (202, False)
    work()
    account.refresh_from_db()
    assert (account.credential, account.pending, account.state) == (before, "", "active")
    assert asking.change("clouds/india/", {"credential": {"password": "demo"}}).status == 202
    work()
    account.refresh_from_db()
    assert account.credential != before


def test_a_cloud_cannot_become_one_of_another_kind(api: Login, account: CloudAccount, member: User) -> None:
    answer = api(member).change("clouds/india/", {"driver": "openstack", "credential": {"auth_url": "https://h/"}})
    assert (answer.status, "cannot be changed" in answer.detail) == (400, True)


def test_a_shared_cloud_is_labelled_by_administrators(
    api: Login, account: CloudAccount, member: User, admin: User
) -> None:
    Cloud.objects.update(owner_project=None)
    assert api(member).change("clouds/india/", {"label": "Mine"}).status == 403
    assert api(admin).change("clouds/india/", {"label": "Ours"})["label"] == "Ours"


def test_a_cloud_is_read_again_when_asked(api: Login, account: CloudAccount, member: User) -> None:
    answer = api(member).post("clouds/india/refresh/")
    assert (answer.status, answer["name"]) == (202, "india")
    assert not account.syncs.exclude(full_at=None).exists()


def test_a_forgotten_cloud_is_gone(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)
    assert asking.delete("clouds/india/").status == 204
    assert asking.get("clouds/india/").status == 404
    assert not CloudAccount.objects.exists()


def test_a_cloud_in_use_is_not_forgotten(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)
    asking.post("servers/")
    assert (asking.delete("clouds/india/").status, CloudAccount.objects.count()) == (409, 1)


def test_only_its_owner_and_leaders_change_a_cloud(
    api: Login, account: CloudAccount, lead: User, project: object
) -> None:
    other = factories.make_user("other")
    factories.projects.add_member(actor=lead, project=account.project, user=other)
    assert api(other).get("clouds/india/").status == 200
    assert api(other).delete("clouds/india/").status == 403
    assert api(lead).change("clouds/india/", {"is_active": False}).status == 200


def test_each_driver_says_what_it_needs(api: Login, member: User) -> None:
    drivers = {driver["name"]: driver for driver in api(member).get("drivers/").results}
    assert {"simulator", "openstack", "ec2"} <= drivers.keys()
    fields = {field["name"]: field for field in drivers["simulator"]["fields"]}
    assert (fields["password"]["secret"], fields["world"]["default"]) == (True, "india")
    assert "Did you mean" not in api(member).get("drivers/", {"page": "2"}).detail


def test_clouds_are_narrowed(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)
    assert len(asking.get("clouds/", {"name": "india", "state": "active", "driver": "simulator"}).results) == 1
    assert asking.get("clouds/", {"health": "down"}).results == []
    assert "Did you mean india" in asking.get("clouds/", {"name": "indai"}).detail
