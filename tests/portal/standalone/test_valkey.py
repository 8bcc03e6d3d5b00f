import os
import signal
from pathlib import Path

import redis

from portal.standalone.children import Child, wait_until
from portal.standalone.valkey import Valkey
from tests import services


def test_what_was_written_is_there_after_a_kill_also_below_a_path_with_spaces() -> None:
    with services.folder() as home:
        (home / "a path").mkdir()
        server = Valkey(data=home / "a path/its data", socket=home / "vk/valkey.sock")
        server.prepare()
        first = Child(server.command(), home / "log")
        assert wait_until(server.answers, seconds=10)
        with redis.Redis.from_url(server.url()) as client:
            client.set("word", "kept")
            assert client.config_get("port") == {"port": "0"}
        assert wait_until(lambda: "kept" in _written(server.data), seconds=10)
        os.kill(first.pid, signal.SIGKILL)
        first.wait(10)
        with services.running(server.command(), home / "log"):
            assert wait_until(server.answers, seconds=10)
            with redis.Redis.from_url(server.url()) as client:
                assert client.get("word") == b"kept"
        assert server.socket.parent.stat().st_mode & 0o777 == 0o700


def _written(folder: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*.aof"))
