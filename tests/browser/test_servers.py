"""The main job: a server with one click, seen live wherever it is changed."""

import json
import re
import urllib.request
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Locator, Page, expect

from clouds.drivers.simulator import control
from tests.portal_process import Portal


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def watch_reloads(page: Page) -> None:
    page.evaluate("window.stayed = true")


def assert_not_reloaded(page: Page) -> None:
    assert page.evaluate("window.stayed") is True


def live(page: Page, path: str) -> Page:
    page.goto(path)
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    watch_reloads(page)
    return page


def next_name(page: Page) -> str:
    """What the boot button says that the next server will be called."""
    return page.locator("#boot-next").inner_text().split()[-1]


def boot(portal: Portal, **wanted: object) -> str:
    """As a program does, by the REST API; the name of the server."""
    request = urllib.request.Request(
        f"{portal.url}/api/v1/servers/",
        data=json.dumps(wanted).encode(),
        headers={"Authorization": f"Bearer {portal.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["servers"][0]["name"])


def test_one_click_boots_the_named_server_to_active_without_a_reload(page: Page) -> None:
    live(page, "/servers/")
    button, name = page.locator("#boot-next"), next_name(page)
    button.click()
    expect(page.locator("#toasts")).to_contain_text(f"Booting {name}")
    expect(row(page, name).locator(".state")).to_have_text("active")
    expect(row(page, name)).to_contain_text(re.compile(r"\d+\.\d+\.\d+\.\d+"))
    expect(button).not_to_contain_text(name)  # the next one has another name
    assert_not_reloaded(page)


def test_two_windows_see_the_same(opened: Callable[..., BrowserContext]) -> None:
    one, two = live(opened().new_page(), "/servers/"), live(opened().new_page(), "/servers/")
    name = next_name(one)
    one.locator("#boot-next").click()
    expect(row(two, name).locator(".state")).to_have_text("active")
    assert_not_reloaded(two)


def test_a_boot_from_elsewhere_appears_in_an_open_page(page: Page, portal: Portal) -> None:
    live(page, "/servers/")
    name = boot(portal, cloud="sierra", name="from-the-shell")
    expect(row(page, name).locator(".state")).to_have_text("active")
    assert_not_reloaded(page)


def test_a_change_made_directly_at_the_cloud_appears(page: Page, portal: Portal) -> None:
    live(page, "/servers/?cloud=alamo")
    world = portal.world("alamo")
    control.boot(world, "made-outside")
    expect(row(page, "made-outside").locator(".state")).to_have_text("active", timeout=20_000)
    expect(row(page, "made-outside")).to_contain_text("made outside")
    control.act(world, "made-outside", "delete")
    expect(row(page, "made-outside")).to_have_count(0, timeout=20_000)
    assert_not_reloaded(page)


def test_stop_then_delete_with_confirmation(page: Page, portal: Portal) -> None:
    name = boot(portal, cloud="india", name="short-lived")
    live(page, "/servers/")
    expect(row(page, name).locator(".state")).to_have_text("active")
    choose(page, name, "Stop")
    expect(row(page, name).locator(".state")).to_have_text("stopped")
    choose(page, name, "Delete…")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Delete {name}?")
    expect(dialog).to_contain_text(f"cm vm delete {name}")
    dialog.get_by_role("button", name="Keep").click()
    expect(row(page, name).locator(".state")).to_have_text("stopped")
    choose(page, name, "Delete…")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(row(page, name)).to_have_count(0)
    assert_not_reloaded(page)


def choose(page: Page, name: str, action: str) -> None:
    page.get_by_role("button", name=f"Actions on {name}", exact=True).click()
    row(page, name).get_by_role("button", name=action, exact=True).click()


def test_several_are_deleted_at_once(page: Page, portal: Portal) -> None:
    names = ["many_1", "many_2", "many_3"]
    boot(portal, cloud="india", name="many", count=3)
    live(page, "/servers/?q=many")
    for name in names:
        expect(row(page, name).locator(".state")).to_have_text("active")
    page.get_by_label("Select all servers of this page").check()
    page.get_by_role("toolbar", name="Selected servers").get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete 3 servers?")
    expect(dialog).to_contain_text("many_2")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("rowheader", name=re.compile("^many_"))).to_have_count(0)


def test_the_dialog_boots_what_was_chosen_and_spells_its_command(page: Page) -> None:
    live(page, "/servers/")
    page.get_by_role("button", name="Boot with options").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Cloud", exact=True).select_option("sierra")
    expect(dialog.get_by_label("Cloud", exact=True)).to_have_value("sierra")
    dialog.get_by_label("Name").fill("web[1-2]")
    expect(dialog.locator(".cm code")).to_contain_text("cm vm boot")
    expect(dialog.locator(".cm code")).to_contain_text("--cloud sierra")
    dialog.get_by_role("button", name="Boot", exact=True).click()
    for name in ("web1", "web2"):
        expect(row(page, name).locator(".state")).to_have_text("active")
        expect(row(page, name)).to_contain_text("sierra")


def test_what_cannot_be_booted_is_said_in_the_dialog(page: Page, complaints: list[str]) -> None:
    live(page, "/servers/")
    page.get_by_role("button", name="Boot with options").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("no spaces please")
    dialog.get_by_role("button", name="Boot", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("cannot be a server's name")
    assert [each for each in complaints if "400" not in each] == []
    complaints.clear()  # the browser notes the refusal too


def test_a_server_has_a_page_that_stays_true(page: Page, portal: Portal) -> None:
    name = boot(portal, cloud="india", name="watched")
    page.goto(f"/servers/?q={name}")
    row(page, name).get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    facts = page.locator("#server")
    expect(facts.locator("#facts-title .state")).to_have_text("active")
    page.get_by_text("What india says of it").click()
    expect(facts.locator("pre.native")).to_contain_text('"name": "watched"')
    facts.get_by_role("button", name="Stop").click()
    expect(facts.locator("#facts-title .state")).to_have_text("stopped")
    expect(facts.locator("pre.native")).to_be_visible()  # what was open stays open
    expect(facts).to_contain_text(f"server {name} stopped")
