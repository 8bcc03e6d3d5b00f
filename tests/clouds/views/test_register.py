"""Registering a cloud in the web: by a form, by a file, and again after a refusal."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from clouds import services
from clouds.drivers.simulator import control
from clouds.models import Cloud, CloudAccount
from operations.models import CredentialState, Operation
from projects.models import Project

pytestmark = pytest.mark.django_db

SECRET = "hush-9f2c"
FORM = {"name": "tango", "label": "", "credential_world": "tango", "credential_username": "demo"}
CLOUDS_YAML = f"""\
clouds:
  Chameleon Cloud:
    auth:
      auth_url: https://chi.example.org:5000/v3
      username: gregor
      password: {SECRET}
      project_name: CH-1
    region_name: CHI@TACC
  other:
    auth: {{auth_url: https://other.example.org:5000/v3, username: gregor, project_name: p}}
"""
OPENRC = """\
export OS_AUTH_URL=https://chi.example.org:5000/v3
export OS_USERNAME="gregor"
export OS_PROJECT_NAME="CH-1"
read -sr OS_PASSWORD_INPUT
export OS_PASSWORD=$OS_PASSWORD_INPUT
"""


@pytest.fixture
def web(client: Client, member: User, project: Project, world: control.World) -> Client:
    client.force_login(member)
    return client


def register(web: Client, **changes: str) -> Any:
    return web.post("/clouds/register/?driver=simulator", {**FORM, "credential_password": "demo", **changes})


def test_every_driver_and_both_files_are_ways(web: Client) -> None:
    ways = [way["label"] for way in web.get("/clouds/register/").context["ways"]]
    assert ways == [driver.label for driver in services.drivers().values()] + ["clouds.yaml", "openrc"]


@pytest.mark.parametrize("driver", ["simulator", "openstack", "ec2"])
def test_the_form_has_what_the_driver_declares(web: Client, driver: str) -> None:
    form = web.get(f"/clouds/register/?driver={driver}").context["form"]
    declared = services.drivers()[driver].fields
    assert [name for name in form.fields if name.startswith("credential_")] == [
        f"credential_{f.name}" for f in declared
    ]
    for field in declared:
        assert form.fields[f"credential_{field.name}"].label == field.label


def test_a_kind_that_is_not_there_is_refused(web: Client) -> None:
    answer = web.get("/clouds/register/?driver=nimbus")
    assert answer.status_code == 400
    assert "There is no cloud driver" in answer.content.decode()


def test_a_cloud_is_registered_verified_and_used(web: Client, work: Callable[[], None]) -> None:
    answer = register(web)
    operation = Operation.objects.get()
    assert answer.headers["Location"] == f"/clouds/register/{operation.pk}/"
    assert "is being verified" in web.get(answer.headers["Location"]).content.decode()
    work()
    assert "tango can be used" in web.get(answer.headers["Location"]).content.decode()
    assert CloudAccount.objects.get().state == CredentialState.ACTIVE


def test_a_refused_credential_leaves_nothing_but_words(web: Client, work: Callable[[], None]) -> None:
    answer = register(web, credential_password=SECRET, label="Tango, far away")
    work()
    page = web.get(answer.headers["Location"]).content.decode()
    assert "tango was not registered" in page
    assert "not accepted" in page
    assert not Cloud.objects.exists()
    again = web.get("/clouds/register/", {"operation": str(Operation.objects.get().pk)})
    form = again.context["form"]
    assert (form["name"].value(), form["label"].value()) == ("tango", "Tango, far away")
    assert form["credential_world"].value() == "tango"
    for text in (page, again.content.decode(), web.get(f"/operations/{Operation.objects.get().pk}/").content.decode()):
        assert SECRET not in text


def test_what_is_wrong_is_said_at_its_field_and_no_secret_comes_back(web: Client) -> None:
    answer = register(web, name="Not a name", credential_password=SECRET)
    assert answer.status_code == 400
    assert "cannot be a cloud" in answer.context["form"].errors["name"][0]
    assert SECRET not in answer.content.decode()
    missing = register(web, credential_password="")
    assert missing.context["form"].errors["credential_password"]


def test_a_name_is_given_once(web: Client, account: CloudAccount) -> None:
    answer = register(web, name="india")
    assert "has a cloud named india already" in answer.context["form"].errors["name"][0]


def test_another_credential_for_a_cloud_that_refuses_its_own(
    web: Client, account: CloudAccount, work: Callable[[], None]
) -> None:
    CloudAccount.objects.update(state=CredentialState.REFUSED)
    path = f"/clouds/register/?account={account.pk}"
    assert path in web.get(f"/clouds/{account.pk}/").content.decode()
    assert "name" not in web.get(path).context["form"].fields
    form = {"credential_world": "india", "credential_username": "demo", "credential_password": "demo"}
    answer = web.post(path, form)
    work()
    assert "india can be used" in web.get(answer.headers["Location"]).content.decode()
    account.refresh_from_db()
    assert account.state == CredentialState.ACTIVE


def test_a_refused_replacement_keeps_the_old_one(web: Client, account: CloudAccount, work: Callable[[], None]) -> None:
    form = {"credential_world": "india", "credential_username": "demo", "credential_password": SECRET}
    answer = web.post(f"/clouds/register/?account={account.pk}", form)
    work()
    assert "The old credential stays" in web.get(answer.headers["Location"]).content.decode()
    before = account.credential
    account.refresh_from_db()
    assert (account.credential, account.pending, account.state) == (before, "", CredentialState.ACTIVE)
    operation = Operation.objects.order_by("-created_at").first()
    assert operation is not None
    assert web.post(f"/operations/{operation.pk}/retry/").status_code == 409


def test_a_clouds_yaml_registers_one_of_its_clouds(web: Client) -> None:
    upload = SimpleUploadedFile("clouds.yaml", CLOUDS_YAML.encode())
    form = {"file": upload, "cloud": "Chameleon Cloud"}
    assert web.post("/clouds/register/?file=clouds.yaml", form).status_code == 302
    account = CloudAccount.objects.get()
    assert (account.cloud.name, account.cloud.driver) == ("chameleon-cloud", "openstack")
    assert account.facts["region_name"] == "CHI@TACC"
    assert SECRET not in str(account.facts)


def test_a_file_with_several_clouds_is_asked_which(web: Client) -> None:
    answer = web.post("/clouds/register/?file=clouds.yaml", {"text": CLOUDS_YAML})
    assert "Chameleon Cloud, other. Say which one" in answer.context["form"].errors["cloud"][0]
    assert SECRET not in answer.content.decode()


def test_what_a_file_does_not_hold_is_asked_for(web: Client) -> None:
    answer = web.post("/clouds/register/?file=openrc", {"text": OPENRC, "name": "chi"})
    form = answer.context["form"]
    assert form.errors["credential_password"] == ["The file does not hold it. Give it here."]
    assert form["credential_auth_url"].value() == "https://chi.example.org:5000/v3"
    assert form["name"].value() == "chi"
    assert not Cloud.objects.exists()


def test_a_broken_file_says_where(web: Client) -> None:
    answer = web.post("/clouds/register/?file=clouds.yaml", {"text": f"clouds:\n  a:\n   auth: [{SECRET}"})
    assert "Line" in str(answer.context["form"].errors)
    assert SECRET not in answer.content.decode()
    nothing = web.post("/clouds/register/?file=openrc", {})
    assert "Choose your openrc file" in nothing.context["form"].errors["file"][0]


def test_nobody_registers_where_they_do_not_work(web: Client, stranger: User, account: CloudAccount) -> None:
    web.force_login(stranger)
    assert web.get(f"/clouds/register/?account={account.pk}").status_code == 404
    assert register(web).status_code == 302  # in their own project
    assert CloudAccount.objects.get(cloud__name="tango").project.name == "elsewhere"
