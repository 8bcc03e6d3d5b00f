"""What is used when nothing is said."""

import pytest

from accounts.models import User
from clouds import defaults
from clouds.models import CloudAccount, Image
from projects.models import Project

pytestmark = pytest.mark.django_db


def test_the_first_image_is_the_newest_plain_one(account: CloudAccount, member: User, project: Project) -> None:
    Image.objects.create(account=account, provider_id="special", name="ubuntu-24.04-cuda", min_ram=4096)
    assert defaults.resolve(actor=member, project=project, wanted={}).image.name == "ubuntu-24.04"
