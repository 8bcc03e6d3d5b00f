"""What clouds offer, over REST."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from clouds import services
from clouds.models import CloudAccount, Image
from tests.rest import Api

Login = Callable[..., Api]


def test_images_are_told_with_their_cloud_and_which_is_usual(api: Login, account: CloudAccount, member: User) -> None:
    images = {image["name"]: image for image in api(member).get("images/").results}
    assert images["ubuntu-24.04"]["cloud"] == "india"
    assert images["ubuntu-24.04"]["login"] == "ubuntu"
    assert [name for name, image in images.items() if image["is_default"]] == ["ubuntu-24.04"]
    services.set_default(actor=member, project=account.project, key="image", value="debian-12", cloud="india")
    [usual] = [image for image in api(member).get("images/").results if image["is_default"]]
    assert usual["name"] == "debian-12"


def test_flavors_are_told_in_the_order_asked_for(api: Login, account: CloudAccount, member: User) -> None:
    flavors = api(member).get("flavors/", {"ordering": "-ram", "page_size": 2}).results
    assert [(flavor["name"], flavor["cores"]) for flavor in flavors] == [("m1.xlarge", 8), ("m1.large", 4)]


def test_networks_are_told(api: Login, account: CloudAccount, member: User) -> None:
    assert {network["cloud"] for network in api(member).get("networks/").results} == {"india"}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"name": "ubuntu-24.04,debian-12"}, ["debian-12", "ubuntu-24.04"]),
        ({"name": "ubuntu-2*"}, ["ubuntu-22.04", "ubuntu-24.04"]),
        ({"search": "IRROS"}, ["cirros-0.6"]),
        ({"state": "deprecated"}, ["ubuntu-18.04"]),
        ({"cloud": "india", "project": "fg101", "name": "rocky-9"}, ["rocky-9"]),
    ],
)
def test_images_are_narrowed(
    api: Login, account: CloudAccount, member: User, query: dict[str, str], names: list[str]
) -> None:
    assert [image["name"] for image in api(member).get("images/", query).results] == names


@pytest.mark.parametrize("noun", ["images", "flavors", "networks"])
def test_one_thing_is_told_with_its_clouds_own_document(
    api: Login, account: CloudAccount, member: User, noun: str
) -> None:
    asking = api(member)
    [first, *_] = asking.get(f"{noun}/").results
    whole = asking.get(f"{noun}/{first['id']}/")
    assert whole["native"]
    assert {name: whole[name] for name in first} == first


def test_many_images_need_as_many_questions_as_one(api: Login, account: CloudAccount, member: User) -> None:
    Image.objects.bulk_create(
        Image(account=account, provider_id=f"image-{number}", name=f"image-{number}") for number in range(200)
    )
    asking = api(member)
    asking.get("images/")

    def questions(size: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert len(asking.get("images/", {"page_size": size}).results) == size
        return len(asked)

    assert questions(1) == questions(200) <= 10
