"""The first minute: an empty portal is filled so that a boot needs nothing more."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from accounts.models import User
from clouds import services
from clouds.models import CloudAccount, Flavor, Image
from projects.models import Project


@pytest.fixture(autouse=True)
def new_worlds(settings: LazySettings, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path


@pytest.mark.django_db(transaction=True)
def test_a_seeded_portal_has_three_clouds_that_can_be_booted_on() -> None:
    call_command("seed", verbosity=0)
    owner, project = User.objects.get(), Project.objects.get()
    assert [account.cloud.name for account in CloudAccount.objects.all()] == ["alamo", "india", "sierra"]
    assert all(account.is_usable for account in CloudAccount.objects.all())
    assert Image.objects.filter(account__cloud__name="india", name="futuregrid/ubuntu-14.04").exists()
    assert Flavor.objects.exists()
    assert services.next_boot(actor=owner, project=project, wanted={}).name == f"{owner.username}_1"


@pytest.mark.django_db(transaction=True)
def test_seeding_again_changes_nothing() -> None:
    call_command("seed", verbosity=0)
    before = list(CloudAccount.objects.values_list("pk", "version"))
    call_command("seed", verbosity=0)
    assert list(CloudAccount.objects.values_list("pk", "version")) == before
    assert User.objects.count() == Project.objects.count() == 1
