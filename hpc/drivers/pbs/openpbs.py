"""OpenPBS and PBS Professional 19.1 and later: JSON, and jobs that have ended as long as the server keeps them.

Reference guide of PBS Professional 2022.1, chapter 2; what ended is told with `job_history_enable` only, for
`job_history_duration` (two weeks, if nothing else is set).
"""

import datetime
import re
from collections.abc import Collection, Iterable, Iterator

from cloudmesh.errors import Rejected
from cloudmesh.types import Job, JobSpec, Json
from hpc.drivers import Answer
from hpc.drivers.pbs import answers, failures, jobs, options, values
from hpc.drivers.pbs.commands import Commands

JSON = ("-f", "-F", "json")
AT_ONCE = 500  # ids that are asked for in one command
ARRAY = re.compile(r"\d+-\d+(:\d+)?(%\d+)?")
LOOK_BACK = datetime.timedelta(days=30)  # how old a wish's job can be
STAMP = "%Y%m%d%H%M.%S"


class OpenPbs(Commands):
    product = "OpenPBS"

    def server(self) -> Json:
        found = self._document("qstat", "-B", *JSON)
        own = next(iter(values.table(found.get("Server")).values()), None)
        return {"pbs_version": found.get("pbs_version", ""), **values.table(own)}

    def queues(self) -> dict[str, Json]:
        return values.table(self._document("qstat", "-Q", *JSON).get("Queue"))

    def nodes(self) -> dict[str, Json]:
        return values.table(self._document("pbsnodes", "-a", "-F", "json").get("nodes"))

    def jobs(self) -> Iterable[Job]:
        """Tasks that wait are told by their array."""
        natives = _natives(self._document("qstat", "-t", *JSON))
        return [jobs.job(native) for native in natives if not jobs.is_waiting_task(native)]

    def ended(self, ids: Collection[str], since: datetime.datetime | None) -> Iterable[Job]:
        if ids:
            asked = frozenset(filter(options.JOB_ID.fullmatch, ids))
            told = self._known(sorted(asked), "-x", "-t")
            return (jobs.job(native) for native in told if jobs.is_among(native, asked))
        begin = [f"-tm.ge.{since.astimezone(datetime.UTC):{STAMP}}"] if since else []
        known = map(jobs.job, self._known(self._select("-x", "-s", "FM", *begin) or [], "-x"))
        return (job for job in known if job.ended and (since is None or job.ended >= since))

    def find(self, token: str) -> str:
        """Among the login's own of the last time, the newest first."""
        begin = datetime.datetime.now(datetime.UTC) - LOOK_BACK
        mine = ["-u", self.shell.login] if self.shell.login else []
        chosen = [*mine, f"-tc.gt.{begin:{STAMP}}"]
        ids = self._select("-x", *chosen)
        told = self._known(self._select(*chosen) or []) if ids is None else self._known(reversed(ids), "-x")
        for native in told:
            if jobs.token(native) == token:
                return str(native["Job_Id"])
        return ""

    def _options(self, spec: JobSpec) -> Iterator[str]:
        yield from ("-l", f"select={'+'.join(_chunks(spec))}", "-k", "doe")  # output is there while it runs
        if spec.nodes > 1:
            yield from ("-l", "place=scatter")
        if spec.array:
            yield from ("-J", _array(spec.array))
        if spec.after:
            yield from ("-W", f"depend={':'.join(['afterok', *map(options.checked, spec.after)])}")

    # -- asking --------------------------------------------------------------------------------------------

    def _select(self, *chosen: str) -> list[str] | None:
        """The ids of jobs; None where ended ones are asked for and the server keeps none."""
        answer = self._ask("qselect", *chosen)
        if failures.NO_HISTORY in answer.error.lower():
            return None
        return self._checked("qselect", answer).decode(errors="replace").split()

    def _known(self, ids: Iterable[str], *options: str) -> Iterator[Json]:
        """What is known of jobs: with `-x` of ended ones too, with `-t` of the tasks of arrays."""
        ordered = list(ids)
        for begin in range(0, len(ordered), AT_ONCE):
            answer = self._ask("qstat", *options, *JSON, *ordered[begin : begin + AT_ONCE])
            yield from _natives(self._read("qstat", answer))

    def _document(self, command: str, *arguments: str) -> Json:
        return self._read(command, self._ask(command, *arguments))

    def _read(self, command: str, answer: Answer) -> Json:
        """Also of jobs of which some are not known: then the command fails, and tells of the others."""
        said = answer.error
        partial = failures.is_only_of_unknown_jobs(said) or failures.NO_HISTORY in said.lower()
        output = answer.output if partial else self._checked(command, answer)
        return answers.document(output) if output.strip() else {}


def _natives(document: Json) -> Iterator[Json]:
    for job_id, native in values.table(document.get("Jobs")).items():
        yield {"Job_Id": job_id, **values.table(native)}


def _chunks(spec: JobSpec) -> Iterator[str]:
    for nodes, tasks in options.spread(spec):
        memory = f":mem={spec.memory}mb" if spec.memory else ""
        gpus = f":ngpus={spec.gpus}" if spec.gpus else ""
        yield f"{nodes}:ncpus={tasks * spec.cores}:mpiprocs={tasks}{memory}{gpus}"


def _array(array: str) -> str:
    if not ARRAY.fullmatch(array):
        raise Rejected(
            f"An array of OpenPBS is written 1-10, 1-10:2 or 1-100%5 (at most 5 at once), not {array[:60]!r}.",
            field="array",
        )
    return array
