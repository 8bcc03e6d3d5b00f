"""What a way to a Slurm can do: its commands at a login node, or slurmrestd."""

import abc
import datetime
import re
from collections.abc import Collection, Iterable

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import Forecast, Job, JobSpec, Json

JOB_ID = re.compile(r"[0-9]{1,10}(_[0-9]{1,10})?(\+[0-9]{1,5})?")
LONGEST_NAME = 200  # letters; Slurm refuses more than 1,024 bytes
INTERPRETER = "#!/bin/bash\n"
LOOK_BACK = datetime.timedelta(days=30)  # how old a wish's job can be


class Way(abc.ABC):
    """Documents come as Slurm has them, by `records` and `accounting` they become records."""

    @abc.abstractmethod
    def check(self) -> str: ...

    @abc.abstractmethod
    def partitions(self) -> list[Json]: ...

    @abc.abstractmethod
    def nodes(self) -> list[Json]: ...

    @abc.abstractmethod
    def jobs(self) -> list[Json]: ...

    @abc.abstractmethod
    def accounted(self, ids: Collection[str], since: datetime.datetime | None) -> Iterable[Job]: ...

    @abc.abstractmethod
    def find(self, token: str) -> str: ...

    @abc.abstractmethod
    def submit(self, spec: JobSpec, token: str) -> str: ...

    @abc.abstractmethod
    def forecast(self, spec: JobSpec) -> Forecast: ...

    @abc.abstractmethod
    def cancel(self, job_id: str) -> None: ...

    @abc.abstractmethod
    def hold(self, job_id: str) -> None: ...

    @abc.abstractmethod
    def release(self, job_id: str) -> None: ...


def possible(ids: Collection[str]) -> list[str]:
    """Those of the ids that Slurm can know, each once."""
    return sorted(filter(JOB_ID.fullmatch, set(ids)))


def since() -> datetime.datetime:
    """From when on the job of a wish is looked for."""
    return datetime.datetime.now(datetime.UTC) - LOOK_BACK


def checked(job_id: str) -> str:
    """The id, which is one of Slurm's: nothing else gets where a command could take it for an option."""
    if not JOB_ID.fullmatch(job_id):
        raise Gone(f"There is no job {job_id[:80]!r}: Slurm's jobs have numbers, such as 12 or 12_3.")
    return job_id


def script(spec: JobSpec) -> bytes:
    """As Slurm takes it: lines end as Unix has them, and the first names the interpreter."""
    text = spec.script.replace("\r\n", "\n")
    try:
        return (text if text.startswith("#!") else INTERPRETER + text).encode()
    except UnicodeEncodeError as error:
        raise Rejected("Some of the script is no text that can be written down.", field="script") from error


def name(spec: JobSpec) -> str:
    """Without control characters, which would tear the tables of others, and not longer than Slurm takes."""
    if "\0" in spec.name:
        raise Rejected("The name has a NUL character in it, which no job of Slurm can have.", field="name")
    printable = "".join(letter if letter.isprintable() else " " for letter in spec.name)
    return printable[:LONGEST_NAME].strip() or "job"


def dependency(spec: JobSpec) -> str:
    return ":".join(["afterok", *map(checked, spec.after)]) if spec.after else ""


def minutes(walltime: int) -> int:
    """Slurm counts whole minutes; rounded up."""
    return max(1, -(-walltime // 60))
