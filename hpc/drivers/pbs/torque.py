"""Torque 4 to 6: XML and text; jobs that have ended as long as the server keeps them (`keep_completed`, 300 s).

Administrator guide of Torque 6.1, appendix A. `tracejob` tells more, but to root at the server alone.
"""

import datetime
import itertools
import re
from collections.abc import Collection, Iterable, Iterator

from cloudmesh.errors import Rejected
from cloudmesh.types import Job, JobSpec, Json
from hpc.drivers.pbs import answers, jobs, options
from hpc.drivers.pbs.commands import Commands

ARRAY = re.compile(r"\d+(-\d+(:\d+)?)?(,\d+(-\d+(:\d+)?)?)*(%\d+)?")
LONGEST_ARRAY = 100_000


class Torque(Commands):
    product = "Torque"

    def server(self) -> Json:
        return next((facts for _, facts in answers.blocks(self._said("qstat", "-B", "-f"))), {})

    def queues(self) -> dict[str, Json]:
        return dict(answers.blocks(self._said("qstat", "-Q", "-f")))

    def nodes(self) -> dict[str, Json]:
        found = answers.elements(self._said("pbsnodes", "-x"), "Node")
        return {str(native["name"]): {**native, "status": _status(native.get("status"))} for native in found}

    def jobs(self) -> Iterable[Job]:
        return map(jobs.job, jobs.gathered(self._natives()))

    def ended(self, ids: Collection[str], since: datetime.datetime | None) -> Iterable[Job]:
        found = [jobs.job(native) for native in self._natives()]
        if not ids:
            return (job for job in found if job.ended and (since is None or job.ended >= since))
        asked = frozenset(ids)
        arrays = (jobs.whole(array, found) for array in asked if options.ARRAY_ID.fullmatch(array))
        return itertools.chain((job for job in found if jobs.is_among(job.native, asked)), filter(None, arrays))

    def find(self, token: str) -> str:
        return next((jobs.array_of(native) for native in self._natives() if jobs.token(native) == token), "")

    def _options(self, spec: JobSpec) -> Iterator[str]:
        yield from ("-l", f"nodes={'+'.join(_nodes(spec))}")
        if spec.memory:
            yield from ("-l", f"mem={spec.memory * spec.nodes}mb")
        if spec.array:
            yield from ("-t", _array(spec.array))
        if spec.after:
            yield from ("-W", f"depend={_dependency(spec)}")

    def _natives(self) -> list[Json]:
        """Each task of an array is a job of its own here."""
        return answers.elements(self._said("qstat", "-x", "-t"), "Job")


def _nodes(spec: JobSpec) -> Iterator[str]:
    for nodes, tasks in options.spread(spec):
        yield f"{nodes}:ppn={tasks * spec.cores}" + (f":gpus={spec.gpus}" if spec.gpus else "")


def _dependency(spec: JobSpec) -> str:
    """An array is waited for in a way of its own."""
    kinds: dict[str, list[str]] = {"afterok": [], "afterokarray": []}
    for job_id in map(options.checked, spec.after):
        kinds["afterokarray" if options.ARRAY_ID.fullmatch(job_id) else "afterok"].append(job_id)
    return ",".join(":".join([kind, *ids]) for kind, ids in kinds.items() if ids)


def _array(array: str) -> str:
    """Torque knows no steps: their numbers are written out."""
    if not ARRAY.fullmatch(array):
        raise Rejected(f"An array is written 1-10, 1,3,7 or 1-100%5, not {array[:60]!r}.", field="array")
    if ":" not in array:
        return array
    numbers, percent, most = array.partition("%")
    return ",".join(map(str, _numbers(numbers))) + percent + most


def _numbers(array: str) -> list[int]:
    found: list[int] = []
    for part in array.split(","):
        bounds, _, step = part.partition(":")
        first, _, last = bounds.partition("-")
        found += itertools.islice(range(int(first), int(last or first) + 1, max(1, int(step or 1))), LONGEST_ARRAY)
    return found


def _status(text: object) -> dict[str, str]:
    """`rectime=…,jobs=…,loadave=0.00,physmem=1017208kb`, where values may have commas."""
    pairs = (part.partition("=") for part in str(text or "").split(",") if "=" in part)
    return {name.strip(): value for name, _, value in pairs}
