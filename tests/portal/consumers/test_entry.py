"""Whose page it is that asks, and what it shows."""

from typing import Any

import pytest

from portal.consumers import entry


def scope(kind: str = "websocket", **headers: str) -> dict[str, Any]:
    return {"type": kind, "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("websocket", {"host": "localhost:8000", "origin": "http://localhost:8000"}),
        ("websocket", {"host": "127.0.0.1:9", "origin": "https://portal.example.org"}),  # CSRF_TRUSTED_ORIGINS
        ("websocket", {"host": "localhost", "authorization": "Bearer cm_x"}),  # a program
        ("http", {"host": "[::1]:8000"}),  # browsers name no origin when they read from their own
    ],
)
def test_our_own_pages_and_programs_come_in(settings: Any, kind: str, headers: dict[str, str]) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://portal.example.org"]
    assert entry.is_from_here(scope(kind, **headers))


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("websocket", {}),
        ("websocket", {"host": "localhost:8000"}),  # a cookie alone, and no word whose page sends it
        ("websocket", {"host": "localhost:8000", "origin": "https://evil.example.org"}),
        ("websocket", {"host": "localhost:8000", "origin": "http://localhost:8001"}),
        ("websocket", {"host": "localhost:8000", "origin": "http://localhost:8000.evil.example.org"}),
        ("websocket", {"host": "localhost:8000", "origin": "null"}),
        ("websocket", {"host": "rebound.example.org", "origin": "http://rebound.example.org"}),
        ("websocket", {"host": "rebound.example.org", "authorization": "Bearer cm_x"}),
        ("http", {"host": "localhost:8000", "origin": "https://evil.example.org"}),
    ],
)
def test_pages_of_others_do_not(kind: str, headers: dict[str, str]) -> None:
    assert not entry.is_from_here(scope(kind, **headers))


def test_a_token_goes_before_a_cookie(settings: Any) -> None:
    cookie = f"{settings.SESSION_COOKIE_NAME}=abc"
    assert entry.credential(scope(cookie=cookie)).session == "abc"
    assert entry.credential(scope(cookie=cookie, authorization="bearer  cm_x ")) == entry.Credential(token="cm_x")


def test_a_credential_is_not_printed() -> None:
    assert "cm_secret" not in repr(entry.Credential(token="cm_secret"))
