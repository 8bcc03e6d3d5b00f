"""`cm vm ssh`, `run`, `put` and `get`: a real portal, and a real sshd behind the addresses that it tells."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudmesh.shell.vm.way import matching_keys
from portal.standalone.children import wait_until
from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.terminal import CM, environment

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(SSHD is None, reason="sshd is not installed: apt install openssh-server"),
]
CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
"""
Data = Callable[..., Any]


def make_key(path: Path, *options: str) -> str:
    """A new key pair; answers the public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, *options], check=True)
    return path.with_name(f"{path.name}.pub").read_text()


class Sshd:
    """A server that lets in whoever has the key, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host_key = make_key(folder / "host")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (folder / "config").write_text(CONFIG.format(port=self.port, folder=folder))
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where it keeps nothing, but insists on
        assert SSHD
        self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "config"], stderr=subprocess.DEVNULL)
        assert wait_until(self._answers, seconds=10)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    started = Sshd(tmp_path_factory.mktemp("sshd"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def home(sshd: Sshd, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that ssh must be told of with care, and in it the key that opens, known by its contents alone."""
    made = tmp_path_factory.mktemp("a 100% home")
    (made / ".ssh").mkdir(mode=0o700)
    public = make_key(made / ".ssh/id_cloud")
    (sshd.folder / "authorized").write_text(public)
    (made / ".ssh/id_cloud.pub").rename(made / "id_cloud.pub")
    return made


@pytest.fixture(scope="module")
def options(sshd: Sshd) -> list[str]:
    """The simulator's addresses lead nowhere; these lead to our sshd."""
    return [
        *("--user", getpass.getuser()),
        *("--ssh-option", "HostName=127.0.0.1", "--ssh-option", f"Port={sshd.port}"),
    ]


@pytest.fixture
def at_home(run: Run, home: Path) -> Run:
    def call(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return run(*arguments, **{"HOME": str(home), "XDG_STATE_HOME": str(home / ".state"), **more})

    return call


@pytest.fixture
def three(run: Run, home: Path) -> Iterator[None]:
    assert run("key", "add", str(home / "id_cloud.pub"), "--name", "cloud").returncode in (0, 5)
    assert run("vm", "boot", "--name", "far[1-3]", "--cloud", "india").returncode == 0
    yield
    assert run("vm", "delete", "far*", "-y").returncode == 0


def test_a_login_does_the_command_there_and_ends_as_it_does(at_home: Run, three: None, options: list[str]) -> None:
    ended = at_home("vm", "ssh", *options, "--", "echo", "to $SSH_CONNECTION;", "exit 7")
    assert ended.returncode == 7
    assert ended.stdout.startswith("to 127.0.0.1")
    assert "the last server: far3" in ended.stderr
    again = at_home("vm", "login", "far3", *options, "echo in")
    assert (again.returncode, again.stdout, again.stderr) == (0, "in\n", "")


def test_host_keys_are_known_by_the_server_and_another_one_is_refused(
    at_home: Run, three: None, options: list[str], sshd: Sshd, home: Path, data: Data, tmp_path: Path
) -> None:
    for name in ("far1", "far2"):
        assert "Permanently added" in at_home("vm", "ssh", name, *options, "true").stderr
        assert at_home("vm", "ssh", name, *options, "true").stderr == ""
    known = home / ".state/cloudmesh/known_hosts"
    ids = {server["name"]: server["id"] for server in data("vm", "list", "far*")}
    for name in ("far1", "far2"):
        found = subprocess.run(["ssh-keygen", "-F", ids[name], "-f", known], capture_output=True, text=True)
        assert sshd.host_key.split()[1] in found.stdout
    subprocess.run(["ssh-keygen", "-q", "-R", ids["far1"], "-f", known], check=True, capture_output=True)
    with known.open("a") as file:
        file.write(f"{ids['far1']} {make_key(tmp_path / 'other')}")
    refused = at_home("vm", "ssh", "far1", *options, "echo in")
    assert (refused.returncode, refused.stdout) == (255, "")
    assert "HOST IDENTIFICATION HAS CHANGED" in refused.stderr


def test_what_would_be_done_can_be_seen_before(at_home: Run, three: None, home: Path, data: Data, run: Run) -> None:
    [server] = data("vm", "ip", "assign", "far1")
    shown = at_home("vm", "ssh", "far1", "--dry-run", "--ssh-option", "ForwardAgent=yes", "--", "ls -l")
    assert shown.returncode == 0
    words = shown.stdout.split()
    assert words[:3] == ["ssh", "-o", "ForwardAgent=yes"]
    assert f"HostKeyAlias={server['id']}" in words
    assert "User=ubuntu" in words
    assert ".ssh/id_cloud" in shown.stdout
    assert shown.stdout.endswith(f"-- {server['public_addresses'][0]} 'ls -l'\n")
    assert run("default", "set", "login", "ada", "--cloud", "india").returncode == 0
    assert "User=ada" in at_home("vm", "ssh", "far1", "--dry-run").stdout
    assert "User=eve" in at_home("vm", "ssh", "far1", "--dry-run", "--user", "eve").stdout
    assert run("default", "set", "login", "", "--cloud", "india").returncode == 0


def test_a_server_that_sleeps_or_a_word_too_many_is_told(at_home: Run, three: None) -> None:
    assert at_home("vm", "stop", "far1").returncode == 0
    asleep = at_home("vm", "ssh", "far1")
    assert (asleep.returncode, "cm vm start far1" in asleep.stderr) == (5, True)
    several = at_home("vm", "ssh", "far1", "far2", "--", "ls")
    assert (several.returncode, "cm vm run" in several.stderr) == (2, True)
    dash = at_home("vm", "ssh", "far1", "ls", "-la")
    assert (dash.returncode, "comes after --" in dash.stderr) == (2, True)
    assert at_home("vm", "ssh", "far1", "--key", "/nonexistent").returncode == 2
    odd = at_home("vm", "ssh", "far2", "--user", "-oProxyCommand=x", "--dry-run")
    assert (odd.returncode, "no user name" in odd.stderr) == (2, True)


def test_waiting_logs_in_once_the_server_is_up(run: Run, at_home: Run, three: None, options: list[str]) -> None:
    assert run("vm", "stop", "far1").returncode == 0
    assert run("vm", "start", "far1", "--no-wait").returncode == 0
    ended = at_home("vm", "ssh", "far1", "--wait", *options, "--", "echo in")
    assert (ended.returncode, ended.stdout) == (0, "in\n")


def test_many_do_it_at_once_and_each_line_says_whose_it_is(at_home: Run, three: None, options: list[str]) -> None:
    ended = at_home("vm", "run", "far[1-3]", *options, "--", "echo out; echo err >&2; printf last")
    assert ended.returncode == 0
    assert sorted(ended.stdout.splitlines()) == sorted(f"far{n}: {text}" for n in (1, 2, 3) for text in ("out", "last"))
    assert [line for line in ended.stderr.splitlines() if line.endswith("err")] != []


def test_where_it_failed_is_said_and_the_others_are_done(
    run: Run, at_home: Run, three: None, options: list[str]
) -> None:
    assert run("vm", "stop", "far2").returncode == 0
    failed = at_home("vm", "run", "far1", "far2", "far3", *options, "--at-once", "1", "--", "exit 3")
    assert failed.returncode == 1
    assert "0 of 3 done; failed: far2, far1 (exit code 3), far3 (exit code 3)" in failed.stderr
    unreached = at_home("vm", "run", "far1", "--ssh-option", "HostName=127.0.0.1", "--ssh-option", "Port=1", "ls")
    assert (unreached.returncode, "far1 (not reached)" in unreached.stderr) == (1, True)
    nothing = at_home("vm", "run", "far1")
    assert (nothing.returncode, "Say what to do" in nothing.stderr) == (2, True)


def test_an_interrupt_ends_all_that_runs(portal: Path, home: Path, three: None, options: list[str]) -> None:
    process = subprocess.Popen(
        [CM, "vm", "run", "far*", *options, "--", "echo begun; sleep 60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(CLOUDMESH_STATE_DIR=str(portal), HOME=str(home)),
    )
    with process:
        assert process.stdout
        assert [process.stdout.readline()[4:] for _ in range(3)] == [": begun\n"] * 3
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_files_go_there_and_come_back_into_a_folder_for_each(
    at_home: Run, three: None, options: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a:b c").mkdir()
    (tmp_path / "a:b c/file").write_text("held")
    there = tmp_path / "there $HOME"
    ended = at_home("vm", "put", "far1", str(tmp_path / "a:b c"), str(there), *options)
    assert ended.returncode == 0, ended.stderr
    assert (there / "file").read_text() == "held"
    many = at_home("vm", "get", "far[1-3]", str(there / "file"), str(tmp_path / "logs"), *options)
    assert many.returncode == 0, many.stderr
    assert [(tmp_path / f"logs/far{n}/file").read_text() for n in (1, 2, 3)] == ["held"] * 3
    assert at_home("vm", "get", "far1", str(there / "file"), str(tmp_path / "one"), *options).returncode == 0
    assert (tmp_path / "one").read_text() == "held"
    missing = at_home("vm", "put", "far1", str(tmp_path / "nothing"))
    assert (missing.returncode, "There is no file" in missing.stderr) == (2, True)
    lost = at_home("vm", "get", "far1", str(tmp_path / "nothing"), str(tmp_path), *options)
    assert (lost.returncode, "failed: far1" in lost.stderr) == (1, True)


def test_a_session_of_cm_goes_on_after_a_login(at_home: Run, three: None, options: list[str]) -> None:
    login = f"vm ssh far1 {' '.join(options)} -- echo in"
    ended = at_home(stdin=f"{login}\nvm status far1 --format csv --no-header --columns name\n")
    assert (ended.returncode, ended.stdout) == (0, "in\nfar1\n")


def test_a_home_that_cannot_be_written_is_told_and_the_login_goes_on(
    at_home: Run, three: None, options: list[str]
) -> None:
    ended = at_home("vm", "ssh", "far1", *options, "echo in", XDG_STATE_HOME="/proc/nowhere")
    assert (ended.returncode, ended.stdout) == (0, "in\n")
    assert "host keys cannot be remembered" in ended.stderr


def test_a_private_key_is_known_by_its_public_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ".ssh"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    alone, with_phrase = make_key(folder / "alone"), make_key(folder / "phrase", "-N", "secret")
    agents, rsa = make_key(folder / "agents"), make_key(folder / "rsa", "-t", "rsa", "-m", "PEM")
    make_key(folder / "others")
    (folder / "alone.pub").unlink()
    (folder / "phrase.pub").unlink()
    (folder / "agents").unlink()
    (folder / "config").write_text("Host *\n")
    (folder / "broken").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n!\n-----END")
    found = {Path(path).name for path in matching_keys([alone, with_phrase, agents, rsa, "no key"])}
    assert found == {"alone", "phrase", "agents.pub", "rsa"}
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    assert list(matching_keys([alone])) == []
