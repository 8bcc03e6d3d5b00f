"""Jobs in the documents of PBS as the records of `cloudmesh.types`.

An array is called `12[].server`, its tasks `12[3].server`. OpenPBS tells of arrays and of each task, Torque of tasks
alone: those that wait are gathered here as one job.
"""

import os.path
import re
import signal
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cloudmesh.types import Job, JobState, Json
from hpc.drivers.pbs import fields, options, values, words

TASK = re.compile(r"(\d+)\[(\d+)\](\..*)?")
WAITING = frozenset("QHWT")
NODES = re.compile(r"(?P<nodes>[^:+]+)(?P<rest>(:[^:+]+)*)")
WORST = (JobState.FAILED, JobState.TIMEOUT, JobState.CANCELLED, JobState.UNKNOWN, JobState.COMPLETED)
_facts = fields.finder(fields.JOB)


class Ending(NamedTuple):
    state: JobState
    reason: str = ""
    code: int | None = None
    signal: int | None = None


class Size(NamedTuple):
    nodes: int
    tasks: int
    cores: int
    gpus: int
    memory: int


def job(native: Json) -> Job:
    native = _steady(native)
    facts = _facts(native)
    job_id, given = str(facts["id"]), values.variables(facts["variables"])
    is_array = bool(options.ARRAY_ID.fullmatch(job_id))
    ending = _state(native, facts, is_array=is_array)
    state = ending.state
    has_begun = state not in (JobState.QUEUED, JobState.HELD, JobState.UNKNOWN)
    size = Size(0, 0, 0, 0, 0) if is_array and has_begun else _size(values.table(facts["asked"]))
    directory = str(facts["directory"] or given.get("PBS_O_WORKDIR", ""))
    output, error = _outputs(facts, job_id, directory)
    used = values.table(facts["used"])
    return Job(
        id=job_id,
        name=str(facts["name"] or ""),
        state=state,
        reason=ending.reason,
        login=str(facts["owner"] or "").partition("@")[0],
        queue=str(facts["queue"] or ""),
        account=str(facts["account"] or ""),
        token=_token(given),
        nodes=size.nodes,
        tasks=size.tasks,
        cores=size.cores,
        gpus=size.gpus,
        memory=size.memory,
        walltime=values.seconds(values.table(facts["asked"]).get("walltime", "")),
        submitted=values.moment(facts["submitted"]),
        expected=None if has_begun else values.moment(facts["expected"]),
        started=values.moment(facts["started"]) if has_begun else None,
        ended=values.moment(facts["ended"]) if state.is_final else None,
        exit_code=ending.code,
        signal=ending.signal,
        hosts=hosts(facts) if has_begun else (),
        directory=directory,
        output=output,
        error=error,
        array=_tasks(facts) if is_array else "",
        dependency=str(facts["depend"] or ""),
        used_cpu=values.seconds(used.get("cput", "")) if used else None,
        used_memory=values.mebibytes(used["mem"]) if "mem" in used else None,
        native=native,
    )


def token(native: Json) -> str:
    return _token(values.variables(native.get("Variable_List")))


def is_waiting_task(native: Json) -> bool:
    return bool(TASK.fullmatch(str(native["Job_Id"]))) and native.get("job_state") in WAITING


def is_among(native: Mapping[str, Any], ids: Collection[str]) -> bool:
    """Whether a job is one of these, or a task of one."""
    return native["Job_Id"] in ids or array_of(native) in ids


def array_of(native: Mapping[str, Any]) -> str:
    """The id of the array that a task is of, else its own."""
    return TASK.sub(r"\1[]\3", str(native["Job_Id"]))


def gathered(natives: Iterable[Json]) -> Iterator[Json]:
    """Jobs, where the tasks of an array that wait have become one."""
    waiting: dict[str, list[Json]] = {}
    for native in natives:
        if is_waiting_task(native):
            waiting.setdefault(array_of(native), []).append(native)
        else:
            yield native
    for array, tasks in waiting.items():
        numbers = [int(found[2]) for each in tasks if (found := TASK.fullmatch(str(each["Job_Id"])))]
        free = next((each for each in tasks if each.get("job_state") != "H"), tasks[0])
        yield {**free, "Job_Id": array, "array_indices_remaining": values.ranges(numbers)}


def whole(array: str, found: Iterable[Job]) -> Job | None:
    """An array whose tasks are known: one job that stands for them, and has used nothing itself."""
    tasks = [job for job in found if TASK.sub(r"\1[]\3", job.id) == array and job.id != array]
    if not tasks:
        return None
    last = tasks[-1]
    has_ended = all(job.state.is_final for job in tasks)
    worst = next((state for state in WORST if any(job.state is state for job in tasks)), JobState.UNKNOWN)
    failed = has_ended and worst is not JobState.COMPLETED
    numbers = [int(known[2]) for job in tasks if (known := TASK.fullmatch(job.id))]
    return Job(
        id=array,
        name=last.name.partition("-")[0] if last.name.endswith(f"-{numbers[-1]}") else last.name,
        state=worst if has_ended else JobState.RUNNING,
        reason=words.ARRAY_FAILED if failed else "",
        login=last.login,
        queue=last.queue,
        account=last.account,
        token=last.token,
        walltime=last.walltime,
        submitted=last.submitted,
        ended=max((job.ended for job in tasks if job.ended), default=None) if has_ended else None,
        directory=last.directory,
        array=values.ranges(numbers),
        native={"tasks": [job.id for job in tasks]},
    )


def hosts(facts: Json) -> tuple[str, ...]:
    """`(a:ncpus=1+b:ncpus=1)+(a[0]:ncpus=2:mem=9kb)`, or `a/0-3+b/0*2`; each node once."""
    if facts["vnodes"]:
        parts = [part.strip("()").partition(":")[0] for part in str(facts["vnodes"]).split("+")]
    else:
        parts = [part.partition("/")[0] for part in str(facts["hosts"] or "").split("+")]
    return tuple(dict.fromkeys(filter(None, parts)))


# -- parts -----------------------------------------------------------------------------------------------------


def _steady(native: Json) -> Json:
    """Without what would make each look at it another."""
    kept = {**native}
    for path in fields.COUNTS_UP:
        outer, dot, inner = path.partition(".")
        if not dot:
            kept.pop(outer, None)
        elif inner in values.table(kept.get(outer)):
            kept[outer] = {name: value for name, value in kept[outer].items() if name != inner}
    return kept


def _token(given: dict[str, str]) -> str:
    value = given.get(options.VARIABLE, "")
    return value.removeprefix(options.TOKEN) if value.startswith(options.TOKEN) else ""


def _state(native: Json, facts: Json, *, is_array: bool) -> Ending:
    letter, comment = str(facts["state"] or ""), str(facts["comment"] or "")
    if letter in words.FINAL:
        return _ending(native, facts, is_array=is_array)
    if letter == words.MOVED:
        return Ending(JobState.UNKNOWN, "It was moved to another server of PBS.")
    state = words.JOB_STATES.get(letter, JobState.UNKNOWN)
    if letter == "B" and _remaining(facts):
        return Ending(JobState.QUEUED, words.waits(comment))
    if state is JobState.HELD:
        types, depends = str(facts["holds"] or ""), bool(facts["depend"])
        waits_only = depends and types in ("s", "n")
        return Ending(JobState.QUEUED if waits_only else state, words.holds(types, comment, depends=depends))
    depends = state is JobState.QUEUED and bool(facts["depend"])
    return Ending(state, words.DEPENDS if depends else words.waits(comment) if state is JobState.QUEUED else "")


def _ending(native: Json, facts: Json, *, is_array: bool) -> Ending:
    """How it ended; one that never began was deleted."""
    code, substate = values.number(facts["exit"]), str(facts["substate"] or "")
    told = words.signs(native).get(str(code), "")
    if told:
        return Ending(JobState.TIMEOUT if told == words.WALLTIME else JobState.FAILED, told)
    by_signal = code - words.KILLED if code is not None and code > words.KILLED else None
    if substate == words.TERMINATED or not (facts["started"] or is_array) or by_signal in words.CANCELLING:
        return Ending(JobState.CANCELLED, words.CANCELLED, signal=by_signal)
    if by_signal:
        return Ending(JobState.FAILED, f"It was ended by signal {by_signal}{_signal_name(by_signal)}.", None, by_signal)
    if is_array and code:
        return Ending(JobState.FAILED, words.ARRAY_FAILED)
    if code:
        return Ending(JobState.FAILED, f"It ended with exit code {code}.", code)
    if code == 0 or substate == words.FINISHED:
        return Ending(JobState.COMPLETED, "", code)
    return Ending(JobState.FAILED if substate == words.FAILED else JobState.UNKNOWN, "PBS does not tell how it ended.")


def _signal_name(number: int) -> str:
    try:
        return f" ({signal.Signals(number).name})"
    except ValueError:
        return ""


def _size(asked: Json) -> Size:
    """OpenPBS counts all together, Torque has `nodes=2:ppn=4:gpus=1+1:ppn=2` or `procs=8`."""
    nodes = cores = gpus = 0
    for part in str(asked.get("nodes", "")).split("+"):
        head, _, rest = part.partition(":")
        count = values.number(head) or bool(head)
        each = dict(option.partition("=")[::2] for option in rest.split(":"))
        nodes += count
        cores += count * (values.number(each.get("ppn", 1)) or 1)
        gpus += count * (values.number(each.get("gpus", 0)) or 0)
    return Size(
        nodes=values.number(asked.get("nodect")) or nodes,
        tasks=values.number(asked.get("mpiprocs")) or 0,
        cores=values.number(asked.get("ncpus")) or values.number(asked.get("procs")) or cores or 1,
        gpus=values.number(asked.get("ngpus")) or gpus,
        memory=values.mebibytes(asked.get("mem", "")),
    )


def _outputs(facts: Json, job_id: str, directory: str) -> tuple[str, str]:
    output, error = (_path(facts[name], job_id, directory) for name in ("output", "error"))
    joined = str(facts["join"] or "n")
    return (error, error) if joined == "eo" else (output, output if joined == "oe" else error)


def _path(value: Any, job_id: str, directory: str) -> str:
    """`host:/path` with what stands for the job's id and its number in an array filled in."""
    host, colon, path = str(value or "").partition(":")
    path = path if colon else host
    task = TASK.fullmatch(job_id)
    for sign in ("^array_index^", "$PBS_ARRAYID", "$PBS_ARRAY_INDEX"):
        path = path.replace(sign, task[2]) if task else path
    path = path.replace("$PBS_JOBID", job_id)
    return os.path.normpath(os.path.join(directory, path)) if path and directory else path


def _remaining(facts: Json) -> str:
    return str(facts["remaining"] or "").strip("- ")


def _tasks(facts: Json) -> str:
    return _remaining(facts) or str(facts["tasks"] or "")
