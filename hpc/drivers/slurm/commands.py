"""The way to a Slurm over a login node: its commands, of 20.11 and later.

Jobs come as JSON where squeue writes it (21.08), which says most; nodes, partitions and accounting as text whose form
has not changed since 20.11, while that of their JSON has with each version. A command whose controller is not there
tries for up to 20 s and more; it is ended after `site.timeout`.
"""

import contextlib
import datetime
import itertools
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import orjson

from cloudmesh.errors import Busy, DriverError, Gone, Rejected
from cloudmesh.types import Forecast, Job, JobSpec, Json
from hpc.drivers import Answer, Shell
from hpc.drivers.slurm import accounting, failures, fields, records, values, way

FORECAST = re.compile(r"to start at (\S+) using .*?(?: on nodes (\S+))?(?: in partition|$)")
PAIR = re.compile(r"(?:^| )([A-Z][A-Za-z]*)=")  # of scontrol --oneliner
STATES = "--states=all"  # those that just ended, too


class Commands(way.Way):
    def __init__(self, credential: Mapping[str, str], shell: Shell, timeout: float) -> None:
        self.shell = shell
        self.timeout = timeout
        self.folder = credential.get("bin", "").rstrip("/")
        self.cluster = [f"--clusters={credential['cluster']}"] if credential.get("cluster") else []
        self.has_json = credential.get("answers", "json") == "json"

    # -- reading -------------------------------------------------------------------------------------------

    def check(self) -> str:
        version = self._said("sinfo", "--version").removeprefix("slurm ").strip()
        self.partitions()
        return f"Slurm {version}" + (f" as {self.shell.login}" if self.shell.login else "")

    def partitions(self) -> list[Json]:
        return self._shown("partition")

    def nodes(self) -> list[Json]:
        return self._shown("node")

    def jobs(self) -> list[Json]:
        if self.has_json:
            answer = self._run("squeue", "--json", "--all", STATES, *self.cluster)
            self.has_json = answer.code == 0 or not any(words in answer.error for words in failures.NO_JSON)
            if self.has_json:
                return _jobs(self._checked("squeue", answer), answer.error)
        return list(self._squeue(fields.JOB_COLUMNS))

    def accounted(self, ids: Collection[str], since: datetime.datetime | None) -> Iterable[Job]:
        """One for each id; those of a thousand arguments are asked for at a time."""
        if not ids:
            return accounting.jobs(self._sacct("--allusers", *_window(since)), since=since)
        ordered = way.possible(ids)
        parts = [ordered[begin : begin + 1000] for begin in range(0, len(ordered), 1000)]
        rows = itertools.chain.from_iterable(self._sacct("--allusers", f"--jobs={','.join(part)}") for part in parts)
        return accounting.jobs(rows, ids)

    def find(self, token: str) -> str:
        comment = records.TOKEN + token
        wanted = {name: fields.JOB_COLUMNS[name] for name in ("job_id", "array_job_id", "comment")}
        for native in self._squeue(wanted):
            if native["comment"] == comment:
                return str(native["array_job_id"] or native["job_id"])
        for row in self._sacct(*_window(way.since())):
            if row["Comment"] == comment:
                return str(row["JobID"]).partition("_")[0]
        return ""

    # -- changing ------------------------------------------------------------------------------------------

    def submit(self, spec: JobSpec, token: str) -> str:
        said = self._said("sbatch", "--parsable", *self._options(spec, token), given=way.script(spec))
        return said.strip().splitlines()[-1].partition(";")[0]

    def forecast(self, spec: JobSpec) -> Forecast:
        command = ("sbatch", "--test-only", *self._options(spec, ""))
        answer = self._run(*command, given=way.script(spec), variables=["SLURM_TIME_FORMAT=%s"])
        self._checked("sbatch", answer)
        text = answer.error.strip().removeprefix("sbatch: ")
        if not (found := FORECAST.search(text)):
            return Forecast(text=text)
        start, hosts = values.moment(found[1]), records.hosts(found[2] or "")
        return Forecast(start=start, hosts=hosts, text=text.replace(found[1], f"{start:%Y-%m-%d %H:%M} UTC"))

    def cancel(self, job_id: str) -> None:
        known = way.checked(job_id)
        with contextlib.suppress(Gone):  # it has ended
            self._said("scancel", *self.cluster, known)

    def hold(self, job_id: str) -> None:
        self._said("scontrol", *self.cluster, "hold", way.checked(job_id))

    def release(self, job_id: str) -> None:
        self._said("scontrol", *self.cluster, "release", way.checked(job_id))

    def _options(self, spec: JobSpec, token: str) -> Iterator[str]:
        yield from self.cluster
        yield from (f"--job-name={way.name(spec)}", f"--nodes={spec.nodes}", f"--ntasks={spec.tasks}")
        yield f"--cpus-per-task={spec.cores}"
        given = {
            "comment": records.TOKEN + token if token else "",
            "partition": spec.queue,
            "account": spec.account,
            "qos": spec.qos,
            "gpus-per-node": str(spec.gpus or ""),
            "mem": f"{spec.memory}M" if spec.memory else "",
            "time": "" if spec.walltime is None else str(way.minutes(spec.walltime)),
            "array": spec.array,
            "dependency": way.dependency(spec),
            "chdir": spec.directory,
            "output": spec.output,
            "error": spec.error,
        }
        yield from (f"--{option}={value}" for option, value in given.items() if value)
        yield from ["--hold"] * spec.is_held

    # -- asking --------------------------------------------------------------------------------------------

    def _shown(self, kind: str) -> list[Json]:
        said = self._said("scontrol", "--oneliner", "--all", *self.cluster, "show", kind)
        if found := [dict(_pairs(line)) for line in said.splitlines() if "=" in line]:
            return found
        raise Busy(f"scontrol told of no {kind} at all, which no Slurm is without: {said.strip()[:200] or 'nothing'}.")

    def _squeue(self, columns: Mapping[str, str]) -> Iterator[Json]:
        """Rows of `squeue --Format`; each value ends with what nobody can have written into a name."""
        end = _end()
        layout = ",".join(f"{column}:0{end}" for column in columns.values())
        said = self._said("squeue", "--noheader", "--all", STATES, *self.cluster, f"--Format={layout}", timed=True)
        return map(_job_row, _rows(said, end, tuple(columns)))

    def _sacct(self, *options: str) -> Iterator[Json]:
        end = _end()
        layout = ("--noheader", "--parsable", f"--delimiter={end}", f"--format={','.join(fields.SACCT_COLUMNS)}")
        answer = self._run("sacct", *layout, *self.cluster, *options, variables=["SLURM_TIME_FORMAT=%s"])
        if answer.code and any(words in answer.error.lower() for words in failures.NO_ACCOUNTING):
            return iter(())
        return _rows(self._checked("sacct", answer).decode(errors="replace"), end, fields.SACCT_COLUMNS)

    def _said(self, command: str, *arguments: str, given: bytes = b"", timed: bool = False) -> str:
        variables = ["SLURM_TIME_FORMAT=%s"] if timed else []
        answer = self._run(command, *arguments, given=given, variables=variables)
        return self._checked(command, answer).decode(errors="replace")

    def _run(self, command: str, *arguments: str, given: bytes = b"", variables: Iterable[str] = ()) -> Answer:
        path = f"{self.folder}/{command}" if self.folder else command
        whole = ("env", *variables, path, *arguments)
        if any("\0" in part for part in whole):
            raise Rejected("There is a NUL character in what is to be said to Slurm, which no command takes.")
        try:
            return self.shell.run(*whole, given=given, timeout=self.timeout)
        except Busy as error:
            if type(error) is not Busy:
                raise
            raise Busy(f"{error.message} Slurm's controller may not answer.", **error.facts) from error

    def _checked(self, command: str, answer: Answer) -> bytes:
        """What was said, unless the command failed, or says that something did."""
        if answer.code == failures.NOT_FOUND:
            raise failures.missing(command)
        if answer.code:
            raise _failure(answer)
        return answer.output


def _failure(answer: Answer) -> DriverError:
    return failures.failure(answer.error or answer.output.decode(errors="replace"), code=answer.code)


def _end() -> str:
    """What ends a value: not a digit first, which squeue would take for a width."""
    return f"~{secrets.token_hex(6)}~"


def _window(since: datetime.datetime | None) -> tuple[str, ...]:
    """sacct knows times without a zone only, but counts seconds back from now in any."""
    if since is None:
        return ("--starttime=1970-01-01",)
    back = max(0, round((datetime.datetime.now(datetime.UTC) - since).total_seconds()))
    return (f"--starttime=now-{back}seconds", "--endtime=now")


def _rows(said: str, end: str, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    cells = said.split(end)[:-1]
    if len(cells) % len(names):
        raise Busy("Slurm's answer broke off, or has other columns than were asked for.")
    for begin in range(0, len(cells), len(names)):
        row = dict(zip(names, cells[begin : begin + len(names)], strict=True))
        row[names[0]] = row[names[0]].lstrip("\n")
        yield row


def _job_row(row: dict[str, Any]) -> Json:
    """A row of squeue as its JSON would have it."""
    if row.get("array_job_id") == row["job_id"] and row.get("array_task") == "N/A":
        row["array_job_id"] = ""
    task = row.pop("array_task", "")
    waits = row["job_id"] == row.get("array_job_id") and row.get("job_state") == "PENDING"
    row["array_task_id" if task.isdecimal() and not waits else "array_task_string"] = values.text(task)
    if row.get("standard_output", "").endswith(f"/slurm-{row['job_id']}.out"):
        row["standard_output"] = ""  # its name for what none was given, wrong for tasks of arrays
    return row


def _jobs(output: bytes, said: str) -> list[Json]:
    """Those of squeue's document, which has `errors`, no jobs and exit code 0 where the controller is away."""
    try:
        document = orjson.loads(output)
        found, errors = list(document["jobs"]), document.get("errors")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise Busy(
            "squeue did not answer in its JSON: the answer broke off, or a profile of the login node talks."
        ) from error
    if errors:
        raise failures.spoken(errors, said)
    return found


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    """`Key=value Key=value`, where values may have spaces and equal signs."""
    found = list(PAIR.finditer(line))
    for pair, following in itertools.zip_longest(found, found[1:]):
        yield pair[1], line[pair.end() : following.start() if following else None].strip()
