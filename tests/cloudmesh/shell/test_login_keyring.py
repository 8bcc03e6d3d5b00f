"""Where the token of a login is: in a keyring that can be relied on, or else in a file of one's own."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cloudmesh.shell.terminal import cm
from tests.cloudmesh.shell.test_main import imported
from tests.cloudmesh.speaker import Server, page, reply

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`cm` with a keyring of this kind."""

    def call(kind: str, *arguments: str, stdin: str = "") -> CompletedProcess[str]:
        return cm(
            *arguments,
            stdin=stdin,
            XDG_CONFIG_HOME=str(tmp_path),
            PYTHON_KEYRING_BACKEND=kind if "." in kind else f"tests.cloudmesh.boxes.{kind}",
            KEYRING_BOX=str(tmp_path / "box"),
        )

    return call


@pytest.fixture(autouse=True)
def _portal(server: Server) -> None:
    server.answer = lambda asked: (
        reply({"username": "ada"})
        if asked.target.endswith("/me/")
        else b"HTTP/1.1 204 Gone\r\n\r\n"
        if asked.target.endswith("/logout/")
        else page({"name": asked.headers["authorization"]})
    )


def login(run: Run, server: Server, kind: str, *more: str) -> CompletedProcess[str]:
    ended = run(kind, "login", server.url, "--profile", "work", "--token-file", "-", *more, stdin="cm_secret\n")
    assert ended.returncode == 0, ended.stderr
    return ended


def test_a_token_is_in_the_keyring_alone_until_one_signs_out(run: Run, server: Server, tmp_path: Path) -> None:
    assert "kept as work in the keyring (Box)" in login(run, server, "Box").stderr
    assert "cm_secret" not in (tmp_path / "cloudmesh/portal.json").read_text()
    assert "Bearer cm_secret" in run("Box", "vm", "list").stdout
    assert "in the keyring" in run("Box", "login", "--list").stdout
    assert run("Box", "logout").returncode == 0
    assert "cm_secret" not in (tmp_path / "box").read_text()
    assert [asked.json for asked in server.asked if asked.target.endswith("/logout/")] == [{"token": "cm_secret"}]


@pytest.mark.parametrize(
    "kind",
    ["LockedBox", "OpenBox", "LosingBox", "keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "no.Such"],
)
def test_what_cannot_be_relied_on_is_not_used(run: Run, server: Server, kind: str, tmp_path: Path) -> None:
    assert "portal.json" in login(run, server, kind).stderr
    assert "cm_secret" in (tmp_path / "cloudmesh/portal.json").read_text()
    assert not (tmp_path / "box").exists()
    assert "Bearer cm_secret" in run(kind, "vm", "list").stdout


def test_the_file_can_be_preferred(run: Run, server: Server, tmp_path: Path) -> None:
    assert "portal.json" in login(run, server, "Box", "--no-keyring").stderr
    assert not (tmp_path / "box").exists()


def test_a_keyring_that_is_locked_later_says_what_to_do(run: Run, server: Server) -> None:
    login(run, server, "Box")
    for kind, why in (("LockedBox", "The box is locked"), ("keyring.backends.fail.Keyring", "none here that works")):
        ended = run(kind, "vm", "list")
        assert ended.returncode == 4
        assert why in ended.stderr
        assert f"cm login {server.url} --profile work" in ended.stderr
    assert "could not be ended" in run("LockedBox", "logout").stderr
    assert run("Box", "vm", "list").returncode == 6


def test_the_keyring_is_not_loaded_for_a_token_in_the_file(run: Run, server: Server, tmp_path: Path) -> None:
    login(run, server, "Box", "--no-keyring")
    assert "keyring" not in {name.partition(".")[0] for name in imported("vm", "list", XDG_CONFIG_HOME=str(tmp_path))}
    assert "cloudmesh.config.keyring" not in imported("vm", "list", XDG_CONFIG_HOME=str(tmp_path))
