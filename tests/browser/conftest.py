"""A page of Debian's Chromium, signed in to a real portal; whatever it complains about fails the test."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.portal_process import Portal

# Playwright's loop runs in this thread, where Django then takes every question to the database for a mistake.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
expect.set_options(timeout=10_000)

Opening = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return {"executable_path": found, "args": ["--no-sandbox"]}


@pytest.fixture(scope="session")
def cookies(portal: Portal) -> list[dict[str, str]]:
    """Of one session that all pages share."""
    return [{"name": name, "value": value, "url": portal.url} for name, value in portal.login().items()]


@pytest.fixture
def complaints() -> list[str]:
    """What the pages' consoles said: errors, and breaches of the content security policy."""
    return []


@pytest.fixture
def opened(
    browser: Browser, portal: Portal, cookies: list[Any], complaints: list[str]
) -> Iterator[Callable[..., BrowserContext]]:
    """Opens a browser window; `signed_in=False` one that nobody signed in to."""
    contexts: list[BrowserContext] = []

    def open_(*, signed_in: bool = True, **options: Any) -> BrowserContext:
        context = browser.new_context(**{"base_url": portal.url, "viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        if signed_in:
            context.add_cookies(cookies)
        context.on("console", lambda message: _note(message, complaints))
        context.on(
            "weberror", lambda error: complaints.append(f"{error.page.url if error.page else ''}: {error.error}")
        )
        return context

    yield open_
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def page(opened: Callable[..., BrowserContext]) -> Page:
    return opened().new_page()


def _note(message: ConsoleMessage, complaints: list[str]) -> None:
    if message.type in ("error", "warning") or "Content Security Policy" in message.text:
        complaints.append(f"{message.location.get('url')}: {message.text}")
