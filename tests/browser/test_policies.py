"""A policy is written with a check that follows the typing, proposed, and waits for somebody else."""

import os

from playwright.sync_api import Page, expect


def test_a_policy_is_written_and_proposed(page: Page) -> None:
    page.goto("/staff/policies/")
    page.get_by_role("link", name="New policy").click()
    page.get_by_label("Name", exact=True).fill("quiet")
    page.get_by_label("Effect").select_option("ask")
    page.get_by_label("Service").fill("queue:batch")
    page.get_by_label("Whom it is about").select_option("rule")
    page.get_by_label("Names, or the rule").fill("project = sandbox nd role = lead")
    expect(page.locator("#policy-check mark")).to_have_text("nd role = lead")
    look(page, "policy-broken")
    page.get_by_label("Names, or the rule").fill("project = sandbox and role = lead")
    expect(page.locator("#policy-check")).to_contain_text("about 1 person in 1 project")
    page.get_by_role("button", name="Save the draft").click()
    page.get_by_role("button", name="Propose").click()
    expect(page.locator("#policy")).to_contain_text("another operator or an administrator approves it")
    look(page, "policy-proposed")
    page.goto("/staff/policies/")
    expect(page.get_by_role("row", name="quiet")).to_contain_text("proposed")
    look(page, "policies")


def test_the_boot_dialog_says_what_it_would_come_to(page: Page) -> None:
    page.goto("/servers/")
    page.locator("#boot-options").click()
    expect(page.locator("#boot-plan")).to_contain_text("1 server, 1 core")
    expect(page.locator("#boot-plan")).to_contain_text("boots at once")
    page.get_by_label("How many").fill("900")
    expect(page.locator("#boot-plan")).to_contain_text("would be refused")
    look(page, "boot-plan")


def look(page: Page, name: str) -> None:
    """Keep a picture, where somebody wants to look at it."""
    if folder := os.environ.get("CLOUDMESH_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
