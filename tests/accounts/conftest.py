"""Somebody with an account, and their browser."""

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD, make_user


@pytest.fixture
def nothing_asked() -> None:
    """What was counted in other tests is forgotten."""
    cache.clear()


@pytest.fixture
def gregor(db: None) -> User:
    return make_user("gregor", password=PASSWORD)


@pytest.fixture
def page(gregor: User) -> Client:
    client = Client()
    client.force_login(gregor)
    return client
