"""Jobs that have ended, from `qacct -j` (accounting(5)), as the records of `cloudmesh.types`.

Each task of an array has a record; a job that was put back in the queue has one for each time that it ran. What was
deleted before it began has none: qstat tells of it for a while (`finished_jobs`), as one that is no more.
"""

import dataclasses
import itertools
import re
import signal
from collections.abc import Collection, Iterable
from typing import NamedTuple

from cloudmesh.types import Job, JobState
from hpc.drivers.gridengine import jobs, values, words
from hpc.drivers.gridengine.options import PREFIX, Resources

REQUESTS = re.compile(r"(?:^| )-l (\S+)")
NONE = ("NONE", "none", "undefined", "")
SIGNALLED = 128
WORST = (JobState.FAILED, JobState.TIMEOUT, JobState.CANCELLED, JobState.COMPLETED)


class Ending(NamedTuple):
    state: JobState
    reason: str = ""
    code: int | None = None
    signal: int | None = None


def ended(records: Iterable[dict[str, str]], names: Resources) -> list[Job]:
    """Each once, as its last record has it."""
    found = {_id(record): record for record in records if "jobnumber" in record}
    return [_job(job_id, record, names) for job_id, record in found.items() if _failed(record) not in words.AGAIN]


def arrays(found: Collection[Job], wanted: Collection[str]) -> list[Job]:
    """Those of the wanted arrays whose tasks are known: one job that stands for them, and has used nothing itself."""
    tasks = sorted((job for job in found if "." in job.id), key=_number)
    groups = ((array, list(group)) for array, group in itertools.groupby(tasks, key=_number))
    return [_whole(array, group) for array, group in groups if array in wanted]


def deleted(zombies: Iterable[jobs.Listed], names: Resources) -> list[Job]:
    """Jobs that are no more and that accounting does not know: they never began."""
    return [
        dataclasses.replace(job, state=JobState.CANCELLED, reason=words.CANCELLED, array="")
        for job in jobs.jobs(zombies, jobs.Details(), names)
    ]


def _number(job: Job) -> str:
    return job.id.partition(".")[0]


def _id(record: dict[str, str]) -> str:
    task = record.get("taskid", "undefined")
    return record["jobnumber"] if task in NONE else f"{record['jobnumber']}.{task}"


def _failed(record: dict[str, str]) -> int:
    return values.number(record.get("failed", "0").partition(":")[0]) or 0


def _job(job_id: str, record: dict[str, str], names: Resources) -> Job:
    asked = _asked(record.get("category", ""))
    cores, account = values.number(record.get("slots")) or 1, record.get("account", "")
    ending = _ending(record, asked)
    host = record.get("hostname", "")
    return Job(
        id=job_id,
        name=record.get("jobname", ""),
        state=ending.state,
        reason=ending.reason,
        login=record.get("owner", ""),
        queue="" if record.get("qname") in NONE else record.get("qname", ""),
        account="" if record.get("project") in NONE else record.get("project", ""),
        token=account.removeprefix(PREFIX) if account.startswith(PREFIX) else "",
        nodes=1,
        cores=cores,
        gpus=values.number(asked.get(names.gpus)) or 0,
        memory=values.mebibytes(asked.get(names.memory)) * cores,
        walltime=values.seconds(asked.get("h_rt")),
        submitted=values.moment(record.get("qsub_time")),
        started=values.moment(record.get("start_time")),
        ended=values.moment(record.get("end_time")),
        exit_code=ending.code,
        signal=ending.signal,
        hosts=() if host in NONE else (host,),
        used_cpu=round(values.fraction(record.get("cpu", "")) or 0),
        used_memory=values.mebibytes(record.get("maxvmem")),
        native=dict(record),
    )


def _asked(category: str) -> dict[str, str]:
    """`-l gpu=1,h_rt=600 -pe smp 2`, which qacct of 8.1 tells."""
    found = REQUESTS.search(category)
    return dict(pair.partition("=")[::2] for pair in found[1].split(",")) if found else {}


def _ending(record: dict[str, str], asked: dict[str, str]) -> Ending:
    failed, code = _failed(record), values.number(record.get("exit_status", "0").partition("(")[0]) or 0
    if failed == words.LIMITED:
        wall, limit = values.fraction(record.get("ru_wallclock", "")) or 0, values.seconds(asked.get("h_rt"))
        if limit is None or wall >= limit:
            return Ending(JobState.TIMEOUT, words.WALLTIME)
        return Ending(JobState.FAILED, words.LIMIT)
    if failed == words.AFTER_JOB and code > SIGNALLED:
        return _signalled(code - SIGNALLED)
    if failed:
        said = record["failed"].partition(":")[2].strip()
        told = words.FAILURES.get(failed) or f"Grid Engine says: {said or failed}."
        return Ending(JobState.FAILED, told, code or None)
    if code:
        return Ending(JobState.FAILED, f"It ended with exit code {code}.", code)
    return Ending(JobState.COMPLETED, "", 0)


def _signalled(number: int) -> Ending:
    """qdel sends SIGKILL, and nothing tells who did."""
    if number == signal.SIGKILL:
        return Ending(JobState.CANCELLED, words.KILLED, None, number)
    return Ending(JobState.FAILED, f"It was ended by signal {number}{_signal_name(number)}.", None, number)


def _signal_name(number: int) -> str:
    try:
        return f" ({signal.Signals(number).name})"
    except ValueError:
        return ""


def _whole(array: str, tasks: list[Job]) -> Job:
    last = tasks[-1]
    worst = next(state for state in WORST if any(job.state is state for job in tasks))
    return Job(
        id=array,
        name=last.name,
        state=worst,
        reason="" if worst is JobState.COMPLETED else words.ARRAY_FAILED,
        login=last.login,
        queue=last.queue,
        account=last.account,
        token=last.token,
        walltime=last.walltime,
        submitted=last.submitted,
        ended=max((job.ended for job in tasks if job.ended), default=None),
        native={"tasks": [job.id for job in tasks]},
    )
