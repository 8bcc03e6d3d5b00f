"""The Grid Engine that live tests run against: that of tests/live/gridengine/up.sh, if it runs."""

import dataclasses
import json
import os
import pathlib
import socket
import subprocess

from hpc.backends.local import Local
from hpc.backends.ssh import Identity, Ssh
from hpc.drivers import Shell, Site

OURS = pathlib.Path(os.environ.get("CLOUDMESH_LIVE_DIR", "/var/tmp/cloudmesh-live")) / "gridengine/site.json"


@dataclasses.dataclass(frozen=True)
class Cluster:
    root: str
    cell: str
    master_port: str
    execd_port: str
    programs: str
    host: str
    port: int
    keys: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SGE_ROOT": self.root,
            "SGE_CELL": self.cell,
            "SGE_QMASTER_PORT": self.master_port,
            "SGE_EXECD_PORT": self.execd_port,
        }

    def local(self, login: str, **changed: str) -> Shell:
        return Local(login, environment=self.environment | changed)

    def ssh(self, login: str) -> Shell:
        pin = " ".join((pathlib.Path(self.keys) / "host.pub").read_text().split()[:2])
        identity = Identity(key=(pathlib.Path(self.keys) / login).read_text())
        return Ssh(login, self.host, self.port, host_key=pin, identity=identity, guard=lambda address: None)

    @property
    def version(self) -> str:
        command, environment = [f"{self.programs}/qstat", "-help"], {**os.environ, **self.environment}
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
        return said.partition("\n")[0].rpartition(" ")[2]


def site(shell: Shell, state_dir: pathlib.Path, timeout: float = 20.0) -> Site:
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
