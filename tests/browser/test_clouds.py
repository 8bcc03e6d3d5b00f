"""Registering a cloud: what works, what is refused, and what never comes back."""

from playwright.sync_api import Page, expect

from tests.portal_process import Portal

SECRET = "not-the-password-7d1"


def register(page: Page, name: str, password: str) -> None:
    page.goto("/clouds/register/")
    page.get_by_role("link", name="Simulated cloud").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("World").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Register").click()


def test_a_wrong_password_is_refused_clearly_and_nothing_is_kept(page: Page, portal: Portal) -> None:
    register(page, "tango", SECRET)
    verification = page.locator("#verify")
    expect(verification).to_contain_text("tango was not registered")
    expect(verification).to_contain_text("password")
    assert SECRET not in page.content()
    assert portal.ask("SELECT count(*) FROM clouds_cloud WHERE name = 'tango'") == [(0,)]
    page.get_by_role("link", name="Correct it and try again").click()
    expect(page.get_by_label("World")).to_have_value("tango")  # what is no secret need not be typed again
    expect(page.get_by_label("Password")).to_have_value("")
    assert SECRET not in page.content()
    page.goto("/clouds/")
    expect(page.get_by_role("heading", name="india")).to_be_visible()
    expect(page.get_by_role("heading", name="tango")).to_have_count(0)


def test_a_cloud_is_verified_then_read(page: Page) -> None:
    register(page, "uniform", "demo")
    expect(page.locator("#verify")).to_contain_text("uniform can be used")
    page.get_by_role("link", name="Open uniform").click()
    expect(page.get_by_role("heading", name="uniform")).to_be_visible()
    page.goto("/images/?cloud=uniform")
    expect(page.get_by_role("row").nth(1)).to_contain_text("uniform")


def test_what_is_missing_in_the_form_is_said_there(page: Page, complaints: list[str]) -> None:
    register(page, "Not A Name", "demo")
    expect(page.get_by_role("alert")).to_contain_text("cannot be a cloud's name")
    expect(page.get_by_label("World")).to_have_value("Not A Name")
    assert all("400" in each for each in complaints)
    complaints.clear()


def test_a_clouds_yaml_says_which_line_is_wrong(page: Page, complaints: list[str]) -> None:
    page.goto("/clouds/register/?file=clouds.yaml")
    page.get_by_label("Or its text").fill(f"clouds:\n  india:\n    auth: [{SECRET}\n")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert")).to_contain_text("Line 4, column 1 of this clouds.yaml")
    assert SECRET not in page.content()
    complaints.clear()


def test_switching_off_and_on(page: Page) -> None:
    page.goto("/clouds/")
    card = page.get_by_role("region", name="alamo")
    for word, state in (("Switch off", "off"), ("Switch on", "ok")):
        page.get_by_role("button", name="Actions on alamo").click()
        card.get_by_role("button", name=word).click()
        expect(card.locator(".panel-head .state")).to_have_text(state)
