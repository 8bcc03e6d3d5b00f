"""Applying for a project as a person does: answers kept as they are given; and the committee's inbox, live."""

import subprocess
import sys

from playwright.sync_api import Page, expect

from portal.standalone.places import BASE
from tests.portal_process import Portal

SUBMIT = """
from projects import services
from tests import factories
from tests.projects import applying
applying.submitted(factories.make_user("grace"), "Compilers for everybody")
"""


def test_each_answer_is_kept_as_it_is_given(page: Page) -> None:
    page.goto("/projects/")
    page.get_by_role("link", name="Apply", exact=True).click()
    page.get_by_label("Title").fill("Quantum weather")
    page.get_by_role("button", name="Begin").click()
    sections = page.get_by_role("navigation", name="Sections")
    before = sections.get_by_role("link", name="Information")
    expect(before).to_contain_text("2 open")
    page.get_by_label("Category").select_option("education")
    expect(before).to_contain_text("1 open")
    page.get_by_label("Keywords").fill("rain, snow")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Vocabulary")).to_be_visible()
    expect(sections.get_by_role("link", name="Information")).to_contain_text("complete")
    sections.get_by_role("link", name="Resource requirements").click()
    for service in ("MPI", "Docker"):
        with page.expect_response(lambda answer: "/edit/" in answer.url and answer.request.method == "POST"):
            page.get_by_label(service, exact=True).check()
    expect(sections.get_by_role("status")).to_contain_text("Saved.")
    page.reload()
    expect(page.get_by_label("MPI", exact=True)).to_be_checked()
    expect(page.get_by_label("Docker", exact=True)).to_be_checked()
    page.goto("/applications/")
    expect(page.get_by_role("link", name="Quantum weather")).to_be_visible()


def test_a_submission_comes_into_the_open_inbox_and_is_decided(page: Page, portal: Portal) -> None:
    page.goto("/committee/")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    expect(page.get_by_role("heading", name="Nothing waits for the committee")).to_be_visible()
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", SUBMIT],
        cwd=BASE,
        env={**portal.environment, "PYTHONPATH": str(BASE)},
        check=True,
        capture_output=True,
    )
    row = page.get_by_role("row", name="Compilers for everybody")
    expect(row).to_contain_text("to do")
    row.get_by_role("link").click()
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    page.get_by_role("radio", name="Approve").check()
    page.get_by_label("Comment").fill("Good.")
    page.get_by_label("Your remark").fill("How many servers?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("How many servers?")).to_be_visible()  # and what was typed elsewhere is still there
    expect(page.get_by_label("Your remark")).to_have_value("")
    expect(page.get_by_label("Comment")).to_have_value("Good.")
    page.get_by_role("button", name="Vote", exact=True).click()
    approve = page.get_by_role("button", name="Approve")
    expect(approve).to_be_enabled()
    approve.click()
    expect(page.get_by_role("button", name="Take the decision back")).to_be_visible()
