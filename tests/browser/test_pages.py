"""Every page, in every width and light: it fits, and the browser has nothing to complain about."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

PAGES = (
    "/",
    "/servers/",
    "/clouds/",
    "/clouds/register/?driver=openstack",
    "/images/",
    "/flavors/",
    "/keys/",
    "/operations/",
    "/events/",
    "/jobs/",
    "/jobs/submit/",
    "/clusters/",
    "/clusters/register/?driver=slurm&way=ssh",
    "/logins/",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone(opened: Callable[..., BrowserContext], scheme: str) -> None:
    page = opened(viewport={"width": 390, "height": 844}, color_scheme=scheme).new_page()
    for path in PAGES:
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{path} is {wide} wide"


def test_dark_is_dark(opened: Callable[..., BrowserContext]) -> None:
    page = opened(color_scheme="dark").new_page()
    page.goto("/")
    assert brightness(page) < 60
    page.get_by_role("button", name="You:").click()
    page.get_by_role("button", name="Light").click()
    assert brightness(page) > 200
    page.reload()
    assert brightness(page) > 200


def brightness(page: Page) -> float:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    parts = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(parts) / 3


def test_pages_lead_to_each_other(page: Page) -> None:
    page.goto("/")
    for noun in (
        "Servers",
        "Clouds",
        "Images",
        "Flavors",
        "Keys",
        "Jobs",
        "Clusters",
        "My logins",
        "Operations",
        "Events",
        "Dashboard",
    ):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=noun, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(noun)
        expect(page.locator('.noun[aria-current="page"]')).to_have_text(noun)


def test_control_k_finds_and_does(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Find or do")
    expect(palette).to_be_visible()
    page.keyboard.type("sierra")
    expect(palette.get_by_role("option").first).to_contain_text("sierra")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("sierra")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    page.keyboard.press("Control+k")
    page.keyboard.type("boot")
    expect(palette.get_by_role("option").first).to_contain_text("Boot")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Booting")


def test_filters_live_in_the_address(page: Page) -> None:
    page.goto("/images/")
    page.get_by_label("Cloud", exact=True).select_option("india")
    expect(page).to_have_url("/images/?cloud=india")
    page.get_by_label("Name").fill("ubuntu")
    expect(page).to_have_url("/images/?q=ubuntu&cloud=india")
    expect(page.locator("#list tbody tr").filter(has_not_text="ubuntu")).to_have_count(0)
    page.go_back()
    expect(page.get_by_label("Cloud", exact=True)).to_have_value("india")
