"""What a job writes, while it writes it."""

import codecs
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn

import click

from cloudmesh.client import Client
from cloudmesh.errors import INTERRUPTED, Busy, CloudmeshError, Conflict, Gone, NotFound
from cloudmesh.shell import talk

if TYPE_CHECKING:
    from cloudmesh.types import Json

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between readings of what does not grow
WAITING = frozenset({"requested", "held", "queued", "starting"})


def follow_output(client: Client, job: "Json", which: str) -> "Json":
    """Print what a job writes until it has ended; answers it then. Ctrl-C leaves it running."""
    try:
        emit(_growing(client, _until_it_runs(client, job), which))
    except KeyboardInterrupt:
        _leave(job)
    return client.job(job["id"])


def emit(parts: Iterable[bytes]) -> None:
    """Bytes as text, as they come; on a terminal without what would steer it."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    for part in parts:
        _write(decode(part))
    _write(decode(b"", final=True))


def tell_end(job: "Json") -> None:
    """Say how it ended; raises CloudmeshError where that was no success."""
    took = f" after {job['elapsed_seconds']:.0f} s" if job["elapsed_seconds"] is not None else ""
    if job["state"] == "completed":
        talk.progress(f"{job['name']}  completed{took}")
        return
    code = f" with exit code {job['exit_code']}" if job["exit_code"] else ""
    why = f": {job['reason']}" if job["reason"] else "."
    raise CloudmeshError(f"{job['name']} {job['state']}{code}{took}{why}", job=job["id"], exit_code=job["exit_code"])


def _until_it_runs(client: Client, job: "Json") -> "Json":
    now, told = job, ""
    for now in client.follow_job(job):
        if now["state"] not in WAITING:
            break
        line = "  ".join(filter(None, (now["name"], now["state"], now["reason"])))
        if line != told:
            talk.progress(line)
        told = line
    return now


def _growing(client: Client, job: "Json", which: str) -> Iterator[bytes]:
    """What it wrote by now, and then what it adds, until it has ended."""
    offset, pauses, is_over = 0, iter(PAUSES), False
    while not is_over:
        try:
            job, is_over = client.wait_job(job, timeout=next(pauses, PAUSES[-1])), True
        except Busy:
            pass  # it goes on
        try:
            for part in client.download(job, which=which, offset=offset):
                offset, pauses = offset + len(part), iter(PAUSES)
                yield part
        except (Conflict, Gone, NotFound):
            if is_over and job["state"] == "completed":
                raise  # else it has written nothing yet, or never will


def _write(text: str) -> None:
    if sys.stdout.isatty():
        text = "\n".join(map(talk.printable, text.split("\n")))
    sys.stdout.write(text)
    sys.stdout.flush()


def _leave(job: "Json") -> NoReturn:
    if sys.stderr.isatty():
        click.echo(err=True)  # below the ^C that the terminal shows
    talk.say(f"The job goes on without you. Follow it with: cm hpc output {job['provider_id'] or job['id']} --follow")
    raise click.exceptions.Exit(INTERRUPTED)
