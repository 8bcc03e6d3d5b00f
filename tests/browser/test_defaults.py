"""One set of defaults: what the shell sets moves the open page, what the page sets the shell tells."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.test_servers import assert_not_reloaded, live, next_name
from tests.cloudmesh.shell.terminal import cm
from tests.portal_process import Portal

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def shell(portal: Portal) -> Iterator[Shell]:
    """`cm` of the person whose pages these are; afterwards nothing is set any more."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        ended = cm(*arguments, CLOUDMESH_URL=portal.url, CLOUDMESH_TOKEN=portal.token)
        assert ended.returncode == 0, ended.stderr
        return ended

    yield run
    for key in ("cloud", "group", "prefix", "width", "schema", "format"):
        run("default", "delete", key, "--format", "table")
    for key in ("image", "flavor"):
        run("default", "delete", key, "--cloud", "india")


def told(shell: Shell) -> dict[str, Any]:
    """What `cm info` says: value and source by key."""
    rows = json.loads(shell("info", "--format", "json").stdout)
    return {each["key"]: (each["value"], each.get("source")) for each in rows}


def radio(page: Page, name: str, cloud: str) -> Locator:
    return page.get_by_role("row").filter(has_text=cloud).get_by_label(f"{name} is my default", exact=False)


def test_what_the_shell_sets_moves_the_open_pages(opened: Callable[..., BrowserContext], shell: Shell) -> None:
    context = opened()
    images, clouds, servers = (
        live(context.new_page(), path) for path in ("/images/?cloud=india", "/clouds/", "/servers/")
    )
    servers.get_by_role("button", name="Boot with options").click()
    dialog = servers.get_by_role("dialog")
    dialog.get_by_label("Name").fill("kept-as-typed")
    shell("default", "cloud", "india")
    expect(dialog.get_by_label("Cloud", exact=True)).to_have_value("india")
    expect(clouds.get_by_label("india is my default cloud")).to_be_checked()
    shell("default", "image", "debian-12", "--cloud", "india")
    expect(radio(images, "debian-12", "india")).to_be_checked()
    expect(dialog.get_by_label("Image")).to_have_value("debian-12")
    expect(dialog.locator("#boot-image-hint")).to_have_text("your default")
    expect(dialog.get_by_label("Name")).to_have_value("kept-as-typed")
    shell("label", "--prefix", "live-", "--width", "3", "--number", "7")
    expect(dialog.get_by_label("Name")).to_have_attribute("placeholder", "live-007")
    expect(servers.locator("#boot-next")).to_contain_text("live-007")
    for page in (images, clouds, servers):
        assert_not_reloaded(page)


def test_what_is_chosen_in_the_open_dialog_stays_when_a_default_changes(page: Page, shell: Shell) -> None:
    live(page, "/servers/")
    page.get_by_role("button", name="Boot with options").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Cloud", exact=True).select_option("sierra")
    expect(dialog.locator(".cm code")).to_have_text("cm vm boot --cloud sierra")
    shell("default", "group", "class")
    expect(dialog.get_by_label("Group")).to_have_value("class")
    expect(dialog.get_by_label("Cloud", exact=True)).to_have_value("sierra")
    expect(dialog.locator(".cm code")).to_have_text("cm vm boot --cloud sierra")


def test_what_the_page_sets_the_shell_tells(page: Page, shell: Shell) -> None:
    live(page, "/clouds/")
    page.get_by_label("india is my default cloud").check()
    expect(page.locator("#toasts")).to_contain_text("india is your default cloud")
    live(page, "/flavors/?cloud=india")
    radio(page, "m1.large", "india").check()
    expect(page.locator("#toasts")).to_contain_text("m1.large is your default flavor")
    known = told(shell)
    assert (known["cloud"], known["flavor"]) == (("india", "own"), ("m1.large", "own"))
    live(page, "/servers/")
    assert known["name"][0] == next_name(page)
