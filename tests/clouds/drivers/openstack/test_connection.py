"""Logging in, asking and paging, over real sockets."""

from collections.abc import Callable
from typing import Any

import pytest

from cloudmesh.errors import Busy, CloudmeshError, Gone, Refused, Rejected, Unreachable
from cloudmesh.types import Json
from clouds.drivers import Site
from clouds.drivers.openstack import OpenStack
from clouds.drivers.openstack.connection import Cloud
from tests.clouds.drivers.openstack.replay import Answer, Replay, paged, recorded, serving

TOKENS = "/identity/v3/auth/tokens"
SERVERS = "/compute/v2.1/servers/detail"
Connect = Callable[..., OpenStack]


def identity(replay: Replay) -> Json:
    asked: Json = replay.to("POST", TOKENS)[0].body["auth"]
    return asked


def many(count: int) -> list[Json]:
    return [{"id": f"id-{n:05}", "name": f"vm{n}", "status": "ACTIVE"} for n in range(count)]


# -- login ---------------------------------------------------------------------------------------------------------


def test_a_password_is_sent_with_its_domains(replay: Replay, driver: OpenStack) -> None:
    assert driver.check() == "india in project india"
    assert identity(replay) == {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": "india", "domain": {"name": "Default"}, "password": "the secret word"}},
        },
        "scope": {"project": {"name": "india", "domain": {"name": "Default"}}},
    }


def test_ids_count_before_names(replay: Replay, connect: Connect) -> None:
    connect(user_domain_id="d1", project_domain_id="d2").check()
    assert identity(replay)["identity"]["password"]["user"]["domain"] == {"id": "d1"}
    assert identity(replay)["scope"] == {"project": {"name": "india", "domain": {"id": "d2"}}}


def test_without_a_domain_it_is_the_default_one(replay: Replay, connect: Connect) -> None:
    connect(user_domain_name="", project_domain_name="").check()
    assert identity(replay)["identity"]["password"]["user"]["domain"] == {"name": "Default"}
    assert identity(replay)["scope"]["project"]["domain"] == {"name": "Default"}


def test_a_project_id_needs_no_domain(replay: Replay, connect: Connect) -> None:
    connect(project_id="p1").check()
    assert identity(replay)["scope"] == {"project": {"id": "p1"}}


def test_an_application_credential_counts_before_a_password(replay: Replay, connect: Connect) -> None:
    connect(application_credential_id="a1", application_credential_secret="s1").check()
    assert identity(replay) == {
        "identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": "a1", "secret": "s1"},
        }
    }


@pytest.mark.parametrize("ending", ["/v3", "/v3/", "", "/", "/v2.0", "/v3/auth/tokens"])
def test_the_identity_url_may_end_as_people_write_it(replay: Replay, connect: Connect, ending: str) -> None:
    assert connect(auth_url=f" {replay.url}/identity{ending} ").check()


def test_a_login_is_used_again(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", SERVERS, Answer({"servers": []}))
    assert [list(driver.servers()) for _ in range(3)] == [[], [], []]
    assert len(replay.to("POST", TOKENS)) == 1
    assert {asked.headers["X-Auth-Token"] for asked in replay.to("GET", SERVERS)} == {"token-1"}


def test_a_token_that_ended_is_renewed_once(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", SERVERS, [Answer(status=401), Answer({"servers": many(1)})])
    assert [server.name for server in driver.servers()] == ["vm0"]
    assert [asked.headers["X-Auth-Token"] for asked in replay.to("GET", SERVERS)] == ["token-1", "token-2"]


def test_a_second_401_is_a_refusal(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", SERVERS, Answer(status=401))
    with pytest.raises(Refused):
        list(driver.servers())
    assert len(replay.to("GET", SERVERS)) == 2


@pytest.mark.parametrize("missing", ["username", "password"])
def test_half_a_login_is_refused_before_anything_is_sent(replay: Replay, connect: Connect, missing: str) -> None:
    with pytest.raises(Refused, match="Give a user name with its password"):
        connect(**{missing: ""}).check()
    assert replay.asked == []


def test_no_keystone_at_the_url(replay: Replay, connect: Connect) -> None:
    with pytest.raises(Rejected, match=r"There is no Keystone at .*/wrong/v3/auth/tokens") as reason:
        connect(auth_url=f"{replay.url}/wrong").check()
    assert reason.value.facts["field"] == "auth_url"


@pytest.mark.parametrize(
    "url", ["", "cloud.example.org", "ftp://cloud.example.org", "http://[", "http://me:secret@x/v3"]
)
def test_what_is_no_url_is_said_to_be_none(connect: Connect, url: str) -> None:
    with pytest.raises(Rejected, match=r"The identity URL is that of Keystone, such as"):
        connect(auth_url=url).check()


def test_a_login_without_a_project_is_of_no_use(replay: Replay, driver: OpenStack) -> None:
    token = {name: value for name, value in recorded("token")["token"].items() if name not in ("project", "catalog")}
    replay.on("POST", TOKENS, Answer({"token": token}, 201, {"X-Subject-Token": "t"}))
    with pytest.raises(Rejected, match="leads to no project"):
        driver.check()


def test_a_region_that_is_not_there(replay: Replay, connect: Connect) -> None:
    with pytest.raises(Rejected, match="no compute service for this region"):
        connect(region_name="Atlantis").check()
    with pytest.raises(Rejected, match=r"Atlantis.*check region and interface"):
        list(connect(region_name="Atlantis").servers())


def test_the_version_is_added_where_the_catalog_has_none(replay: Replay, driver: OpenStack) -> None:
    replay.catalog = {"compute": "/bare/", "image": "/image", "network": "/network/v2.0"}
    replay.on("GET", "/bare/v2.1/", Answer(recorded("version")))
    replay.on("GET", "/bare/v2.1/flavors/detail", Answer(recorded("flavors")))
    replay.on("GET", "/image/v2/images", Answer(recorded("images")))
    assert len(list(driver.flavors())) == 7
    assert len(list(driver.images())) == 2


# -- asking --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("newest", "asked"), [("2.103", "compute 2.96"), ("2.60", "compute 2.60"), ("2.1", None), ("", None)]
)
def test_nova_is_asked_in_the_best_microversion(
    replay: Replay, driver: OpenStack, newest: str, asked: str | None
) -> None:
    version = recorded("version")
    version["version"]["version"] = newest
    replay.on("GET", "/compute/v2.1/", Answer(version))
    replay.on("GET", SERVERS, Answer({"servers": []}))
    assert list(driver.servers()) == []
    assert replay.to("GET", SERVERS)[0].headers.get("OpenStack-API-Version") == asked


def test_a_nova_too_busy_to_tell_its_version_is_not_taken_for_an_old_one(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", "/compute/v2.1/", Answer(status=503))
    with pytest.raises(Busy):
        list(driver.servers())
    assert replay.to("GET", SERVERS) == []


BROKEN = {
    "500": Answer(status=500),
    "502": Answer(b"<html>Bad Gateway</html>", 502),
    "503": Answer(status=503),
    "504": Answer(status=504),
    "429": Answer(status=429, headers={"Retry-After": "3"}),
    "page": Answer(b"<html>hello</html>"),
    "half": Answer(b'{"servers": [{"id": '),
    "list": Answer(b"[]"),
    "null": Answer(b"null"),
    "nothing": Answer(b""),
    "foreign": Answer({"virtual_machines": []}),
    "nonsense": Answer({"servers": [7]}),
    "nameless": Answer({"servers": [{"status": "ACTIVE"}]}),
    "truncated": Answer(b'{"servers": []}', headers={"Content-Length": "1000"}, drip=0.001),
    "no HTTP": Answer(b"", headers={"Content-Length": "x\r\n\r\nx"}),
    "cut": Answer(cut=True),
    "late": Answer({"servers": []}, delay=1.0),
    "drip": Answer(b" " * 150 + b'{"servers": []}', drip=0.01),
}


@pytest.mark.parametrize("how", sorted(BROKEN))
def test_a_broken_answer_is_busy_and_asked_for_once(replay: Replay, site: Site, how: str) -> None:
    driver = OpenStack(replay.credential(), Site(state_dir=site.state_dir, guard=site.guard, timeout=0.5))
    replay.on("GET", SERVERS, BROKEN[how])
    with pytest.raises(Busy, match=r"\w") as reason:
        list(driver.servers())
    assert not isinstance(reason.value, Unreachable)
    assert len(replay.to("GET", SERVERS)) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"token": []}', b'{"token": {"catalog": 7}}'])
def test_a_broken_answer_to_a_login_is_busy(replay: Replay, driver: OpenStack, body: bytes) -> None:
    replay.on("POST", TOKENS, Answer(body, 201, {"X-Subject-Token": "t"}))
    with pytest.raises(Busy):
        list(driver.servers())


def test_an_endless_answer_is_not_read_to_its_end(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", SERVERS, Answer(bytes(65 << 20)))
    with pytest.raises(Rejected, match="more than 64 MiB"):
        list(driver.servers())


@pytest.mark.parametrize("server_id", ["", ".", "..", "no such id", "../../../identity", "a?b=c", "ü" * 300])
def test_an_id_is_never_more_than_an_id(replay: Replay, driver: OpenStack, server_id: str) -> None:
    with pytest.raises(Gone):
        driver.server(server_id)
    assert {asked.path.rpartition("/")[0] for asked in replay.asked} <= {
        "/compute/v2.1", "/compute/v2.1/servers", "/identity/v3/auth",
    }  # fmt: skip


# -- paging --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (9, 1), (10, 2), (25, 3)])
def test_every_page_is_followed(replay: Replay, driver: OpenStack, count: int, requests: int) -> None:
    replay.on("GET", SERVERS, paged("servers", many(count), 10))
    assert [server.id for server in driver.servers()] == [native["id"] for native in many(count)]
    assert len(replay.to("GET", SERVERS)) == requests


def test_the_first_page_is_there_before_the_second_is_asked_for(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", SERVERS, paged("servers", many(20), 10))
    assert next(iter(driver.servers())).id == "id-00000"
    assert len(replay.to("GET", SERVERS)) == 1


def test_glances_pages_are_followed(replay: Replay, driver: OpenStack) -> None:
    first, second = recorded("images")["images"]
    pages = [
        Answer({"images": [first], "next": f"/v2/images?limit=1&marker={first['id']}"}),
        Answer({"images": [second]}),
    ]
    replay.on("GET", "/image/v2/images", pages)
    assert [image.name for image in driver.images()] == [first["name"], second["name"]]
    assert replay.to("GET", "/image/v2/images")[1].query == {"limit": "1", "marker": first["id"]}


def test_a_page_that_follows_itself_ends(replay: Replay, driver: OpenStack) -> None:
    replay.on(
        "GET", SERVERS, Answer({"servers": [], "servers_links": [{"rel": "next", "href": "http://x/?limit=1000"}]})
    )
    with pytest.raises(Busy, match="followed by itself"):
        list(driver.servers())


# -- where it goes -------------------------------------------------------------------------------------------------


def only(*allowed: str) -> Callable[[str], None]:
    def guard(address: str) -> None:
        if address not in allowed:
            raise Rejected(f"{address} is out of bounds.")

    return guard


@pytest.fixture
def inside() -> Any:
    with serving(Replay("127.0.0.2")) as server:
        server.on("GET", SERVERS, Answer({"servers": many(1)}))
        yield server


def test_the_guard_sees_the_endpoints_of_the_catalog(replay: Replay, inside: Replay, site: Site) -> None:
    replay.catalog = {"compute": f"{inside.url}/compute/v2.1"}
    guarded = Site(state_dir=site.state_dir, guard=only("127.0.0.1"))
    with pytest.raises(Rejected, match=r"127\.0\.0\.2 is out of bounds"):
        list(OpenStack(replay.credential(), guarded).servers())
    assert inside.asked == []
    assert len(list(OpenStack(replay.credential(), site).servers())) == 1


def test_the_guard_sees_redirects(replay: Replay, inside: Replay, site: Site) -> None:
    replay.on("GET", SERVERS, Answer(status=302, headers={"Location": inside.url + SERVERS}))
    guarded = Site(state_dir=site.state_dir, guard=only("127.0.0.1"))
    with pytest.raises(Rejected, match=r"127\.0\.0\.2 is out of bounds"):
        list(OpenStack(replay.credential(), guarded).servers())
    assert inside.asked == []


def test_another_host_is_not_told_the_token(replay: Replay, inside: Replay, driver: OpenStack) -> None:
    replay.on("GET", SERVERS, Answer(status=302, headers={"Location": inside.url + SERVERS}))
    assert len(list(driver.servers())) == 1
    assert "X-Auth-Token" in replay.to("GET", SERVERS)[0].headers
    assert "X-Auth-Token" not in inside.to("GET", SERVERS)[0].headers


def test_redirects_end(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", SERVERS, Answer(status=302, headers={"Location": replay.url + SERVERS}))
    with pytest.raises(Rejected, match="302"):
        list(driver.servers())
    assert len(replay.to("GET", SERVERS)) == 4


def test_proxies_of_the_environment_do_not_count(driver: OpenStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert driver.check()


def test_nothing_listens(replay: Replay, connect: Connect) -> None:
    with pytest.raises(Unreachable, match=r"No connection to 127\.0\.0\.1:1: Connection refused\."):
        connect(auth_url="http://127.0.0.1:1/v3").check()


def test_a_name_nobody_knows(connect: Connect) -> None:
    with pytest.raises(Unreachable, match=r"No connection to cloud\.invalid: "):
        connect(auth_url="http://cloud.invalid/v3").check()


def test_secrets_are_in_no_failure_and_no_repr(replay: Replay, driver: OpenStack, site: Site) -> None:
    replay.on("POST", TOKENS, Answer({"error": {"message": "no", "code": 401}}, 401))
    with pytest.raises(CloudmeshError) as reason:
        driver.check()
    cloud = Cloud(replay.credential(), site)
    assert "the secret word" not in f"{reason.value!r} {reason.value.facts} {driver!r} {cloud!r}"
