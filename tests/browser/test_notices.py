"""Notices, webhooks and the admin console as one sees them; each page also without a complaint of the browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.portal_process import Portal

NOTICES = """
    INSERT INTO accounts_notice (id, user_id, kind, title, text, url, at)
    SELECT gen_random_uuid(), id, 'operation', 'gregor_' || number || ': server create failed',
           'No valid host was found.', '/operations/', now() - number * interval '1 hour'
    FROM accounts_user, generate_series(1, 3) AS number WHERE is_superuser RETURNING 1
"""


@pytest.fixture
def told(portal: Portal) -> None:
    portal.ask("DELETE FROM accounts_notice RETURNING 1")
    assert portal.ask(NOTICES)


@pytest.mark.usefixtures("told")
def test_the_bell_rings_in_every_open_page(opened: Callable[..., BrowserContext], tmp_path: Path) -> None:
    here, there = opened().new_page(), opened().new_page()
    here.goto("/")
    there.goto("/account/notices/")
    for page in (here, there):
        expect(page.locator("#live")).to_have_attribute("data-state", "live")
        expect(page.locator(".bell-count")).to_have_text("3")
    here.get_by_role("button", name="Notices: 3 unread").click()
    expect(here.locator(".bell-item")).to_have_count(3)
    here.screenshot(path=tmp_path / "bell.png")
    here.get_by_role("button", name="gregor_1: server create failed").click()
    expect(here.get_by_role("heading", level=1)).to_have_text("Operations")
    expect(there.locator(".bell-count")).to_have_text("2")
    there.screenshot(path=tmp_path / "notices.png")
    there.get_by_role("button", name="Mark all as read").click()
    expect(here.locator(".bell-count")).to_have_count(0)


def test_a_webhook_is_added_and_tested(page: Page, tmp_path: Path) -> None:
    page.goto("/account/webhooks/")
    page.get_by_label("URL").fill("http://127.0.0.1:9/hook")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("whsec_")
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("row", name="could not be reached").first).to_be_visible(timeout=30_000)
    page.screenshot(path=tmp_path / "webhook.png")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="No webhooks yet")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_console_is_the_portals_own(opened: Callable[..., BrowserContext], tmp_path: Path, scheme: str) -> None:
    page = opened(color_scheme=scheme).new_page()
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Waiting for somebody")).to_be_visible()
    page.screenshot(path=tmp_path / "console.png")
    page.get_by_role("link", name="Events").click()
    expect(page.locator("#result_list tbody tr").first).to_be_visible()
    page.screenshot(path=tmp_path / "events.png")
    page.locator("#result_list tbody th a, #result_list tbody td a").first.click()
    expect(page.get_by_text("Verb")).to_be_visible()
    page.goto("/admin/accounts/user/")
    page.get_by_role("checkbox").nth(1).check()
    expect(page.get_by_placeholder("Reason")).to_be_visible()
    page.screenshot(path=tmp_path / "users.png")
