"""The frame of all pages, signing in, failures and probes."""

import pytest
from django.test import Client

from accounts.models import User
from clouds.models import Server

pytestmark = pytest.mark.django_db


PAGES = (
    "/",
    "/servers/",
    "/clouds/",
    "/images/",
    "/flavors/",
    "/keys/",
    "/operations/",
    "/events/",
    "/clouds/register/",
)


@pytest.mark.parametrize("path", PAGES)
def test_pages_show(client: Client, member: User, server: Server, path: str) -> None:
    client.force_login(member)
    answer = client.get(path)
    assert answer.status_code == 200
