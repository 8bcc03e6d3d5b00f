"""From a visitor to a user: by form, mail and committee, in the page, live."""

import email
import email.policy
import re
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.factories import PASSWORD
from tests.portal_process import Portal


def mailed(portal: Portal, subject: str, *, seconds: float = 30) -> str:
    """The text of the newest mail of that subject that the portal's worker put into its folder."""
    folder, end = portal.state_dir / "mail", time.monotonic() + seconds
    while time.monotonic() < end:
        for path in sorted(folder.glob("*.log"), key=lambda each: each.stat().st_mtime, reverse=True):
            text = _text(path, subject)
            if text:
                return text
        time.sleep(0.2)
    raise AssertionError(f"No mail {subject!r}: {list(folder.glob('*'))}")


def _text(path: Path, subject: str) -> str:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    return str(body.get_content()) if body is not None and subject in str(message["Subject"]) else ""


def link_in(text: str, part: str) -> str:
    found = re.search(rf"http\S+{part}\S+", text)
    assert found, text
    return found[0]


def test_a_visitor_becomes_a_user(page: Page, opened: Callable[..., BrowserContext], portal: Portal) -> None:
    page.goto("/staff/accounts/?state=confirmed")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    visitor = opened(signed_in=False).new_page()
    visitor.goto("/login/")
    visitor.get_by_role("link", name="Apply for an account").click()
    for label, value in {
        "User name": "ada", "First name": "Ada", "Last name": "Lovelace", "E-mail": "ada@example.org",
        "Institution": "Analytical Engines", "Country": "United Kingdom",
    }.items():  # fmt: skip
        visitor.get_by_label(label, exact=True).fill(value)
    visitor.get_by_label("Your role there").select_option("faculty")
    visitor.get_by_role("button", name="Apply").click()
    expect(visitor.get_by_role("heading", name="Look into your mail")).to_be_visible()
    visitor.goto(link_in(mailed(portal, "Confirm your e-mail"), "/apply/confirm/"))
    visitor.get_by_role("button", name="Confirm").click()
    expect(visitor.get_by_role("heading", name="confirmed")).to_be_visible()

    page.get_by_role("link", name="ada", exact=True).click()  # it came into the open list by itself
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#person")).to_contain_text("approved")

    visitor.goto(link_in(mailed(portal, "is approved"), "/password/"))
    visitor.get_by_label("New password", exact=True).fill(PASSWORD)
    visitor.get_by_label("New password confirmation").fill(PASSWORD)
    visitor.get_by_role("button", name="Set the password").click()
    expect(page.locator("#person .panel-head .state").first).to_have_text("active")
    visitor.get_by_label("User name").fill("ada")
    visitor.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.get_by_role("button", name="Sign in").click()
    visitor.get_by_role("button", name="You: ada").click()
    visitor.get_by_role("link", name="Your account").click()
    expect(visitor.get_by_label("Institution", exact=True)).to_have_value("Analytical Engines")

    page.get_by_label("Reason").fill("Away.")
    page.get_by_role("button", name="Suspend").click()
    expect(visitor.get_by_role("heading", name="Sign in")).to_be_visible()
