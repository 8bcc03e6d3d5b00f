"""A PBS that answers by its manuals, of either product, with the commands of it in a folder of their own.

There is none to run here: what its commands say, and how they end, is written down in `server/` after the guides and
the sources of OpenPBS 20 and Torque 6. What they do is real: jobs run, are ended, wait for others and are forgotten.
"""

import dataclasses
import json
import pathlib
import stat
import sys
from collections.abc import Mapping

from hpc.drivers import LONGEST_ANSWER, Answer, Shell, Site

SERVER = pathlib.Path(__file__).parent / "server"
COMMANDS = {
    "openpbs": ("qstat", "qselect", "qsub", "qdel", "qhold", "qrls", "pbsnodes"),
    "torque": ("qstat", "qsub", "qdel", "qhold", "qrls", "pbsnodes"),
}
VERSIONS = {"openpbs": "20.0.1", "torque": "6.1.2"}
#: A job of somebody else that is always there, named and equipped as people do it.
ODD = {
    "name": "say\"hi\\<b>&'1e5",
    "user": "carol",
    "state": "H",
    "holds": "u",
    "variables": {
        "LEVEL": "007",
        "RATIO": "nan",
        "HEX": "0x1F",
        "LIST": 'a\\,b="c"',
        "END": "\\",
        "PBS_O_WORKDIR": "/c",
    },
    "output": "login1:/c/odd.o1",
    "error": "login1:/c/odd.e1",
}


class Person(Shell):
    """Somebody at a shell that is another's: this machine has one account for all tests."""

    def __init__(self, shell: Shell, login: str) -> None:
        self._shell, self.login = shell, login

    def run(
        self, *command: str, given: bytes = b"", timeout: float | None = None, most: int = LONGEST_ANSWER
    ) -> Answer:
        whole = ("env", f"PBS_CONTRACT_USER={self.login}", *command)
        return self._shell.run(*whole, given=given, timeout=timeout, most=most)


@dataclasses.dataclass(frozen=True)
class Server:
    place: pathlib.Path
    product: str

    @property
    def bin(self) -> pathlib.Path:
        return self.place / "bin"

    @property
    def environment(self) -> Mapping[str, str]:
        """Of a login node, in whose zone nobody else may live."""
        return {
            "PBS_CONTRACT_DIR": str(self.place),
            "TZ": "Asia/Tokyo",
            "PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin",
        }

    def go_away(self) -> None:
        (self.place / "away").touch()


def start(place: pathlib.Path, product: str, *, version: str = "", history: bool = True, keep: int = 3600) -> Server:
    server = Server(place, product)
    for name in ("bin", "scripts", "delete"):
        (place / name).mkdir(parents=True)
    settings = {"product": product, "version": version or VERSIONS[product], "history": history, "keep": keep}
    (place / "settings.json").write_text(json.dumps(settings))
    for command in COMMANDS[product]:
        path = server.bin / command
        path.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {SERVER}/main.py {command} "$@"\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    (place / "state.json").write_text(json.dumps({"jobs": {"1": odd()}, "last": 100}))
    return server


def odd() -> dict[str, object]:
    usual = {
        "queue": "workq", "account": "", "resources": {"ncpus": "1", "nodect": "1"}, "chunks": [[1, 1]], "used": {},
        "ctime": 1700000000, "stime": None, "end": None, "exit": None, "substate": 20, "hosts": [], "join": "n",
        "keep": "n", "depend": [], "comment": "", "cwd": "/c", "shell": "", "is_array": False, "array": "",
        "walltime": None, "arguments": '-N "odd"',
    }  # fmt: skip
    return {**usual, **ODD}


def site(shell: Shell, state_dir: pathlib.Path) -> Site:
    return Site(state_dir=state_dir, guard=lambda address: None, shell=shell)
