"""What was used, drawn: charts without a complaint of the browser, tables and files beside them."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.portal_process import Portal

FORTNIGHT = """
    INSERT INTO projects_span (project_id, scope, label, object_id, cores, ram, disk, nodes, begins_at, ends_at)
    SELECT id, 'cloud:none', 'drawn', gen_random_uuid(), 1 + number %% 7, 4096, 20 + number, 0,
           now() - number * interval '1 day', now() - number * interval '1 day' + interval '20 hours'
    FROM projects_project, generate_series(1, 14) AS number WHERE name = 'sandbox' RETURNING 1
"""


@pytest.fixture
def used(portal: Portal) -> None:
    if not portal.ask("SELECT 1 FROM projects_span WHERE label = 'drawn'"):
        assert len(portal.ask(FORTNIGHT)) == 14


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_usage_is_drawn_told_and_given_away(
    opened: Callable[..., BrowserContext], tmp_path: Path, width: int, scheme: str
) -> None:
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    page.goto("/projects/sandbox/usage/")
    expect(page.locator(".chart canvas").nth(2)).to_be_visible()  # and one more where jobs had nodes
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".chart").first.hover()
    page.get_by_role("link", name="By cloud").click()
    expect(page.get_by_role("row", name="drawn")).to_be_visible()
    with page.expect_download() as given:
        page.get_by_role("link", name="CSV").click()
    given.value.save_as(tmp_path / "usage.csv")
    rows = list(csv.reader((tmp_path / "usage.csv").read_text().splitlines()))
    assert "drawn" in [row[0] for row in rows]
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")


@pytest.mark.usefixtures("used")
def test_staff_see_what_waits_and_what_all_used(opened: Callable[..., BrowserContext]) -> None:
    page = opened().new_page()
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Staff")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    expect(page.get_by_role("heading", name="Clouds of all projects")).to_be_visible()
    page.get_by_role("link", name="Usage of all projects").click()
    expect(page.get_by_role("row", name="sandbox")).to_be_visible()
