"""The cache: one that is away is an empty one, since nothing is kept there that is not in the database as well."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)


@contextlib.contextmanager
def forgiving() -> Iterator[None]:
    """Go on behind the block where Redis does not answer."""
    try:
        yield
    except redis.RedisError as error:
        log.warning("The cache is away: %s", error)


class Client(RedisCacheClient):
    """Django's, without waiting for a Redis that does not answer, or failing with it."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        once_more = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        options = {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": once_more, **options}
        super().__init__(servers, **options)

    def add(self, key: Any, value: Any, timeout: Any) -> bool:
        with forgiving():
            return bool(super().add(key, value, timeout))
        return True

    def get(self, key: Any, default: Any) -> Any:
        with forgiving():
            return super().get(key, default)
        return default

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        with forgiving():
            super().set(key, value, timeout)

    def touch(self, key: Any, timeout: Any) -> bool:
        with forgiving():
            return bool(super().touch(key, timeout))
        return False

    def delete(self, key: Any) -> bool:
        with forgiving():
            return bool(super().delete(key))
        return False

    def get_many(self, keys: Any) -> dict[Any, Any]:
        with forgiving():
            return dict(super().get_many(keys))
        return {}

    def has_key(self, key: Any) -> bool:
        with forgiving():
            return bool(super().has_key(key))
        return False

    def incr(self, key: Any, delta: Any) -> int:
        with forgiving():
            return int(super().incr(key, delta))
        raise ValueError(f"Key {key!r} not found.")  # so says Django of one that is not there

    def set_many(self, data: Any, timeout: Any) -> None:
        with forgiving():
            super().set_many(data, timeout)

    def delete_many(self, keys: Any) -> None:
        with forgiving():
            super().delete_many(keys)


class Cache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client
