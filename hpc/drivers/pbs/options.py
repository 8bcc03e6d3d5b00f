"""A wish as qsub takes it: what both products take alike, and the script.

The job runs where it was submitted, in whatever language its script is: PBS itself starts jobs in the home directory,
and Torque by the login's shell.
"""

import re
import secrets
import shlex
from collections.abc import Iterator

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import JobSpec
from hpc.drivers.pbs import directives, values

JOB_ID = re.compile(r"[0-9]{1,12}(\[[0-9]{0,9}\])?(\.[A-Za-z0-9][A-Za-z0-9._-]{0,250})?")
ARRAY_ID = re.compile(r"[0-9]{1,12}\[\](\..*)?")
QUEUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ACCOUNT = re.compile(r"[\w.@/+][\w.@/+ =-]{0,255}")
UNUSUAL = re.compile(r"[^A-Za-z0-9._+-]+")
PATH = re.compile(r"/([\w./+=@~^\[\] -]|\$PBS_JOBID|\$PBS_ARRAYID)*")
LONGEST_NAME = 200  # letters; OpenPBS takes 230
VARIABLE = "CLOUDMESH_TOKEN"
TOKEN = "wish-"  # noqa: S105  # in front: PBS writes what looks like a number as one
INTERPRETER = "/bin/bash"


def common(spec: JobSpec, token: str) -> Iterator[str]:
    """What both products take alike, but for resources, arrays and dependencies."""
    yield from ("-N", name(spec), "-S", "/bin/sh")
    if token:
        yield from ("-v", f"{VARIABLE}={TOKEN}{token}")
    if spec.queue:
        yield from ("-q", _queue(spec.queue))
    if spec.account:
        yield from ("-A", _account(spec.account))
    if spec.walltime is not None:
        yield from ("-l", f"walltime={values.clock(spec.walltime)}")
    if spec.output:
        yield from ("-o", _path(spec.output, "output"))
    yield from ("-e", _path(spec.error, "error")) if spec.error else ("-j", "oe")
    yield from ["-h"] * spec.is_held


def checked(job_id: str) -> str:
    """The id, which is one of PBS: nothing else gets where a command could take it for an option or a queue."""
    if not JOB_ID.fullmatch(job_id):
        raise Gone(f"There is no job {job_id[:80]!r}: those of PBS are called 12.server or 12[3].server.")
    return job_id


def name(spec: JobSpec) -> str:
    """Of letters, digits and a few signs, with a letter first: all that both products take."""
    if "\0" in spec.name:
        raise Rejected("The name has a NUL character in it, which no job of PBS can have.", field="name")
    plain = UNUSUAL.sub("_", spec.name).strip("_")[:LONGEST_NAME] or "job"
    return plain if plain[0].isalpha() else f"job{plain}"[:LONGEST_NAME]


def spread(spec: JobSpec) -> list[tuple[int, int]]:
    """How many nodes have how many tasks each; those with more come first, and none has nothing to do."""
    each, more = divmod(max(spec.tasks, spec.nodes), spec.nodes)
    return [(count, tasks) for count, tasks in ((more, each + 1), (spec.nodes - more, each)) if count]


def script(spec: JobSpec) -> bytes:
    """A script for sh that hands the job's own to its interpreter, in the folder that it was submitted in.

    Directives (`#PBS`) of what the portal does not say itself stay where qsub looks for them.
    """
    text = spec.script.replace("\r\n", "\n").rstrip("\n")
    end = f"end-of-script-{secrets.token_hex(8)}"
    run = f"exec {_interpreter(text)} /dev/fd/3 3<<'{end}'"
    lines = ["#!/bin/sh", *directives.others(text), 'cd -- "${PBS_O_WORKDIR:-.}" || exit', run, text, end, ""]
    try:
        return "\n".join(lines).encode()
    except UnicodeEncodeError as error:
        raise Rejected("Some of the script is no text that can be written down.", field="script") from error


def _interpreter(text: str) -> str:
    """The program that its first line names, and what follows as one argument, as Linux has it."""
    first = text.partition("\n")[0]
    words = first[2:].split(None, 1) if first.startswith("#!") else []
    return shlex.join(word.strip() for word in words or [INTERPRETER])


def _queue(queue: str) -> str:
    """`@server` would lead to another PBS."""
    if not QUEUE.fullmatch(queue):
        raise Rejected(f"There is no queue {queue[:60]!r}: choose one of the queues.", field="queue")
    return queue


def _account(account: str) -> str:
    if not ACCOUNT.fullmatch(account):
        raise Rejected(
            f"{account[:60]!r} is no account: its name has letters, digits and -._@/+= only.", field="account"
        )
    return account


def _path(path: str, field: str) -> str:
    """A colon would end the name of a machine, and nodes copy files by commands."""
    if not PATH.fullmatch(path):
        raise Rejected(
            f"PBS cannot write to {path[:200]!r}: use an absolute path of letters, digits, spaces and -._+=@~ only.",
            field=field,
        )
    return path
