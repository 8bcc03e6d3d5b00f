"""The OAR that live tests run against: that of tests/live/oar/up.sh, if it runs."""

import dataclasses
import json
import os
import pathlib
import socket
import subprocess

from hpc.backends.local import Local
from hpc.backends.ssh import Identity, Ssh
from hpc.drivers import Shell

OURS = pathlib.Path(os.environ.get("CLOUDMESH_LIVE_DIR", "/var/tmp/cloudmesh-live")) / "oar/site.json"
SCRIPTS = pathlib.Path(__file__).with_name("oar")


@dataclasses.dataclass(frozen=True)
class Cluster:
    host: str
    port: int
    keys: str
    server: int

    def local(self, login: str) -> Shell:
        return Local(login)

    def ssh(self, login: str) -> Shell:
        pin = " ".join((pathlib.Path(self.keys) / "host.pub").read_text().split()[:2])
        identity = Identity(key=(pathlib.Path(self.keys) / login).read_text())
        return Ssh(login, self.host, self.port, host_key=pin, identity=identity, guard=lambda address: None)

    def stop(self, part: str) -> None:
        subprocess.run([SCRIPTS / "down.sh", part], check=True, capture_output=True)

    def start(self) -> None:
        subprocess.run([SCRIPTS / "up.sh"], check=True, capture_output=True)


def version() -> str:
    said = subprocess.run(["oarstat", "--version"], capture_output=True, text=True, check=True).stdout
    return said.partition(":")[2].strip()


def named() -> Cluster | None:
    if not OURS.exists():
        return None
    cluster = Cluster(**json.loads(OURS.read_text()))
    try:
        socket.create_connection((cluster.host, cluster.port), timeout=5).close()
    except OSError:
        return None
    return cluster
