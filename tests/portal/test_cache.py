"""A cache that is away is an empty one."""

from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache


def test_what_is_kept_is_found() -> None:
    cache = caches["default"]
    cache.set("a", {"b": 1}, 30)
    assert cache.get("a") == {"b": 1}
    assert not cache.add("a", 2)
    cache.set("n", 1)
    assert cache.incr("n") == 2
    assert cache.get_many(["a", "n", "z"]) == {"a": {"b": 1}, "n": 2}
    cache.delete_many(["a", "n"])
    assert "a" not in cache


@pytest.fixture
def away(settings: Any) -> BaseCache:
    known = settings.CACHES["default"]
    settings.CACHES = {"default": known | {"LOCATION": "unix:///nowhere/valkey.sock"}}
    return caches["default"]


def test_one_that_is_away_knows_nothing_and_fails_nobody(away: BaseCache) -> None:
    away.set("a", 1)
    away.set_many({"a": 1})
    away.delete_many(["a"])
    assert away.add("a", 1)
    assert away.get("a", "default") == "default"
    assert away.get_many(["a"]) == {}
    assert "a" not in away
    assert not away.touch("a")
    assert not away.delete("a")
    with pytest.raises(ValueError, match="not found"):
        away.incr("a")
