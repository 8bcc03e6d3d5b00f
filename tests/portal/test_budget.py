"""Lists stay quick whatever they show: a constant, small number of statements."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from clouds.models import CloudAccount
from tests.factories import make_account, make_servers

pytestmark = pytest.mark.django_db

LISTS = (
    "/servers/", "/operations/", "/events/", "/images/", "/flavors/", "/keys/", "/clouds/", "/jobs/", "/clusters/",
    "/logins/",
)  # fmt: skip
MOST = 11


@pytest.mark.parametrize("path", LISTS)
def test_a_list_asks_a_constant_number_of_questions(
    client: Client, member: User, account: CloudAccount, path: str
) -> None:
    client.force_login(member)
    make_servers(account, member, 2)
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    make_servers(account, member, 40)
    make_servers(make_account(account.project, member, "sierra"), member, 3)
    make_account(account.project, member, "alamo")
    with CaptureQueriesContext(connection) as many:
        client.get(path)
    assert len(few) == len(many)
    assert len(many) <= MOST, "\n".join(query["sql"][:200] for query in many.captured_queries)
