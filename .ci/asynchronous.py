"""Writes down for type checkers which methods `AsyncClient` has: those of `Client`, whatever family they are of.

usage: asynchronous.py [--check]     (from the top of the clone; with --check it only says whether that was done)
"""

import sys
from pathlib import Path

sys.path.insert(0, "")  # the clone

from cloudmesh.client.asynchronous import methods

PATH = Path("cloudmesh/client/asynchronous.py")
BEGIN, END = "        _sync = Client()\n", "\n\n"


def written(source: str) -> str:
    head, _, rest = source.partition(BEGIN)
    lines = (f"        {name} = {kind.__name__}(_sync.{name})" for name, kind in sorted(methods().items()))
    return head + BEGIN + "\n".join(lines) + END + rest.partition(END)[2]


if __name__ == "__main__":
    now = PATH.read_text()
    new = written(now)
    if "--check" in sys.argv and new != now:
        sys.exit(f"{PATH} does not name all methods of Client. Run: .venv/bin/python .ci/asynchronous.py")
    if new != now:
        PATH.write_text(new)
