"""What is used when nothing is said."""

import pytest

from accounts.models import User
from clouds import defaults, services
from clouds.models import CloudAccount, Image
from projects.models import Project

pytestmark = pytest.mark.django_db


def test_the_first_flavor_is_the_smallest_that_holds_the_image(
    account: CloudAccount, member: User, project: Project
) -> None:
    Image.objects.filter(account=account).update(min_ram=3000)
    assert defaults.resolve(actor=member, project=project, wanted={}).flavor.name == "m1.medium"


def test_what_somebody_chose_comes_before_what_fits(account: CloudAccount, member: User, project: Project) -> None:
    services.set_default(actor=member, project=project, key="image", value="debian-12")
    services.set_default(actor=member, project=project, key="flavor", value="m1.large")
    choice = defaults.resolve(actor=member, project=project, wanted={})
    assert (choice.image.name, choice.flavor.name) == ("debian-12", "m1.large")
    assert (choice.sources["image"], choice.sources["flavor"]) == ("own", "own")


def test_the_first_image_is_the_newest_plain_one(account: CloudAccount, member: User, project: Project) -> None:
    Image.objects.create(account=account, provider_id="special", name="ubuntu-24.04-cuda", min_ram=4096)
    assert defaults.resolve(actor=member, project=project, wanted={}).image.name == "ubuntu-24.04"
