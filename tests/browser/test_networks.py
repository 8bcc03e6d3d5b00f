"""Security groups and addresses in the browser: pages that move when somebody else's shell changes something."""

import os
import re

import pytest
from playwright.sync_api import Page, expect

from cloudmesh.client import Client
from tests.portal_process import Portal

PICTURES = os.environ.get("CLOUDMESH_PICTURES", "")  # a folder to look at afterwards


@pytest.fixture
def shell(portal: Portal) -> Client:
    """Somebody at a terminal."""
    return Client(portal.url, portal.token)


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.wait_for_timeout(300)
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def test_rules_that_a_shell_adds_appear_and_those_of_the_page_arrive(
    page: Page, shell: Client, complaints: list[str]
) -> None:
    page.goto("/secgroups/?cloud=india")
    expect(page.locator("#live")).to_contain_text("live")
    shell.create_security_group("lima", ["ssh"], cloud="india")
    row = page.get_by_role("row", name=re.compile("^.*lima"))
    expect(row).to_contain_text("tcp 22")
    row.get_by_role("button", name="Actions on lima").click()
    page.get_by_role("button", name="Add a rule…").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Rule").fill("tpc:80")
    expect(dialog).to_contain_text("cm secgroup rule add lima tpc:80")
    picture(page, "secgroup-dialog")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_role("alert")).to_contain_text("is no protocol")
    assert all("400" in each for each in complaints)
    complaints.clear()
    dialog.get_by_label("Rule").fill("tcp:8000-8100:10.0.0.0/8")
    dialog.get_by_role("button", name="Add").click()
    expect(row).to_contain_text("8000-8100")
    picture(page, "secgroups")
    row.get_by_role("button", name="Remove the rule tcp:22:0.0.0.0/0 of lima").click()
    expect(page.locator("#confirm")).to_contain_text("cm secgroup rule delete lima tcp:22:0.0.0.0/0")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(row).not_to_contain_text("tcp 22")
    [group] = shell.security_groups(name="lima")
    assert [rule["ports"] for rule in group["rules"]] == ["8000-8100"]
    shell.delete_security_groups([group])
    expect(row).to_have_count(0)


def test_a_default_chosen_on_the_page_is_the_shells_too(page: Page, shell: Client) -> None:
    page.goto("/networks/?cloud=india")
    page.get_by_role("radio", name="india-storage is my default network on india").check()
    picture(page, "networks")
    chosen = page.locator(".toast-note", has_text="india-storage is your default network")
    expect(chosen).to_be_visible()
    assert [each["name"] for each in shell.networks(cloud="india") if each["is_default"]] == ["india-storage"]
    shell.set_defaults(networks={"india": ""})
    expect(page.get_by_role("radio", name=re.compile("india-storage"))).not_to_be_checked()


def test_addresses_come_and_go_with_a_shell(page: Page, shell: Client) -> None:
    page.goto("/ips/?cloud=sierra")
    expect(page.locator("#live")).to_contain_text("live")
    page.get_by_role("button", name="Reserve addresses").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Cloud").select_option("sierra")
    dialog.get_by_role("button", name="Reserve").click()
    row = page.get_by_role("row", name=re.compile(r"192\.0\.2\."))
    expect(row).to_contain_text("unused")
    picture(page, "ips")
    [address] = shell.addresses(cloud="sierra")
    shell.release_addresses([address])
    expect(row).to_have_count(0)


@pytest.mark.parametrize("path", ["secgroups", "networks", "ips"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_phone(page: Page, path: str, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/{path}/")
    picture(page, f"{path}-phone-{scheme}")
    beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(beyond) <= 0
