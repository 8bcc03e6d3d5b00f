"""Debian's OpenSSH server with a configuration, keys and a port of its own."""

import contextlib
import dataclasses
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

from hpc.backends.keys import Identity, generate_key

SSHD = "/usr/sbin/sshd"
ME = pwd.getpwuid(os.geteuid()).pw_name
CONFIG = """
ListenAddress 127.0.0.1:{port}
{host_keys}
PidFile {place}/pid
AuthorizedKeysFile {place}/authorized/%u
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding yes
PrintMotd no
"""


@dataclasses.dataclass
class Sshd:
    """One server; `identities` are those of the persons it lets in."""

    place: pathlib.Path
    port: int
    identities: dict[str, Identity] = dataclasses.field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def host_key(self, kind: str = "ed25519") -> str:
        return " ".join((self.place / f"host_{kind}.pub").read_text().split()[:2])

    def fingerprint(self, kind: str = "ed25519") -> str:
        told = subprocess.run(
            ["ssh-keygen", "-lf", self.place / f"host_{kind}.pub"], capture_output=True, text=True, check=True
        )
        return told.stdout.split()[1]

    def make_host_keys(self, *kinds: str) -> None:
        for kind in kinds:
            (self.place / f"host_{kind}").unlink(missing_ok=True)
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", self.place / f"host_{kind}"], check=True)

    def let_in(self, login: str) -> Identity:
        private, public = generate_key()
        (self.place / "authorized" / login).write_text(f"{public}\n")
        self.identities[login] = Identity(key=private)
        return self.identities[login]

    def start(self) -> None:
        host_keys = "\n".join(f"HostKey {path}" for path in sorted(self.place.glob("host_*")) if not path.suffix)
        config = CONFIG.format(port=self.port, host_keys=host_keys, place=self.place)
        (self.place / "sshd_config").write_text(config)
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", self.place / "sshd_config"], stderr=log)
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise AssertionError((self.place / "log").read_text())

    def stop(self, *, sessions: bool = False) -> None:
        """Stop listening, and end the `sessions` that are open too."""
        assert self.process
        if sessions:
            subprocess.run(["pkill", "-KILL", "-P", str(self.process.pid)], check=False)
        self.process.terminate()
        self.process.wait(10)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def persons() -> list[str]:
    """Who may log in here: oneself, and others with a shell and an account that is not locked where one is root."""
    if os.geteuid() != 0:
        return [ME]
    shadow = (line.split(":") for line in pathlib.Path("/etc/shadow").read_text().splitlines())
    locked = {login for login, password, *_ in shadow if password.startswith("!")}
    able = (each for each in pwd.getpwall() if each.pw_uid >= 1000 and each.pw_shell in ("/bin/bash", "/bin/sh"))
    return [ME, *(each.pw_name for each in able if each.pw_name not in locked)]


@contextlib.contextmanager
def running() -> Iterator[Sshd]:
    """Not below pytest's own directories, which nobody else may enter."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="cloudmesh-sshd-"))
    place.chmod(0o755)
    (place / "authorized").mkdir()
    if os.geteuid() == 0:
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)  # where it locks itself in before a login
    server = Sshd(place, free_port())
    server.make_host_keys("ed25519", "rsa")
    for login in persons()[:2]:
        server.let_in(login)
    server.start()
    try:
        yield server
    finally:
        server.stop(sessions=True)
        shutil.rmtree(place)
