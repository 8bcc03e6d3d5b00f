"""A wish as qsub takes it (qsub(1) of 8.1.9), and the script.

The wish's token is the job's account (`-A`), which qstat tells while the job is there and qacct as long as accounting
is kept. The project's account is a project of Grid Engine (`-P`).
"""

import re
import secrets
import shlex
from collections.abc import Iterator, Mapping

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import JobSpec

JOB_ID = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,9}))?")
MADE = re.compile(r"([0-9]{1,10})(?:\.[0-9]+-[0-9]+:[0-9]+)?")  # what qsub -terse says
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
UNUSUAL = re.compile(r"[^A-Za-z0-9._+-]+")
PATH = re.compile(r"/(?:[A-Za-z0-9./+=~_ -]|\$JOB_ID|\$TASK_ID|\$JOB_NAME)*")
ARRAY = re.compile(r"([1-9][0-9]{0,8}(?:-[1-9][0-9]{0,8}(?::[1-9][0-9]{0,8})?)?)(?:%([1-9][0-9]{0,8}))?")
LONGEST_NAME = 200  # letters; it takes 512
PREFIX = "cloudmesh-"  # in front of the token
INTERPRETER = "/bin/bash"


class Resources:
    """What a cluster calls what jobs ask for."""

    def __init__(self, credential: Mapping[str, str]) -> None:
        self.one = credential.get("pe") or "smp"
        self.many = credential.get("pe_nodes") or "mpi"
        self.memory = credential.get("memory") or "h_vmem"
        self.gpus = credential.get("gpus") or "gpu"


def options(spec: JobSpec, token: str, names: Resources) -> Iterator[str]:
    yield from ("-terse", "-b", "n", "-S", "/bin/sh", "-N", name(spec))
    given = {
        "-A": PREFIX + token if token else "",
        "-q": _named(spec.queue, "queue"),
        "-P": _named(spec.account, "account"),
        "-wd": _path(spec.directory, "directory"),
        "-o": _path(spec.output, "output"),
        "-e": _path(spec.error, "error"),
    }
    for option, value in given.items():
        if value:
            yield from (option, value)
    yield from ("-j", "n" if spec.error else "y")
    yield from ["-h"] * spec.is_held
    yield from _array(spec.array)
    yield from _size(spec, names)


def _size(spec: JobSpec, names: Resources) -> Iterator[str]:
    """Memory is what each slot may have; GPUs are what the job has on a node."""
    slots = max(spec.tasks, spec.nodes) * spec.cores
    if slots > 1:
        yield from ("-pe", names.many if spec.nodes > 1 else names.one, str(slots))
    if spec.walltime is not None:
        yield from ("-l", f"h_rt={max(1, spec.walltime)}")
    if spec.memory:
        yield from ("-l", f"{names.memory}={-(-spec.memory * spec.nodes // slots)}M")
    if spec.gpus:
        yield from ("-l", f"{names.gpus}={spec.gpus}")


def checked(job_id: str) -> str:
    """The id, which is one of Grid Engine's: a name or a pattern would be taken for all jobs of that name."""
    if not JOB_ID.fullmatch(job_id):
        raise Gone(f"There is no job {job_id[:80]!r}: those of Grid Engine have numbers, such as 12 or 12.3.")
    return job_id


def name(spec: JobSpec) -> str:
    """Of ASCII letters, digits and a few signs, with a letter first: others make qsub fail without a reason."""
    if "\0" in spec.name:
        raise Rejected("The name has a NUL character in it, which no job of Grid Engine can have.", field="name")
    plain = UNUSUAL.sub("_", spec.name).strip("_")[:LONGEST_NAME] or "job"
    return plain if plain[0].isalpha() else f"job{plain}"[:LONGEST_NAME]


def script(spec: JobSpec) -> bytes:
    """A script for sh that hands the job's own to its interpreter: queues may take csh for all of them.

    Directives (`#$`) in it stay where qsub finds them; they count after what is asked for beside.
    """
    text = spec.script.replace("\r\n", "\n").rstrip("\n")
    end = f"end-of-script-{secrets.token_hex(8)}"
    try:
        return f"#!/bin/sh\nexec {_interpreter(text)} /dev/fd/3 3<<'{end}'\n{text}\n{end}\n".encode()
    except UnicodeEncodeError as error:
        raise Rejected("Some of the script is no text that can be written down.", field="script") from error


def _interpreter(text: str) -> str:
    """The program that its first line names, and what follows as one argument, as Linux has it."""
    first = text.partition("\n")[0]
    words = first[2:].split(None, 1) if first.startswith("#!") else []
    return shlex.join(word.strip() for word in words or [INTERPRETER])


def _array(array: str) -> Iterator[str]:
    if not array:
        return
    if not (found := ARRAY.fullmatch(array)):
        raise Rejected(f"An array is written 1-10, 1-10:2 or 1-100%5, not {array[:60]!r}.", field="array")
    yield from ("-t", found[1])
    if found[2]:
        yield from ("-tc", found[2])


def _named(text: str, field: str) -> str:
    """`@host` and patterns would lead to other queues."""
    if text and not NAME.fullmatch(text):
        raise Rejected(f"There is no {field} {text[:60]!r}: choose one of those that there are.", field=field)
    return text


def _path(path: str, field: str) -> str:
    """A colon would end the name of a machine, a comma the path, and $HOME would be filled in."""
    if path and not PATH.fullmatch(path):
        raise Rejected(
            f"Grid Engine cannot take {path[:200]!r}: use an absolute path of letters, digits, spaces and -._+=~ only.",
            field=field,
        )
    return path
