"""The Slurm that live tests run against: that of tests/live/slurm/up.sh, if it runs."""

import dataclasses
import json
import os
import pathlib
import socket
import subprocess
from collections.abc import Callable

from hpc.drivers import LONGEST_ANSWER, Answer, Shell, Site

OURS = pathlib.Path(os.environ.get("CLOUDMESH_LIVE_DIR", "/var/tmp/cloudmesh-live")) / "slurm/site.json"
Prepared = Callable[[str], Shell]


@dataclasses.dataclass(frozen=True)
class Cluster:
    conf: str
    url: str
    host: str
    port: int
    keys: str
    known_hosts: str

    def shell(self, login: str) -> Shell:
        return As(login)

    def token(self, login: str, seconds: int = 3600) -> str:
        """A JWT, which root may make for anybody."""
        command = ["scontrol", "token", f"username={login}", f"lifespan={seconds}"]
        environment = {**os.environ, "SLURM_CONF": self.conf}
        made = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return made.stdout.strip().partition("=")[2]


class As(Shell):
    """Commands on this machine, as somebody else."""

    def __init__(self, login: str) -> None:
        self.login = login

    def run(
        self, *command: str, given: bytes = b"", timeout: float | None = None, most: int = LONGEST_ANSWER
    ) -> Answer:
        become = ["setpriv", f"--reuid={self.login}", f"--regid={self.login}", "--init-groups", "--reset-env"]
        ended = subprocess.run([*become, *command], input=given, capture_output=True, timeout=timeout, check=False)
        return Answer(ended.returncode, ended.stdout, ended.stderr.decode(errors="replace"))


def site(shell: Shell | None, state_dir: pathlib.Path) -> Site:
    return Site(state_dir=state_dir, guard=lambda address: None, shell=shell)


def named() -> Cluster | None:
    if not OURS.exists():
        return None
    cluster = Cluster(**json.loads(OURS.read_text()))
    try:
        socket.create_connection((cluster.host, cluster.port), timeout=5).close()
    except OSError:
        return None
    return cluster
