"""The Slurm that live tests run against: that of tests/live/slurm/up.sh, if it runs."""

import dataclasses
import json
import os
import pathlib
import socket
import subprocess

from hpc.backends.local import Local
from hpc.backends.ssh import Identity, Ssh
from hpc.drivers import Shell, Site

OURS = pathlib.Path(os.environ.get("CLOUDMESH_LIVE_DIR", "/var/tmp/cloudmesh-live")) / "slurm/site.json"


@dataclasses.dataclass(frozen=True)
class Cluster:
    conf: str
    url: str
    host: str
    port: int
    keys: str
    known_hosts: str

    def local(self, login: str, conf: str = "") -> Shell:
        return Local(login, environment={"SLURM_CONF": conf or self.conf})

    def ssh(self, login: str) -> Shell:
        pin = " ".join((pathlib.Path(self.keys) / "host.pub").read_text().split()[:2])
        identity = Identity(key=(pathlib.Path(self.keys) / login).read_text())
        return Ssh(login, self.host, self.port, host_key=pin, identity=identity, guard=lambda address: None)

    def token(self, login: str, seconds: int = 3600) -> str:
        """A JWT, which root may make for anybody."""
        command = ["scontrol", "token", f"username={login}", f"lifespan={seconds}"]
        environment = {**os.environ, "SLURM_CONF": self.conf}
        made = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return made.stdout.strip().partition("=")[2]

    def without(self, name: str, **changed: str) -> str:
        """A slurm.conf in which something is otherwise, so that others who use that Slurm notice nothing."""
        lines = pathlib.Path(self.conf).read_text().splitlines()
        kept = [line for line in lines if line.partition("=")[0] not in changed]
        path = pathlib.Path(self.conf).with_name(f"without-{name}.conf")
        path.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in changed.items()), ""]))
        return str(path)

    @property
    def version(self) -> str:
        return subprocess.run(["sinfo", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]


def site(shell: Shell | None, state_dir: pathlib.Path, timeout: float = 20.0) -> Site:
    return Site(state_dir=state_dir, guard=lambda address: None, shell=shell, timeout=timeout)


def named() -> Cluster | None:
    if not OURS.exists():
        return None
    cluster = Cluster(**json.loads(OURS.read_text()))
    try:
        socket.create_connection((cluster.host, cluster.port), timeout=5).close()
    except OSError:
        return None
    return cluster
