"""Commands on the portal's own machine."""

import os
import pathlib
import pwd
import shlex
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmesh.errors import Busy, Invalid, Refused, Rejected
from hpc.backends.local import LONGEST_ERROR, Local
from hpc.drivers import Answer

ME = pwd.getpwuid(os.geteuid())
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only a portal that runs as root runs commands as others")
#: What an argument may be: any bytes but NUL, as Python has them in a str.
ARGUMENTS = st.lists(st.binary(max_size=40).map(lambda data: os.fsdecode(data.replace(b"\0", b""))), max_size=6)


@pytest.fixture
def shell() -> Local:
    return Local(ME.pw_name, timeout=10.0)


def survivors(mark: str) -> list[str]:
    """The processes that have `mark` among their arguments."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [entry.parent.name] if mark.encode() in entry.read_bytes().split(b"\0") else []
        except OSError:  # it ended meanwhile
            continue
    return found


def test_a_command_answers_with_output_error_and_code(shell: Local) -> None:
    answer = shell.run("sh", "-c", "cat; echo bad >&2; exit 7", given=b"\x00\xffin")
    assert answer == Answer(7, b"\x00\xffin", "bad\n")


@given(arguments=ARGUMENTS)
def test_arguments_arrive_as_they_are(arguments: list[str]) -> None:
    output = Local(ME.pw_name).run("printf", "%s\\0", "first", *arguments).output
    assert output.split(b"\0")[1:-1] == [os.fsencode(argument) for argument in arguments]


@given(arguments=ARGUMENTS)
def test_a_shell_that_reads_them_joined_reads_the_same(arguments: list[str]) -> None:
    """What ssh sends is read by the shell of the login."""
    line = shlex.join(["printf", "%s\\0", "first", *arguments])
    assert Local(ME.pw_name).run("sh", "-c", line).output.split(b"\0")[1:-1] == list(map(os.fsencode, arguments))


@pytest.mark.parametrize("command", [("true", "a\0b"), ("true", "\ud800"), ("true", "x" * 200_000), (), ("",)])
def test_what_cannot_be_an_argument_is_rejected_in_words(shell: Local, command: tuple[str, ...]) -> None:
    with pytest.raises(Rejected, match=r"\w+ \w+"):
        shell.run(*command)


def test_a_command_that_is_not_there_is_an_answer(shell: Local) -> None:
    answer = shell.run("no-such-command")
    assert (answer.code, answer.error) == (127, "no-such-command: not found on the portal's machine")
    assert shell.run("/etc/passwd").code == 126


def test_a_signal_is_told_as_shells_tell_it(shell: Local) -> None:
    assert shell.run("sh", "-c", "kill -9 $$").code == 137


def test_much_goes_in_while_much_comes_out(shell: Local) -> None:
    data = os.urandom(3_000_000)
    assert shell.run("cat", given=data).output == data


def test_what_reads_nothing_is_no_error(shell: Local) -> None:
    assert shell.run("true", given=bytes(3_000_000)).code == 0


def test_a_slow_command_is_ended_with_all_it_started(shell: Local) -> None:
    mark = f"cloudmesh-{os.urandom(4).hex()}"
    begun = time.monotonic()
    with pytest.raises(Busy, match=r"sh has not ended after 0\.3 s"):
        shell.run("sh", "-c", "sh -c 'sleep 60; :' $1 & sleep 60; :", "sh", mark, timeout=0.3)
    assert time.monotonic() - begun < 5
    time.sleep(0.1)
    assert survivors(mark) == []


def test_an_answer_without_end_is_stopped_while_it_is_read(shell: Local) -> None:
    with pytest.raises(Busy, match="more than 1000000 bytes"):
        shell.run("yes", most=1_000_000)


def test_complaints_without_end_are_cut(shell: Local) -> None:
    answer = shell.run("sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x >&2")
    assert (answer.code, len(answer.error)) == (0, LONGEST_ERROR)


def test_what_a_command_leaves_behind_is_not_waited_for(shell: Local) -> None:
    begun = time.monotonic()
    answer = shell.run("sh", "-c", "echo here; sleep 3 &")
    assert answer.output == b"here\n"
    assert time.monotonic() - begun < 2.5


def test_the_environment_is_theirs_and_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDMESH_KEYS", "a secret of the portal")
    told = Local(ME.pw_name, environment={"SGE_ROOT": "/opt/sge", "PATH": "/usr/bin:/bin"}).run("env").output.decode()
    known = dict(line.split("=", 1) for line in told.splitlines())
    assert {name: known[name] for name in ("HOME", "USER", "LOGNAME", "SGE_ROOT", "PATH")} == {
        "HOME": ME.pw_dir,
        "USER": ME.pw_name,
        "LOGNAME": ME.pw_name,
        "SGE_ROOT": "/opt/sge",
        "PATH": "/usr/bin:/bin",
    }
    assert set(known) <= {"HOME", "USER", "LOGNAME", "SGE_ROOT", "PATH", "LANG", "SHELL", "PWD", "_", "SHLVL"}


@pytest.mark.parametrize("environment", [{"A B": "c"}, {"": "c"}, {"A=B": "c"}, {"A": "b\0c"}])
def test_what_is_no_variable_is_refused_by_its_name(environment: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="cannot be a variable") as refusal:
        Local(ME.pw_name, environment=environment)
    assert refusal.value.facts == {"field": "environment"}


@pytest.mark.parametrize("login", ["no-such-user", "", "-root", "a\0b"])
def test_who_is_not_there_is_refused(login: str) -> None:
    with pytest.raises(Refused, match="knows no user"):
        Local(login).run("true")


@as_root
def test_root_runs_commands_as_another_with_their_groups_alone() -> None:
    nobody = pwd.getpwnam("nobody")
    told = Local("nobody").run(
        "sh", "-c", 'id -u; id -G; umask; echo "$USER $LOGNAME"; pwd; ps -o sid= -p $$ | tr -d " "; echo $$'
    )
    who, groups, umask, names, _, session, process = told.output.decode().splitlines()
    assert (who, names, umask) == (str(nobody.pw_uid), "nobody nobody", "0022")
    assert groups.split() == list(map(str, os.getgrouplist("nobody", nobody.pw_gid)))
    assert session == process


@as_root
def test_another_reads_nothing_of_the_portals(tmp_path: pathlib.Path) -> None:
    (secret := tmp_path / "secret").write_text("the portal's")
    secret.chmod(0o600)
    assert Local("nobody").run("cat", str(secret)).code == 1
    assert Local(ME.pw_name).run("cat", str(secret)).output == b"the portal's"


@as_root
def test_a_portal_that_is_not_root_acts_as_nobody_else() -> None:
    script = (
        "import os\n"
        "from hpc.backends.local import Local\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "print(Local('nobody').run('id', '-un').output.decode().strip())\n"
        "for login in ('root', 'daemon'):\n"
        "    try: Local(login).run('true')\n"
        "    except Exception as error: print(type(error).__name__, error)\n"
    )
    root = pathlib.Path(__file__).parents[3]
    done = Local(ME.pw_name, environment={"PYTHONPATH": str(root)}).run(sys.executable, "-c", script)
    said = done.output.decode().splitlines()
    assert said[0] == "nobody", done.error
    assert [line.split(" and")[0] for line in said[1:]] == ["Refused The portal runs as nobody"] * 2
