"""Commands on a login node, through a real OpenSSH server."""

import concurrent.futures
import os
import pathlib
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudmesh.errors import Busy, Invalid, Refused, Rejected, Unreachable
from hpc.backends import connections
from hpc.backends.connections import exchange
from hpc.backends.ssh import Identity, Ssh, generate_key, host_key, jump_host
from tests.hpc.backends.conftest import Reach
from tests.hpc.backends.sshd import ME, Sshd, free_port, persons, running

ARGUMENTS = st.lists(st.binary(max_size=40).map(lambda data: os.fsdecode(data.replace(b"\0", b""))), max_size=6)


def forbid(address: str) -> None:
    raise Rejected(f"{address} is out of bounds.")


def lines(sshd: Sshd) -> list[connections.Line]:
    return [line for route, line in exchange()._lines.items() if route.door.port == sshd.port]


# -- commands ----------------------------------------------------------------------------------------------


def test_a_command_answers_with_output_error_and_code(reach: Reach) -> None:
    answer = reach().run("sh", "-c", "cat; echo bad >&2; exit 7", given=b"\x00\xffin")
    assert answer == (7, b"\x00\xffin", "bad\n")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=ARGUMENTS)
def test_arguments_arrive_as_they_are(reach: Reach, arguments: list[str]) -> None:
    output = reach().run("printf", "%s\\0", "first", *arguments).output
    assert output.split(b"\0")[1:-1] == [os.fsencode(argument) for argument in arguments]


@pytest.mark.parametrize(
    "odd", ["; touch /tmp/canary", "$(id)", "`id`", "a\nb", "'\"\\'", "-rf", "*", "~", "!!", "ü" * 2000, ""]
)
def test_nothing_in_an_argument_is_read_by_the_shell_there(reach: Reach, odd: str) -> None:
    assert reach().run("printf", "%s", odd).output == odd.encode()


def test_what_cannot_be_an_argument_is_rejected_before_anything_is_sent(reach: Reach) -> None:
    with pytest.raises(Rejected, match="NUL"):
        reach(port=free_port()).run("true", "a\0b")


def test_a_command_that_is_not_there_is_an_answer(reach: Reach) -> None:
    answer = reach().run("no-such-command")
    assert answer.code == 127
    assert "not found" in answer.error


def test_a_signal_is_told_as_shells_tell_it(reach: Reach) -> None:
    assert reach().run("sh", "-c", "kill -9 $$").code == 137


def test_the_environment_has_what_the_scheduler_needs(reach: Reach) -> None:
    shell = reach(environment={"SLURM_CONF": "/etc/a b/$HOME.conf"})
    assert shell.run("printenv", "SLURM_CONF").output == b"/etc/a b/$HOME.conf\n"


def test_much_goes_in_while_much_comes_out(reach: Reach) -> None:
    data = os.urandom(5_000_000)
    assert reach().run("cat", given=data).output == data


def test_what_reads_nothing_is_no_error(reach: Reach) -> None:
    assert reach().run("true", given=bytes(5_000_000)).code == 0


def test_a_slow_command_is_busy_and_is_ended(reach: Reach, sshd: Sshd) -> None:
    login = list(sshd.identities)[-1]
    if login == "root":
        pytest.skip("OpenSSH lets nobody end what runs as root; there is no other login here")
    shell = reach(login)
    home = shell.run("mktemp", "-d").output.decode().strip()
    mark = pathlib.Path(home, "still-alive")
    begun = time.monotonic()
    with pytest.raises(Busy, match=r"sh has not ended after 0\.5 s"):
        shell.run("sh", "-c", f"sleep 2; touch {shlex.quote(str(mark))}", timeout=0.5)
    assert time.monotonic() - begun < 1.5
    assert shell.run("true").code == 0
    time.sleep(2)
    assert not mark.exists()
    shell.run("rm", "-r", home)


def test_an_answer_without_end_is_stopped_while_it_is_read(reach: Reach) -> None:
    shell = reach()
    with pytest.raises(Busy, match="more than 1000000 bytes"):
        shell.run("yes", most=1_000_000)
    assert shell.run("echo", "fine").output == b"fine\n"


def test_each_is_who_they_are(reach: Reach, sshd: Sshd) -> None:
    if len(sshd.identities) < 2:
        pytest.skip(f"only root can serve two persons; here is {persons()}")
    assert [reach(login).run("id", "-un").output.decode().strip() for login in sshd.identities] == [*sshd.identities]


# -- connections -------------------------------------------------------------------------------------------


def test_a_connection_is_kept_and_shared(reach: Reach, sshd: Sshd) -> None:
    ports = {reach().run("sh", "-c", "echo $SSH_CONNECTION").output for _ in range(3)}
    assert len(ports) == len(lines(sshd)) == 1


def test_many_threads_use_one_connection_and_do_not_mix(reach: Reach, sshd: Sshd) -> None:
    """More at once than a server has sessions for in one connection."""
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(24) as threads:
        said = list(threads.map(lambda n: reach().run("sh", "-c", f"sleep 0.3; echo {n}").output, range(24)))
    assert said == [f"{n}\n".encode() for n in range(24)]
    assert len(lines(sshd)) == 1
    assert time.monotonic() - begun < 24 * 0.3


def test_each_identity_has_a_connection_of_its_own(reach: Reach, sshd: Sshd) -> None:
    private, public = generate_key()
    allowed = sshd.place / "authorized" / ME
    before = allowed.read_text()
    allowed.write_text(f"{before}{public}\n")
    reach().run("true")
    reach(identity=Identity(key=private)).run("true")
    allowed.write_text(before)
    assert len(lines(sshd)) == 2


def test_what_nobody_uses_is_closed(reach: Reach, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    reach().run("true")
    (line,) = lines(sshd)
    monkeypatch.setattr(connections, "IDLE", 0.01)
    time.sleep(0.1)
    exchange()._loop.call_soon_threadsafe(exchange()._sweep)
    end = time.monotonic() + 5
    while line.is_open and time.monotonic() < end:
        time.sleep(0.02)
    assert not line.is_open
    assert lines(sshd) == []
    assert reach().run("echo", "again").output == b"again\n"


def test_a_connection_that_died_is_made_anew(reach: Reach, sshd: Sshd) -> None:
    reach().run("true")
    sshd.stop(sessions=True)
    with pytest.raises(Unreachable, match="cannot be reached"):
        reach().run("true")
    sshd.start()
    assert reach().run("echo", "back").output == b"back\n"


def test_a_connection_that_breaks_under_a_command_leaves_it_open(reach: Reach, sshd: Sshd) -> None:
    shell = reach()
    shell.run("true")
    threading.Timer(0.5, lambda: sshd.stop(sessions=True)).start()
    with pytest.raises(Busy, match="whether it was done is not known") as broken:
        shell.run("sleep", "5")
    sshd.start()
    assert not isinstance(broken.value, Unreachable)


def test_a_child_that_forked_has_connections_of_its_own(reach: Reach) -> None:
    reach().run("true")
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, reach().run("echo", "child").output)
        os._exit(0)
    os.close(writer)
    assert os.read(reader, 100) == b"child\n"
    os.waitpid(child, 0)
    assert reach().run("echo", "parent").output == b"parent\n"


# -- who is who --------------------------------------------------------------------------------------------


def test_the_key_of_a_machine_is_learned_and_pinned(sshd: Sshd, reach: Reach) -> None:
    learned = host_key("127.0.0.1", sshd.port, guard=lambda address: None)
    assert learned == sshd.host_key()
    assert reach(host_key=learned).run("true").code == 0


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_any_of_its_keys_will_do_as_text_or_fingerprint(sshd: Sshd, reach: Reach, kind: str) -> None:
    assert reach(host_key=sshd.host_key(kind)).run("true").code == 0
    assert reach(host_key=sshd.fingerprint(kind)).run("true").code == 0


def test_a_machine_with_another_key_is_refused_before_a_login(sshd: Sshd, reach: Reach) -> None:
    _, other = generate_key()
    with pytest.raises(Refused, match="is not the machine that was registered") as refusal:
        reach(host_key=other).run("true")
    assert sshd.fingerprint() in refusal.value.message
    assert "register the new key" in refusal.value.message


def test_a_host_key_that_changed_is_refused() -> None:
    with running() as server:
        shell = Ssh(ME, "127.0.0.1", server.port, host_key=server.host_key(), identity=server.identities[ME], guard=str)
        assert shell.run("true").code == 0
        server.stop(sessions=True)
        server.make_host_keys("ed25519")
        server.start()
        with pytest.raises(Refused, match="installed anew"):
            shell.run("true")


def test_a_key_that_is_not_accepted_is_refused(reach: Reach) -> None:
    with pytest.raises(Refused, match=f"does not accept the key of {ME}"):
        reach(identity=Identity(key=generate_key()[0])).run("true")


def test_a_login_that_is_not_there_is_refused(reach: Reach) -> None:
    with pytest.raises(Refused, match="does not accept the key of nobody-at-all"):
        reach("nobody-at-all").run("true")


def test_the_guard_is_asked_for_the_address_also_of_a_kept_connection(sshd: Sshd, reach: Reach) -> None:
    with pytest.raises(Rejected, match="out of bounds"):
        reach(guard=forbid).run("true")
    assert lines(sshd) == []
    reach().run("true")
    with pytest.raises(Rejected, match="out of bounds"):
        reach(guard=forbid).run("true")
    with pytest.raises(Rejected, match="out of bounds"):
        host_key("localhost", sshd.port, guard=forbid)


def test_nobody_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        host_key("127.0.0.1", free_port(), guard=str)
    with pytest.raises(Unreachable, match="cannot be reached"):
        host_key("no-such-host.invalid", guard=str)


def test_one_that_says_nothing_is_unreachable_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(Unreachable, match=r"did not answer within 0\.5 s"):
            host_key("127.0.0.1", silent.getsockname()[1], guard=str, timeout=0.5)
        assert time.monotonic() - begun < 3


def test_one_that_speaks_something_else_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as web:

        def answer() -> None:
            caller, _ = web.accept()
            with caller:
                caller.recv(100)
                caller.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n" * 2000)

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(Unreachable, match=r"\w+ \w+"):
            host_key("127.0.0.1", web.getsockname()[1], guard=str, timeout=3)


# -- through another machine -------------------------------------------------------------------------------


@pytest.fixture
def bastion(sshd: Sshd) -> Iterator[Sshd]:
    with running() as server:
        (server.place / "authorized" / ME).write_text((sshd.place / "authorized" / ME).read_text())
        yield server


def test_a_login_node_behind_another_machine_is_reached(bastion: Sshd, reach: Reach) -> None:
    jump = jump_host("127.0.0.1", bastion.port, host_key=bastion.host_key(), login=ME)
    shell = reach(jump=jump)
    told = shell.run("sh", "-c", "echo $SSH_CONNECTION").output.split()
    assert shell.run("cat", given=b"x" * 1_000_000).output == b"x" * 1_000_000
    assert told[3] != str(bastion.port).encode()


def test_the_machine_in_between_has_its_own_pin(bastion: Sshd, sshd: Sshd, reach: Reach) -> None:
    jump = jump_host("127.0.0.1", bastion.port, host_key=sshd.host_key(), login=ME)
    with pytest.raises(Refused, match=f"127.0.0.1:{bastion.port} is not the machine"):
        reach(jump=jump).run("true")
    right = jump_host("127.0.0.1", bastion.port, host_key=bastion.host_key(), login=ME)
    with pytest.raises(Refused, match=f"127.0.0.1:{sshd.port} is not the machine"):
        reach(jump=right, host_key=bastion.host_key()).run("true")


def test_a_machine_in_between_that_finds_nobody_says_so(bastion: Sshd, reach: Reach) -> None:
    jump = jump_host("127.0.0.1", bastion.port, host_key=bastion.host_key(), login=ME)
    with pytest.raises(Unreachable, match="through the machine in between"):
        reach(jump=jump, port=free_port()).run("true")


def test_the_guard_sees_the_machine_in_between(bastion: Sshd, reach: Reach) -> None:
    jump = jump_host("127.0.0.1", bastion.port, host_key=bastion.host_key(), login=ME)
    with pytest.raises(Rejected, match="out of bounds"):
        reach(jump=jump, guard=forbid).run("true")


# -- agent and words ---------------------------------------------------------------------------------------


def test_an_agent_may_prove_it(reach: Reach, sshd: Sshd, tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "agent")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 5
        while not pathlib.Path(path).exists() and time.monotonic() < end:
            time.sleep(0.02)
        key = sshd.identities[ME].key.encode()
        subprocess.run(["ssh-add", "-q", "-"], input=key, env={**os.environ, "SSH_AUTH_SOCK": path}, check=True)
        assert reach(identity=Identity(agent=path)).run("true").code == 0
    finally:
        agent.kill()
        agent.wait()


def test_an_agent_in_the_portals_environment_is_not_used_unasked(
    reach: Reach, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    with pytest.raises(Invalid, match="no private key"):
        reach(identity=Identity()).run("true")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("host", {"host": ""}),
        ("host", {"host": "root@india"}),
        ("host", {"host": "a b"}),
        ("port", {"port": 0}),
        ("port", {"port": 70_000}),
        ("login", {"login": " "}),
        ("host_key", {"host_key": ""}),
        ("host_key", {"host_key": "SHA256:short"}),
        ("host_key", {"host_key": "ssh-ed25519 nonsense"}),
        ("environment", {"environment": {"A B": "c"}}),
    ],
)
def test_what_is_wrong_is_said_with_its_field(reach: Reach, field: str, changes: dict[str, object]) -> None:
    with pytest.raises(Invalid, match=r"\w+ \w+") as refusal:
        reach(**changes)
    assert refusal.value.facts["field"] == field


def test_a_shell_shows_no_secret(reach: Reach, sshd: Sshd) -> None:
    shell = reach(identity=Identity(key=sshd.identities[ME].key, passphrase="open sesame"))
    shown = f"{shell!r} {shell._route!r}"
    assert "PRIVATE" not in shown
    assert "sesame" not in shown
