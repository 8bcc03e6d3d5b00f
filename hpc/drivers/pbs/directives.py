"""What a script of PBS asks for itself, in lines that begin with `#PBS`: qsub(1B). The rest stays PBS's.

qsub reads them up to the first command.
"""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from hpc.drivers.pbs import values

WORD = "#PBS"
NAMES = {"-N": "name", "-q": "queue", "-A": "account", "-J": "array", "-t": "array"}
SIZES = frozenset({"select", "nodes", "ncpus", "mem", "mpiprocs", "ngpus", "procs", "walltime"})


def read(script: str) -> Mapping[str, Any]:
    """By the names of `JobSpec`; of several the last counts, and what is not understood is left out."""
    found: dict[str, Any] = {}
    for option, value in _options(script):
        if option in NAMES:
            found[NAMES[option]] = value
        elif option == "-l":
            for part in value.split(","):
                found |= _resource(*part.partition("=")[::2])
    return {name: value for name, value in found.items() if value}


def others(script: str) -> list[str]:
    """The directives that say something else: PBS is to read them."""
    kept = []
    for option, value in _options(script):
        rest = _beside(value) if option == "-l" else value
        if option not in NAMES and (rest or option != "-l"):
            kept.append(f"{WORD} {shlex.join(filter(None, (option, rest)))}")
    return kept


def _beside(value: str) -> str:
    """Of resources those that the portal does not know."""
    return ",".join(part for part in value.split(",") if part.partition("=")[0] not in SIZES)


def _options(script: str) -> Iterator[tuple[str, str]]:
    for line in script.splitlines():
        if line.strip() and not line.startswith("#"):
            return
        if not line.startswith(f"{WORD} "):
            continue
        try:
            words = shlex.split(line.removeprefix(WORD), comments=True)
        except ValueError:
            continue
        for number, word in enumerate(words):
            following = words[number + 1] if number + 1 < len(words) else ""
            if word.startswith("-"):
                yield word[:2], word[2:] or ("" if following.startswith("-") else following)


def _resource(name: str, value: str) -> dict[str, Any]:
    if name == "walltime":
        return {"walltime": values.seconds(value)}
    if name == "mem":
        return {"memory": values.mebibytes(value)}
    if name in ("select", "nodes") and "+" not in value:
        return _chunk(value)
    return {"cores": values.number(value)} if name == "ncpus" else {}


def _chunk(text: str) -> dict[str, Any]:
    """`2:ncpus=8:mpiprocs=4:mem=4gb:ngpus=1`, or `2:ppn=8:gpus=1` of Torque, where each core is a task."""
    head, _, rest = text.partition(":")
    each = dict(part.partition("=")[::2] for part in rest.split(":"))
    nodes, cores = values.number(head) or 1, values.number(each.get("ncpus")) or 1
    tasks = values.number(each.get("mpiprocs") or each.get("ppn")) or 1
    return {
        "nodes": nodes,
        "tasks": nodes * tasks,
        "cores": max(1, cores // tasks),
        "gpus": values.number(each.get("ngpus") or each.get("gpus")) or 0,
        "memory": values.mebibytes(each.get("mem", "")),
    }
