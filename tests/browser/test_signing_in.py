"""Getting in and out."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.portal_process import Portal


def test_a_login_link_works_once(opened: Callable[..., BrowserContext], portal: Portal, complaints: list[str]) -> None:
    link = portal.link()
    page = opened(signed_in=False).new_page()
    page.goto(link)
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    assert link.rsplit("/", 2)[1] not in page.url
    again = opened(signed_in=False).new_page()
    again.goto(link)
    expect(again.get_by_role("heading")).to_have_text("This link does not work any more")
    assert all("410" in each for each in complaints)
    complaints.clear()


def test_signing_out_closes_the_pages(opened: Callable[..., BrowserContext], portal: Portal) -> None:
    page = opened(signed_in=False).new_page()
    page.goto(portal.link())
    page.get_by_role("button", name="You:").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/servers/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_wrong_password_is_said(opened: Callable[..., BrowserContext], complaints: list[str]) -> None:
    page = opened(signed_in=False).new_page()
    page.goto("/login/")
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not go together")
    assert all("403" in each for each in complaints)
    complaints.clear()
