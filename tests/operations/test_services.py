"""Asking once under an Idempotency-Key, also when two ask at the same instant."""

from collections.abc import Callable

import pytest

from accounts.models import User
from cloudmesh.errors import Conflict, Invalid
from clouds import services as clouds
from clouds.models import CloudAccount, Server
from operations import services
from operations.models import Operation
from tests.factories import at_once

Ask = Callable[[], Operation]


@pytest.fixture
def boot(account: CloudAccount, member: User) -> Ask:
    return lambda: clouds.boot_servers(actor=member, project=account.project)


def test_the_same_key_finds_the_same_wish(boot: Ask, member: User) -> None:
    first = services.once(boot, actor=member, key="k", wish={"count": 1})
    assert services.once(boot, actor=member, key="k", wish={"count": 1}) == first
    assert Server.objects.count() == 1


def test_another_key_or_none_is_another_wish(boot: Ask, member: User) -> None:
    for key in ("k", "l", "", ""):
        services.once(boot, actor=member, key=key, wish={})
    assert Server.objects.count() == 4


def test_the_same_key_of_somebody_else_is_another_wish(
    boot: Ask, account: CloudAccount, member: User, lead: User
) -> None:
    services.once(boot, actor=member, key="k", wish={})
    services.once(lambda: clouds.boot_servers(actor=lead, project=account.project), actor=lead, key="k", wish={})
    assert {server.owner for server in Server.objects.all()} == {member, lead}


def test_the_same_key_for_another_wish_is_refused(boot: Ask, member: User) -> None:
    services.once(boot, actor=member, key="k", wish={"count": 1})
    with pytest.raises(Conflict, match="another request"):
        services.once(boot, actor=member, key="k", wish={"count": 2})


@pytest.mark.parametrize("key", ["k" * 129, "a\x00b", "a\nb"])
def test_a_key_that_cannot_be_is_refused(boot: Ask, member: User, key: str) -> None:
    with pytest.raises(Invalid, match="128 printable"):
        services.once(boot, actor=member, key=key, wish={})


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_instant_one_asks(boot: Ask, member: User) -> None:
    wishes = at_once(4, lambda: services.once(boot, actor=member, key="k", wish={}))
    assert len({wish.pk for wish in wishes}) == 1
    assert Server.objects.count() == Operation.objects.filter(kind="server.create").count() == 1
