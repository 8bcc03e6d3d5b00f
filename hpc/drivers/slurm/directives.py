"""What a script of Slurm asks for itself, in lines that begin with `#SBATCH`: sbatch(1). The rest stays Slurm's.

sbatch reads them up to the first command.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hpc.drivers.slurm import values

WORD = "#SBATCH"
NAMES = {
    "-J": "name", "--job-name": "name",
    "-p": "queue", "--partition": "queue",
    "-A": "account", "--account": "account",
    "-q": "qos", "--qos": "qos",
    "-N": "nodes", "--nodes": "nodes",
    "-n": "tasks", "--ntasks": "tasks",
    "-c": "cores", "--cpus-per-task": "cores",
    "--gpus-per-node": "gpus", "--gres": "gpus",
    "--mem": "memory",
    "-t": "walltime", "--time": "walltime",
    "-a": "array", "--array": "array",
}  # fmt: skip
DAYS = re.compile(r"(\d+)-(\d+)(?::(\d+))?(?::(\d+))?")


def read(script: str) -> Mapping[str, Any]:
    """By the names of `JobSpec`; of several the last counts, and what is not understood is left out."""
    found = {}
    for line in script.splitlines():
        if line.strip() and not line.startswith("#"):
            break
        for option, text in _options(line) if line.startswith(f"{WORD} ") else ():
            name = NAMES.get(option, "")
            value = MEANINGS.get(name, str)(text) if name else None
            if value not in (None, "", 0):
                found[name] = value
    return found


def _options(line: str) -> Iterator[tuple[str, str]]:
    try:
        words = shlex.split(line.removeprefix(WORD), comments=True)
    except ValueError:
        return
    for number, word in enumerate(words):
        option, equals, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
        following = words[number + 1] if number + 1 < len(words) else ""
        if word.startswith("-"):
            yield option, value if equals else following


def _walltime(text: str) -> int | None:
    """Seconds of minutes, `MINUTES:SECONDS`, `HOURS:MINUTES:SECONDS`, `DAYS-HOURS` and so on."""
    if found := DAYS.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return values.limit(text)


MEANINGS: Mapping[str, Callable[[str], Any]] = {
    "nodes": values.number,
    "tasks": values.number,
    "cores": values.number,
    "gpus": lambda text: values.number(text) or values.gpus(text),
    "memory": values.mebibytes,
    "walltime": _walltime,
}
