"""What the driver asks for, and what it makes of the answers."""

import base64
import datetime
from collections.abc import Callable

import pytest

from cloudmesh.errors import Busy, CloudmeshError, Gone, Rejected
from cloudmesh.types import Json, ServerState
from clouds.drivers.openstack import OpenStack
from tests.clouds.drivers.openstack.replay import Answer, Asked, Replay, paged, recorded, spec

SERVERS = "/compute/v2.1/servers"
KEYS = "/compute/v2.1/os-keypairs"
ACTION = f"{SERVERS}/id-1/action"


def server(**changes: object) -> Json:
    return {"id": "id-1", "name": "gregor_1", "status": "ACTIVE", "metadata": {"cloudmesh_token": "wish-1"}, **changes}


def conflict(message: str = "Cannot do it") -> Answer:
    return Answer({"conflictingRequest": {"code": 409, "message": message}}, 409)


@pytest.fixture
def old(replay: Replay) -> None:
    """A Nova of before microversions were used for anything."""
    replay.on("GET", "/compute/v2.1/", Answer({"version": {"id": "v2.1", "version": "2.1"}}))


@pytest.fixture
def booting(replay: Replay) -> Callable[[], Json]:
    """A cloud that accepts a server; gives the wish it was asked for."""
    replay.on("GET", "/network/v2.0/networks", Answer(recorded("networks")))
    replay.on("POST", SERVERS, Answer({"server": {"id": "id-1", "adminPass": "secret"}}, 202))
    return lambda: replay.to("POST", SERVERS)[-1].body["server"]


# -- reading -------------------------------------------------------------------------------------------------------


def test_changes_are_asked_for_in_utc(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", f"{SERVERS}/detail", Answer(recorded("changes")))
    since = datetime.datetime(2026, 11, 22, 13, 30, 5, 999, datetime.timezone(datetime.timedelta(hours=2)))
    states = {each.name: each.state for each in driver.servers(since=since)}
    assert replay.to("GET", f"{SERVERS}/detail")[0].query["changes-since"] == "2026-11-22T11:30:05Z"
    assert states["gregor_5"] is ServerState.DELETED


def test_images_are_those_one_can_boot(replay: Replay, driver: OpenStack) -> None:
    own = recorded("token")["token"]["project"]["id"]
    images = [
        {"id": "1", "name": "mine", "visibility": "private", "owner": own},
        {"id": "2", "name": "of another project, shown to an administrator", "visibility": "private", "owner": "x"},
        {"id": "3", "name": "a kernel", "visibility": "public", "container_format": "aki"},
        {"id": "4", "name": "shared with me", "visibility": "shared", "owner": "x"},
    ]
    replay.on("GET", "/image/v2/images", Answer({"images": images}))
    assert [image.name for image in driver.images()] == ["mine", "shared with me"]


def test_limits_of_nova_and_neutron(replay: Replay, driver: OpenStack) -> None:
    own = recorded("token")["token"]["project"]["id"]
    replay.on("GET", "/compute/v2.1/limits", Answer(recorded("limits")))
    assert {limit.resource for limit in driver.limits()} == {"instances", "cores", "ram", "server_groups", "keys"}
    replay.on("GET", f"/network/v2.0/quotas/{own}/details.json", Answer(recorded("quotas")))
    assert {limit.resource for limit in driver.limits()} >= {"instances", "floating_ips", "security_groups"}


# -- the token -----------------------------------------------------------------------------------------------------


def test_a_server_is_made_with_its_token_twice(driver: OpenStack, booting: Callable[[], Json]) -> None:
    made = driver.create_server(spec(labels={"group": "demo"}), token="wish-1")
    assert booting()["tags"] == ["cloudmesh:wish-1"]
    assert booting()["metadata"] == {"group": "demo", "cloudmesh_token": "wish-1"}
    assert (made.id, made.token, made.state) == ("id-1", "wish-1", ServerState.BUILDING)
    assert "secret" not in repr(made)


@pytest.mark.usefixtures("old")
def test_an_old_nova_keeps_the_token_once(driver: OpenStack, booting: Callable[[], Json]) -> None:
    driver.create_server(spec(), token="wish-1")
    assert "tags" not in booting()
    assert booting()["metadata"] == {"cloudmesh_token": "wish-1"}


def test_it_is_found_by_its_tag(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", f"{SERVERS}/detail", Answer({"servers": [server()]}))
    found = driver.find("wish-1")
    assert found is not None
    assert found.id == "id-1"
    assert [asked.query["tags"] for asked in replay.to("GET", f"{SERVERS}/detail")] == ["cloudmesh:wish-1"]


@pytest.mark.usefixtures("old")
def test_an_old_nova_is_searched_to_the_last_page(replay: Replay, driver: OpenStack) -> None:
    others = [server(id=f"other-{n}", metadata={}) for n in range(7)]
    replay.on("GET", f"{SERVERS}/detail", paged("servers", [*others, server()], 3))
    found = driver.find("wish-1")
    assert found is not None
    assert found.id == "id-1"
    assert driver.find("wish-2") is None


@pytest.mark.parametrize(
    ("changes", "adopted"),
    [
        ({"status": "BUILD"}, True),
        ({"status": "ERROR"}, True),
        ({"status": "SHUTOFF"}, True),
        ({"status": "DELETED"}, False),
        ({"status": "SOFT_DELETED"}, False),
        ({"OS-EXT-STS:task_state": "deleting"}, False),
        ({"metadata": {"cloudmesh_token": "wish-2"}}, False),
    ],
)
def test_only_a_living_server_with_the_token_is_adopted(
    replay: Replay, driver: OpenStack, changes: Json, adopted: bool
) -> None:
    replay.on("GET", f"{SERVERS}/detail", Answer({"servers": [server(**changes)]}))
    assert bool(driver.find("wish-1")) is adopted


def test_of_two_with_one_token_the_elder_is_adopted(replay: Replay, driver: OpenStack) -> None:
    twins = [server(id="young", created="2026-11-22T12:00:09Z"), server(id="old", created="2026-11-22T12:00:01Z")]
    replay.on("GET", f"{SERVERS}/detail", Answer({"servers": twins}))
    found = driver.find("wish-1")
    assert found is not None
    assert found.id == "old"


# -- changing ------------------------------------------------------------------------------------------------------


def test_a_wish_with_everything(driver: OpenStack, booting: Callable[[], Json]) -> None:
    wish = spec(key="gregor", networks=("n1", "n2"), security_groups=("default", "web"), user_data="#cloud-config ü")
    driver.create_server(wish, token="wish-1")
    assert (
        booting().items()
        >= {
            "name": "gregor_1",
            "imageRef": "image-1",
            "flavorRef": "flavor-1",
            "key_name": "gregor",
            "networks": [{"uuid": "n1"}, {"uuid": "n2"}],
            "security_groups": [{"name": "default"}, {"name": "web"}],
        }.items()
    )
    assert base64.b64decode(booting()["user_data"]).decode() == "#cloud-config ü"


def test_a_wish_with_nothing_leaves_out_what_nova_would_stumble_over(
    driver: OpenStack, booting: Callable[[], Json]
) -> None:
    driver.create_server(spec(), token="wish-1")
    assert booting().keys() == {"name", "imageRef", "flavorRef", "metadata", "tags", "networks"}


@pytest.mark.parametrize(
    ("action", "asked"),
    [
        ("start", {"os-start": None}),
        ("stop", {"os-stop": None}),
        ("reboot", {"reboot": {"type": "SOFT"}}),
        ("suspend", {"suspend": None}),
        ("unshelve", {"unshelve": None}),
    ],
)
def test_an_action_is_one_request(replay: Replay, driver: OpenStack, action: str, asked: Json) -> None:
    replay.on("POST", ACTION, Answer(status=202))
    driver.act("id-1", action)
    assert [(each.method, each.body) for each in replay.asked[1:]] == [("POST", asked)]


def test_a_new_name_is_put(replay: Replay, driver: OpenStack) -> None:
    replay.on("PUT", f"{SERVERS}/id-1", Answer({"server": server(name="new")}))
    driver.act("id-1", "rename", value="new")
    assert replay.to("PUT", f"{SERVERS}/id-1")[0].body == {"server": {"name": "new"}}


@pytest.mark.parametrize(
    ("action", "changes", "error"),
    [
        ("start", {"status": "ACTIVE"}, None),
        ("stop", {"status": "SHUTOFF"}, None),
        ("shelve", {"status": "SHELVED_OFFLOADED"}, None),
        ("reboot", {"status": "ACTIVE"}, Rejected),
        ("stop", {"status": "ERROR"}, Rejected),
        ("start", {"status": "PAUSED"}, Rejected),
        ("stop", {"status": "BUILD"}, Busy),
        ("start", {"status": "SHUTOFF", "OS-EXT-STS:task_state": "powering-off"}, Busy),
    ],
)
def test_what_a_conflict_means_depends_on_the_server(
    replay: Replay, driver: OpenStack, action: str, changes: Json, error: type[CloudmeshError] | None
) -> None:
    replay.on("POST", ACTION, conflict("Instance id-1 is not ready"))
    replay.on("GET", f"{SERVERS}/id-1", Answer({"server": server(**changes)}))
    if error is None:
        driver.act("id-1", action)
        return
    with pytest.raises(error, match="Instance id-1 is not ready") as reason:
        driver.act("id-1", action)
    assert type(reason.value) is error


def test_other_refusals_of_an_action_are_final(replay: Replay, driver: OpenStack) -> None:
    replay.on("POST", ACTION, Answer({"forbidden": {"message": "Policy doesn't allow it"}}, 403))
    with pytest.raises(Rejected, match="Policy"):
        driver.act("id-1", "start")
    assert replay.to("GET", f"{SERVERS}/id-1") == []


def test_a_server_that_is_gone_needs_no_deleting(replay: Replay, driver: OpenStack) -> None:
    driver.delete_server("id-1")
    assert len(replay.to("DELETE", f"{SERVERS}/id-1")) == 1
    replay.on("DELETE", f"{SERVERS}/id-1", conflict("Instance id-1 is locked"))
    with pytest.raises(Rejected, match="locked"):
        driver.delete_server("id-1")


# -- beside the server ---------------------------------------------------------------------------------------------


def pair(body: str, name: str = "gregor") -> Answer:
    return Answer(
        {"keypair": {"name": name, "public_key": f"ssh-ed25519 {body} gregor@laptop", "fingerprint": "aa:bb"}}
    )


def test_a_key_that_is_there_is_not_sent_again(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", f"{KEYS}/gregor", pair("AAAA"))
    assert driver.ensure_key("gregor", "ssh-ed25519 AAAA other@comment").fingerprint == "aa:bb"
    assert replay.to("POST", KEYS) == []


def test_another_key_of_that_name_is_not_replaced(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", f"{KEYS}/gregor", pair("BBBB"))
    with pytest.raises(Rejected, match=r"a different key named gregor \(aa:bb\): give yours another name"):
        driver.ensure_key("gregor", "ssh-ed25519 AAAA gregor@laptop")


@pytest.mark.parametrize(("body", "same"), [("AAAA", True), ("BBBB", False)])
def test_a_key_that_someone_else_made_just_before(replay: Replay, driver: OpenStack, body: str, same: bool) -> None:
    replay.on("GET", f"{KEYS}/gregor", [Answer(status=404), pair(body)])
    replay.on("POST", KEYS, conflict("Key pair 'gregor' already exists."))
    if same:
        assert driver.ensure_key("gregor", "ssh-ed25519 AAAA gregor@laptop").name == "gregor"
        return
    with pytest.raises(Rejected, match="a different key"):
        driver.ensure_key("gregor", "ssh-ed25519 AAAA gregor@laptop")


def test_names_of_keys_are_quoted(replay: Replay, driver: OpenStack) -> None:
    driver.delete_key("my key/of ü")
    assert replay.asked[-1].path == f"{KEYS}/my%20key%2Fof%20%C3%BC"


def console(kinds: str) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        ((action, wish),) = asked.body.items()
        if wish["type"] not in kinds:
            return Answer({"badRequest": {"message": f"Unavailable console type {wish['type']}."}}, 400)
        key = action if action == "remote_console" else "console"
        return Answer({key: {"url": "https://cloud.example/console?token=1", "type": wish["type"]}})

    return answer


@pytest.mark.parametrize("kind", ["novnc", "spice-html5", "serial"])
def test_the_screen_that_the_cloud_has(replay: Replay, driver: OpenStack, kind: str) -> None:
    replay.on("POST", f"{SERVERS}/id-1/remote-consoles", console(kind))
    assert driver.console("id-1").kind == kind


@pytest.mark.usefixtures("old")
def test_the_screen_of_an_old_cloud(replay: Replay, driver: OpenStack) -> None:
    replay.on("POST", ACTION, console("spice-html5"))
    assert driver.console("id-1").url == "https://cloud.example/console?token=1"
    assert list(replay.to("POST", ACTION)[-1].body) == ["os-getSPICEConsole"]


def test_a_cloud_without_screens_says_so(replay: Replay, driver: OpenStack) -> None:
    replay.on("POST", f"{SERVERS}/id-1/remote-consoles", console(""))
    with pytest.raises(Rejected, match="Unavailable console type novnc"):
        driver.console("id-1")


def test_the_console_log_has_as_many_lines_as_asked_for(replay: Replay, driver: OpenStack) -> None:
    replay.on("POST", ACTION, Answer({"output": "one\ntwo"}))
    assert driver.console_log("id-1", lines=2) == "one\ntwo"
    assert replay.to("POST", ACTION)[0].body == {"os-getConsoleOutput": {"length": 2}}


def test_what_is_not_there_is_gone(driver: OpenStack) -> None:
    with pytest.raises(Gone):
        driver.console("id-1")
