"""Jobs in the browser: from the form to their end without a reload, with what they write as they write it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from hpc.drivers.simulator import control
from tests.browser.test_servers import assert_not_reloaded, live, row
from tests.portal_process import Portal

SCRIPT = "#!/bin/bash\necho first words\nsleep 60\necho last words\n"


@pytest.fixture
def cluster(portal: Portal) -> Iterator[control.World]:
    """Its time passes quickly, and nobody else is there."""
    world = control.World(portal.state_dir, "india")
    control.set_crowd(world, 0)
    control.set_speed(world, 6)
    yield world
    control.set_speed(world, 1)


def fill(page: Page, name: str, script: str = SCRIPT) -> None:
    page.goto("/jobs/submit/?cluster=india")
    page.get_by_label("Command or script").fill(script)
    page.get_by_label("Name", exact=True).fill(name)


def state(page: Page) -> Locator:
    return page.locator("#page-head .state")


def test_a_job_runs_to_its_end_and_is_followed_without_a_reload(page: Page, cluster: control.World) -> None:
    fill(page, "follow-me")
    expect(page.locator("#submit-plan")).to_contain_text("submitted at once")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("follow-me")
    page.evaluate("window.stayed = true")
    expect(state(page)).to_have_text("running")
    output = page.locator("#file-output")
    expect(output).to_contain_text("first words")
    expect(output).not_to_contain_text("last words")
    expect(output).to_contain_text("last words", timeout=30_000)
    expect(state(page)).to_have_text("completed", timeout=30_000)
    expect(page.locator("#job")).to_contain_text("Exit code")
    assert_not_reloaded(page)


def test_a_job_appears_in_an_open_list_and_is_cancelled_there(page: Page, cluster: control.World) -> None:
    other = page.context.new_page()
    live(page, "/jobs/?owner=me")
    fill(other, "stop-me", "sleep 3600")
    other.get_by_role("button", name="Submit").click()
    mine = row(page, "stop-me")
    expect(mine.locator(".state")).to_have_text("running")
    mine.get_by_role("button", name="Actions").click()
    mine.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect(mine.locator(".state")).to_have_text("cancelled")
    assert_not_reloaded(page)


def test_what_cannot_be_is_said_at_its_field(page: Page, cluster: control.World, complaints: list[str]) -> None:
    fill(page, "too-long")
    page.get_by_label("Longest time").fill("90")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_label("Longest time")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#submit-form")).to_contain_text("is no time: write 2h")
    assert all("400" in complaint for complaint in complaints)
    complaints.clear()  # the browser's own, about the answer


def test_a_node_tells_what_it_has(page: Page, cluster: control.World) -> None:
    page.goto("/clusters/")
    page.get_by_role("link", name="delta", exact=True).first.click()
    page.get_by_role("link", name="Nodes", exact=True).click()
    page.get_by_role("button", name="d001").click()
    expect(page.locator("#node")).to_contain_text("Jobs on it")
    expect(page.locator("#node")).to_contain_text("cores")
