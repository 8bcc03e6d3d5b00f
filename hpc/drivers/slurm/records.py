"""Jobs, queues and nodes in Slurm's documents as the records of `cloudmesh.types`.

A job's document is that of `squeue --json` and slurmrestd; `squeue --Format` is made into the same, all values text.
"""

import functools
import re
import signal
from collections import Counter
from collections.abc import Iterable
from typing import Any

from cloudmesh.errors import Invalid
from cloudmesh.types import Job, JobState, Json, Node, NodeState, Queue, QueueState, expand_names
from hpc.drivers.slurm import fields, values, words

TOKEN = "cloudmesh:"  # noqa: S105  # how the comment begins that carries a wish's token
COUNTS_UP = "last_sched_evaluation"  # every few seconds of each job that waits, and says nothing of it
PATTERN = re.compile(r"%(\d*)([%AaJjNnstux])")
NO_TASK = "4294967294"  # what Slurm writes for one where there is no array
_queue_facts, _node_facts = fields.finder(fields.QUEUE), fields.finder(fields.NODE)

# -- jobs ------------------------------------------------------------------------------------------------------


def job(native: Json) -> Job:
    native.pop(COUNTS_UP, None)
    states = values.names(native["job_state"])
    reason = values.text(native.get("state_reason"))
    state = _job_state(states, reason, native)
    has_begun = state not in (JobState.QUEUED, JobState.HELD)
    code, by_signal = exit_code(native.get("exit_code")) if state.is_final else (None, None)
    why = ending(states[0], reason, code, by_signal) if state.is_final else "" if has_begun else words.waits(reason)
    array, task = _array(native)
    starts, on = values.moment(native.get("start_time")), hosts(native.get("nodes"))
    given = native.get("tres_alloc_str") or native.get("tres_req_str")
    directory, output, error = _places(native, array, task, on)
    return Job(
        id=_id(native, array, task),
        name=native.get("name") or "",
        state=state,
        reason=why,
        login=native.get("user_name") or "",
        queue=native.get("partition") or "",
        account=native.get("account") or "",
        qos=native.get("qos") or "",
        token=token(native.get("comment")),
        nodes=values.number(native.get("node_count")) or 0,
        tasks=values.number(native.get("tasks")) or 0,
        cores=values.number(native.get("cpus")) or 0,
        gpus=values.gpus(given) or _gpus_asked(native),
        memory=values.mebibytes(values.tres(given).get("mem")),
        walltime=values.limit(native.get("time_limit")),
        submitted=values.moment(native.get("submit_time")),
        expected=None if has_begun else starts,
        started=starts if has_begun and on else None,  # one that ended before it began says when it ended
        ended=values.moment(native.get("end_time")) if state.is_final else None,
        exit_code=code,
        signal=by_signal,
        hosts=on,
        directory=directory,
        output=output,
        error=error,
        array="" if task is not None else values.text(native.get("array_task_string")),
        dependency=values.text(native.get("dependency")),
        native=native,
    )


def job_id(native: Json) -> str:
    """`12`, or `12_3` for the task of an array that has begun; the tasks that wait are one job, `12`."""
    return _id(native, *_array(native))


def _id(native: Json, array: int | None, task: int | None) -> str:
    return str(array or native["job_id"]) if task is None else f"{array}_{task}"


def _array(native: Json) -> tuple[int | None, int | None]:
    """The array that it belongs to, and which task it is; 0 is a task too, but no array."""
    array = values.number(native.get("array_job_id"))
    return (array, values.number(native.get("array_task_id"))) if array else (None, None)


def token(comment: Any) -> str:
    return comment[len(TOKEN) :] if isinstance(comment, str) and comment.startswith(TOKEN) else ""


def exit_code(value: Any) -> tuple[int | None, int | None]:
    """Exit code and signal, from `3:0`, the number of wait(2), or the document of slurmrestd 0.0.39 and later."""
    if isinstance(value, dict):
        killed = value.get("signal") or {}
        code = values.number(value.get("return_code"))
        by_signal = values.number(killed.get("id", killed.get("signal_id")))
    elif isinstance(value, str) and ":" in value:
        code, by_signal = (values.number(part) for part in value.split(":"))
    else:
        status = values.number(value)
        code, by_signal = (None, None) if status is None else (status >> 8 & 0xFF, status & 0x7F)
    return (None, by_signal) if by_signal else (code, None)


def ending(state: str, reason: str, code: int | None, by_signal: int | None) -> str:
    """How a job ended, in plain words; one that did what it should needs none."""
    if state in words.ENDINGS:
        return words.ENDINGS[state]
    if state == "COMPLETED":
        return ""
    if by_signal:
        return f"It was ended by signal {by_signal}{_signal_name(by_signal)}."
    known = words.FAILURES.get(reason, "")
    return f"It ended with exit code {code}." if code and not known else known or words.waits(reason)


def _job_state(states: list[str], reason: str, native: Json) -> JobState:
    flagged = words.first(states, words.JOB_FLAGS)
    if flagged:
        return flagged
    state = words.first(states, words.JOB_STATES) or JobState.UNKNOWN
    is_held = state is JobState.QUEUED and (reason in words.HOLDS or native.get("hold") is True)
    return JobState.HELD if is_held else state


def _gpus_asked(native: Json) -> int:
    """All together, at sites that do not count them (AccountingStorageTRES has no gres/gpu)."""
    if native.get("tres_per_job"):
        return values.gpus(native["tres_per_job"])
    per_node, per_task = values.gpus(native.get("tres_per_node")), values.gpus(native.get("tres_per_task"))
    counts = values.number(native.get("node_count")), values.number(native.get("tasks"))
    return per_node * (counts[0] or 1) or per_task * (counts[1] or 1)


def _places(native: Json, array: int | None, task: int | None, on: tuple[str, ...]) -> tuple[str, str, str]:
    """Where it runs, and the files of its output and errors: absolute, with the patterns in their names filled in."""

    def whole(path: str) -> str:
        meant = _filled(native, path, array, task, on) if "%" in path else path
        return meant if meant.startswith("/") or not directory else f"{directory}/{meant}"

    directory = values.text(native.get("current_working_directory"))
    output = native.get("stdout_expanded") or values.text(native.get("standard_output"))
    error = native.get("stderr_expanded") or values.text(native.get("standard_error"))
    usual = f"slurm-{native['job_id']}.out" if task is None else f"slurm-{array}_{task}.out"
    output = whole(output or usual)
    return directory, output, whole(error) if error else output


def _filled(native: Json, path: str, array: int | None, task: int | None, on: tuple[str, ...]) -> str:
    """A path with its patterns filled in, as sbatch(1) tells under "filename pattern"."""
    if "\\" in path:
        return path.replace("\\", "")  # then nothing is
    own = str(native["job_id"])
    meanings = {
        "%": "%",
        "A": str(array or own),
        "a": NO_TASK if task is None else str(task),
        "J": own,
        "j": own,
        "N": on[0].partition(".")[0] if on else "%N",
        "n": "0",
        "s": "batch",
        "t": "0",
        "u": native.get("user_name") or "",
        "x": native.get("name") or "",
    }
    return PATTERN.sub(lambda found: meanings[found[2]].rjust(int(found[1] or 0), "0"), path)


@functools.lru_cache(4096)
def hosts(text: str | None) -> tuple[str, ...]:
    """The single names of `i[001-003,7],login`; a list that makes no sense stays as it is."""
    if not text or text in ("(null)", "None assigned"):
        return ()
    try:
        return tuple(expand_names(text) if "[" in text else text.split(","))
    except Invalid:
        return (text,)


def _signal_name(number: int) -> str:
    try:
        return f" ({signal.Signals(number).name})"
    except ValueError:
        return ""


# -- queues and nodes ------------------------------------------------------------------------------------------


def queues(natives: Iterable[Json], nodes: Iterable[Node]) -> list[Queue]:
    """Partitions, with the cores in use of those nodes."""
    used: Counter[str] = Counter()
    for each in nodes:
        used.update(dict.fromkeys(each.queues, each.cores_used))
    return [_queue(native, used) for native in natives]


def _queue(native: Json, used: Counter[str]) -> Queue:
    facts = _queue_facts(native)
    states = values.names(facts["state"])
    return Queue(
        name=facts["name"],
        state=words.QUEUE_STATES.get(states[0] if states else "", QueueState.UNKNOWN),
        is_default=facts["is_default"] == "YES" or "DEFAULT" in values.names(facts["flags"]),
        max_walltime=values.limit(facts["max_walltime"]),
        default_walltime=values.limit(facts["default_walltime"]),
        max_nodes=values.number(facts["max_nodes"]),
        nodes=values.number(facts["nodes"]) or 0,
        cores=values.number(facts["cores"]) or 0,
        cores_used=used[facts["name"]],
        priority=values.number(facts["priority"]) or 0,
        native=native,
    )


def node(native: Json) -> Node:
    facts = _node_facts(native)
    states = values.names(facts["state"]) + values.names(facts["flags"])
    load = facts["load"] if facts["hundredths"] is None else values.number(facts["hundredths"])
    used = values.tres(facts["tres_used"])
    return Node(
        name=facts["name"],
        state=_node_state([state.rstrip("*$~#!%@^-") for state in states]),
        reason=values.text(facts["reason"]),
        queues=values.listed(facts["queues"]),
        cores=values.number(facts["cores"]) or 0,
        cores_used=values.number(facts["cores_used"]) or 0,
        memory=values.mebibytes(facts["memory"]),
        memory_used=values.mebibytes(facts["memory_used"]),
        gpus=values.gpus(facts["gres"]),
        gpus_used=values.gpus(facts["gres_used"]) or values.gpus(",".join(f"{k}={v}" for k, v in used.items())),
        load=_load(load, facts["hundredths"] is not None),
        properties=values.listed(facts["properties"]),
        native=native,
    )


def _load(value: Any, is_hundredths: bool) -> float | None:
    try:
        return None if value is None else float(value) / (100 if is_hundredths else 1)
    except ValueError:  # N/A
        return None


def _node_state(states: list[str]) -> NodeState:
    """A node that is drained says `IDLE` and beside it `DRAIN`; the flags count before the state."""
    base = next((words.NODE_STATES[state] for state in states if state in words.NODE_STATES), NodeState.UNKNOWN)
    is_busy = base in (NodeState.MIXED, NodeState.BUSY) or "COMPLETING" in states
    if "POWERED_DOWN" in states or "POWERING_DOWN" in states or "POWER_DOWN" in states:
        return NodeState.OFF
    if base is NodeState.DOWN or "NOT_RESPONDING" in states or "FAIL" in states or "INVALID_REG" in states:
        return NodeState.DOWN
    if {"DRAIN", "DRAINED", "DRAINING"} & set(states):
        return NodeState.DRAINING if is_busy or "DRAINING" in states else NodeState.DRAINED
    if {"RESERVED", "MAINTENANCE"} & set(states) and base is NodeState.FREE:
        return NodeState.RESERVED
    return base
