"""Registering clouds: where the credential comes from, and that no secret is shown or sent twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cloudmesh.shell.terminal import cm, terminal
from tests.cloudmesh.speaker import Answer, Asked, Server, page, problem, reply

SECRET = "s3cret-of-mine"


def field(name: str, **more: Any) -> dict[str, Any]:
    usual = {"type": "text", "help": "", "required": True, "secret": False, "default": "", "choices": []}
    return {"name": name, "label": name.replace("_", " ").title(), **usual, **more}


KEYS = [field("user", required=False), *(field(name, required=False, secret=True) for name in ("password", "token"))]
FIELDS = [
    field("auth_url", type="url"),
    field("username"),
    field("password", type="password", secret=True),
    field("region", required=False),
    field("interface", default="public"),
    field("cacert", type="file", required=False),
]
CLOUD = {"id": "c1", "name": "chi", "driver": "openstack", "state": "unverified", "is_active": True, "reason": ""}


@pytest.fixture
def portal(server: Server) -> Server:
    def answer(asked: Asked) -> Answer:
        if "/drivers/" in asked.target:
            drivers = {"openstack": FIELDS, "keyed": KEYS}
            return page(*({"name": name, "fields": fields} for name, fields in drivers.items()))
        if asked.method == "POST":
            return reply({"cloud": CLOUD, "operation": {"id": "op"}}, 202)
        return reply(CLOUD)

    server.answer = answer
    return server


@pytest.fixture
def register(portal: Server) -> Callable[..., Any]:
    def run(*arguments: str, stdin: str = "") -> Any:
        return cm("cloud", "register", "chi", "--no-wait", *arguments, stdin=stdin, CLOUDMESH_URL=portal.url)

    return run


def wishes(portal: Server) -> list[Any]:
    return [asked.json for asked in portal.asked if asked.method == "POST"]


GIVEN = ("--driver", "openstack", "--field", "auth_url=https://chi.example:5000/v3", "--field", "username=gregor")


def test_a_missing_secret_is_asked_for_and_not_shown(portal: Server) -> None:
    arguments = ("cloud", "register", "chi", "--no-wait", *GIVEN)
    with terminal(*arguments, CLOUDMESH_URL=portal.url) as screen:
        screen.until("Password")
        screen.type(f"{SECRET}\n")
        assert screen.end() == 0
    assert wishes(portal) == [
        {
            "name": "chi",
            "driver": "openstack",
            "credential": {"auth_url": "https://chi.example:5000/v3", "username": "gregor", "password": SECRET},
        }
    ]
    assert SECRET not in screen.seen


@pytest.mark.parametrize("mine", ["password", "token"])
def test_of_several_secrets_the_first_that_one_has_is_taken(portal: Server, mine: str) -> None:
    arguments = ("cloud", "register", "chi", "--no-wait", "--driver", "keyed", "--field", "user=gregor")
    with terminal(*arguments, CLOUDMESH_URL=portal.url) as screen:
        screen.until("Password (Enter for none): ")
        if mine == "token":
            screen.type("\n")
            screen.until("Token (Enter for none): ")
        screen.type(f"{SECRET}\n")
        assert screen.end() == 0
    assert wishes(portal)[0]["credential"] == {"user": "gregor", mine: SECRET}


def test_a_file_is_sent_by_its_content(portal: Server, register: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    register(*GIVEN, "--secret-file", "-", "--field", f"cacert={tmp_path}/ca.pem", stdin=f"password={SECRET}\n")
    assert wishes(portal)[0]["credential"]["cacert"] == "-----BEGIN CERTIFICATE-----\n"


def test_where_nobody_can_be_asked_what_is_missing_is_named(portal: Server, register: Callable[..., Any]) -> None:
    ended = register(*GIVEN)
    assert ended.returncode == 2
    assert "password" in ended.stderr
    assert "--secret-file" in ended.stderr
    assert wishes(portal) == []


def test_secrets_come_from_standard_input(portal: Server, register: Callable[..., Any]) -> None:
    ended = register(*GIVEN, "--secret-file", "-", stdin=f"\npassword={SECRET}\n")
    assert wishes(portal)[0]["credential"]["password"] == SECRET
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_secret_on_the_command_line_works_with_a_warning(portal: Server, register: Callable[..., Any]) -> None:
    ended = register(*GIVEN, "--field", f"password={SECRET}")
    assert wishes(portal)[0]["credential"]["password"] == SECRET
    assert "password on the command line" in ended.stderr
    assert SECRET not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*GIVEN, "--field", "passwrd=x"), "no field passwrd. Did you mean password"),
        ((*GIVEN, "--field", SECRET), "KEY=VALUE"),
        (("--driver", "openstak"), "no driver openstak. Did you mean openstack"),
        ((*GIVEN, "--field", "cacert=/nonexistent"), "/nonexistent cannot be read"),
        ((), "one of --driver"),
        ((*GIVEN, "--openrc", "/dev/null"), "one of --driver"),
        (("--openrc", "/nonexistent"), "No such file"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    portal: Server, register: Callable[..., Any], arguments: tuple[str, ...], said: str
) -> None:
    ended = register(*arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert SECRET not in ended.stderr
    assert wishes(portal) == []


def test_a_clouds_yaml_is_sent_as_it_is(portal: Server, register: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "clouds.yaml"
    file.write_text("clouds:\n  chi: {}\n")
    register("--clouds-yaml", str(file), "--entry", "chi")
    assert wishes(portal) == [{"name": "chi", "clouds_yaml": "clouds:\n  chi: {}\n", "cloud": "chi"}]


@pytest.fixture
def openrc(portal: Server, tmp_path: Path) -> str:
    """A file without the password, at a portal that says so."""
    usual = portal.answer

    def answer(asked: Asked) -> Answer:
        if asked.method == "POST" and "password" not in asked.json:
            return problem(400, "invalid", "The file does not hold password.", field="password")
        return usual(asked)

    portal.answer = answer
    file = tmp_path / "openrc"
    file.write_text("export OS_USERNAME=gregor\n")
    return str(file)


def test_the_password_that_a_file_does_not_hold_is_asked_for(portal: Server, openrc: str) -> None:
    with terminal("cloud", "register", "chi", "--no-wait", "--openrc", openrc, CLOUDMESH_URL=portal.url) as screen:
        screen.until("Password")
        screen.type(f"{SECRET}\n")
        assert screen.end() == 0
    assert wishes(portal)[-1] == {"name": "chi", "openrc": "export OS_USERNAME=gregor\n", "password": SECRET}
    assert SECRET not in screen.seen


def test_the_password_that_a_file_does_not_hold_comes_from_standard_input(
    portal: Server, register: Callable[..., Any], openrc: str
) -> None:
    assert register("--openrc", openrc, "--secret-file", "-", stdin=f"{SECRET}\n").returncode == 0
    assert [wish["password"] for wish in wishes(portal)] == [SECRET]


def test_where_nobody_can_be_asked_the_password_of_a_file_is_an_error(
    register: Callable[..., Any], openrc: str
) -> None:
    ended = register("--openrc", openrc)
    assert ended.returncode == 2
    assert "--secret-file" in ended.stderr


def test_a_private_key_never_leaves(portal: Server, tmp_path: Path) -> None:
    file = tmp_path / "id_ed25519"
    file.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n")
    ended = cm("key", "add", str(file), CLOUDMESH_URL=portal.url)
    assert ended.returncode == 2
    assert f"{file}.pub" in ended.stderr
    assert portal.asked == []


def test_a_login_is_tried_before_it_is_kept(portal: Server, tmp_path: Path) -> None:
    portal.answer = lambda asked: problem(401, "not-authenticated", "This token is not known here.")
    refused = cm("login", portal.url, "--token-file", "-", stdin="cm_bad\n", XDG_CONFIG_HOME=str(tmp_path))
    assert refused.returncode == 4
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    portal.answer = lambda asked: reply({"username": "gregor"}) if "/me/" in asked.target else page()
    kept = cm("login", portal.url, "--token-file", "-", stdin="cm_good\n", XDG_CONFIG_HOME=str(tmp_path))
    assert "as gregor" in kept.stderr
    assert cm("vm", "list", XDG_CONFIG_HOME=str(tmp_path)).returncode == 0
    assert portal.asked[-1].headers["authorization"] == "Bearer cm_good"
