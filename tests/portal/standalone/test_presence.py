import os
import subprocess
from pathlib import Path

import pytest

from portal.standalone import control, logs, processes, web
from portal.standalone.identity import CannotRun
from portal.standalone.presence import Details, Presence, end_leftovers


def details(**children: tuple[int, str]) -> Details:
    pid = os.getpid()
    return Details(
        pid=pid, birth=processes.born(pid), state="running", url="http://x", where={"web": "log"}, children=children
    )


def test_one_portal_at_a_time_and_the_next_when_it_left(tmp_path: Path) -> None:
    first, second = Presence(tmp_path), Presence(tmp_path)
    assert not second.is_taken()
    assert first.take()
    assert second.is_taken()
    assert not second.take()
    first.leave()
    assert second.take()


def test_status_tells_what_runs_and_the_exit_code_whether(tmp_path: Path) -> None:
    said: list[str] = []
    presence = Presence(tmp_path)
    assert control.show(presence, say=said.append) == 3
    assert presence.take()
    presence.write(details(web=(4711, "1")))
    assert control.show(presence, say=said.append) == 0
    assert said[1:] == [
        f"The portal is running at http://x (process {os.getpid()})",
        "  web       process 4711     log",
    ]


def test_where_none_ever_ran_there_is_nothing_to_stop_and_nothing_is_made(tmp_path: Path) -> None:
    said: list[str] = []
    assert control.stop(Presence(tmp_path / "var"), say=said.append) == 0
    assert said == ["No portal runs here."]
    assert not (tmp_path / "var").exists()


def test_what_a_killed_supervisor_left_is_ended_and_a_stranger_with_its_number_spared() -> None:
    child = subprocess.Popen(["/bin/sleep", "60"])
    birth = processes.born(child.pid)
    assert birth
    assert end_leftovers(details(worker=(child.pid, "0"))) == []
    assert child.poll() is None
    assert end_leftovers(details(worker=(child.pid, birth))) == ["worker"]
    assert child.wait(5) == -15


def test_a_zombie_counts_as_dead() -> None:
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.born(child.pid) is None
    child.wait()


def test_a_taken_port_means_the_next_one() -> None:
    first = web.listen("127.0.0.1", 18000)
    second = web.listen("127.0.0.1", first.port)
    assert second.port > first.port
    assert second.url == f"http://127.0.0.1:{second.port}"
    first.socket.close()
    second.socket.close()


@pytest.mark.parametrize(
    ("host", "port", "answer"), [("127.0.0.1", 0, "no port 0"), ("192.0.2.1", 8000, "cannot listen on 192")]
)
def test_an_impossible_address_is_named(host: str, port: int, answer: str) -> None:
    with pytest.raises(CannotRun, match=answer):
        web.listen(host, port)


def test_a_large_log_is_kept_aside_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("a") as writer:
        for text in ("oldest", "older", "newer"):
            writer.write(text + " " * logs.LARGEST)
            writer.flush()
            logs.rotate(log)
        writer.write("last")
    kept = [
        path.read_text()[:6].strip()
        for path in (log, tmp_path / "web.log.1", tmp_path / "web.log.2", tmp_path / "web.log.3")
    ]
    assert kept == ["last", "newer", "older", "oldest"]
