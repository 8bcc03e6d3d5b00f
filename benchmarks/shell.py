"""Whole commands of `cm` against a warm portal, to the least that a Python command can take."""

import os
import subprocess
import sys

from accounts import services as accounts
from benchmarks import bench
from benchmarks.bench import Row
from benchmarks.stage import HERE, uvicorn
from tests import factories

ROUNDS = 31
GOALS = {("--version",): 5.0, ("vm", "list"): 9.0}


def main() -> list[Row]:
    user = factories.make_user("bench")
    project = factories.make_project("bench", lead=user)
    account = factories.make_account(project, user, "india")
    factories.make_servers(account, user, 10)
    _, secret = accounts.issue_token(user=user, name="bench")
    with uvicorn("portal.asgi:application") as port:
        os.environ |= {"CLOUDMESH_URL": f"http://127.0.0.1:{port}", "CLOUDMESH_TOKEN": secret}
        return [_compare(words, goal) for words, goal in GOALS.items()]


def _compare(words: tuple[str, ...], goal: float) -> Row:
    def cm() -> None:
        _run(str(HERE / "cm"), *words)

    def nothing() -> None:
        _run(sys.executable, "-c", "pass")

    cm(), nothing()
    mine, bound = bench.in_turn(ROUNDS, cm, nothing)
    return bench.compare(f"cm {' '.join(words)}, to python -c pass", mine, bound, goal)


def _run(*command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
