"""What accounting says of jobs: rows of sacct, or documents of slurmrestd's slurmdb, as one `Job` each."""

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from cloudmesh.types import Job, JobState, Json
from hpc.drivers.slurm import fields, records, values, words

_facts = fields.finder(fields.ENDED)


def jobs(rows: Iterable[Json], ids: Collection[str] = (), *, since: datetime.datetime | None = None) -> Iterator[Job]:
    """Those with these ids and the tasks of these arrays, or all that have ended `since`; each once, in its last run.

    A row of sacct may be a step, which adds to the row of its job.
    """
    found: dict[str, Job] = {}
    for native in _with_steps(rows):
        one = job(native)
        if not one.queue:
            continue  # of a short job the end comes first; what it was follows within seconds
        if one.id not in found or _began(one) >= _began(found[one.id]):
            found[one.id] = one
    if not ids:
        return (one for one in found.values() if one.ended and (since is None or one.ended >= since))
    wanted = frozenset(ids)
    return (one for one in found.values() if wanted & {one.id, one.id.partition("_")[0]})


def job(native: Json) -> Job:
    facts = _facts(native)
    states = values.names(str(facts["state"]).partition(" ")[0] if isinstance(facts["state"], str) else facts["state"])
    state = words.first(states, words.JOB_STATES) or JobState.UNKNOWN
    code, by_signal = _exit_code(facts["exit_code"], state)
    given, asked = _tres(facts["given"]), _tres(facts["asked"])
    used, on = given or asked, records.hosts(values.text(facts["hosts"]))
    return Job(
        id=_id(facts),
        name=values.text(facts["name"]),
        state=state,
        reason=records.ending(states[0] if states else "", facts["state_reason"] or "", code, by_signal)
        if state.is_final
        else "",
        login=values.text(facts["login"]),
        queue=values.text(facts["queue"]),
        account=values.text(facts["account"]),
        qos=values.text(facts["qos"]),
        token=records.token(facts["comment"]),
        nodes=values.number(used.get("node")) or values.number(facts["nodes"]) or 0,
        cores=values.number(used.get("cpu")) or 0,
        gpus=values.gpus(",".join(f"{kind}={count}" for kind, count in used.items())),
        memory=values.mebibytes(used.get("mem")),
        walltime=values.limit(facts["walltime"]),
        submitted=values.moment(facts["submitted"]),
        started=values.moment(facts["started"]) if on else None,  # as in `records`
        ended=values.moment(facts["ended"]) if state.is_final else None,
        exit_code=code,
        signal=by_signal,
        hosts=on,
        directory=values.text(facts["directory"]),
        array=_tasks(facts),
        used_cpu=_cpu(facts["used_cpu"], native),
        used_memory=_most_memory(native),
        native=native,
    )


def _with_steps(rows: Iterable[Json]) -> Iterator[Json]:
    """Rows of jobs; those of their steps, which follow in sacct, under `steps` as slurmrestd has them."""
    current: Json = {}
    for row in rows:
        if "." in str(row.get("JobID", "")):
            current.setdefault("steps", []).append(row)
            continue
        if current:
            yield current
        current = {**row}
    if current:
        yield current


def _id(facts: Json) -> str:
    """`12`, `12_3`, and `12` for the tasks of an array that were never begun (`12_[3-10%2]`)."""
    if facts["shown"]:
        return str(facts["shown"]).partition("_[")[0]
    array, task = values.number(facts["array_id"]), values.number(facts["task"])
    return f"{array}_{task}" if array and task is not None else str(array or facts["id"])


def _tasks(facts: Json) -> str:
    shown = str(facts["shown"] or "").partition("_[")[2].rstrip("]")
    return shown or (values.text(facts["tasks"]) if values.number(facts["task"]) is None else "")


def _tres(value: Any) -> Mapping[str, str]:
    """Text, or slurmdb's list of `{"type", "name", "count"}`, where memory is MiB and less than nothing is unknown."""
    if not isinstance(value, list):
        return values.tres(value)
    counted = [(one, one.get("count")) for one in value]
    return {
        one["type"] + (f"/{one['name']}" if one.get("name") else ""): str(count)
        for one, count in counted
        if count is not None and count >= 0
    }


def _exit_code(value: Any, state: JobState) -> tuple[int | None, int | None]:
    """None for a job that failed with 0: slurmdb 0.0.38 says so of every job."""
    code, by_signal = records.exit_code(value) if state.is_final else (None, None)
    return (None if code == 0 and state is JobState.FAILED else code), by_signal


def _cpu(value: Any, native: Json) -> int | None:
    """Seconds; where slurmdb does not add them up, those of the steps."""
    if isinstance(value, str):
        return values.seconds(value)
    return values.number(value) or sum(values.number(_facts(step)["used_cpu"]) or 0 for step in native.get("steps", ()))


def _most_memory(native: Json) -> int | None:
    """MiB: of the step that used most; all its tasks together."""
    sizes = [_memory(_facts(step)["used"]) for step in native.get("steps") or ()]
    return max((size for size in sizes if size is not None), default=None)


def _memory(used: Any) -> int | None:
    """sacct gives units, slurmdb bytes."""
    size = _tres(used).get("mem")
    if size is None:
        return None
    return round(int(size) / 2**20) if isinstance(used, list) else values.mebibytes(size)


def _began(one: Job) -> float:
    begun = one.started or one.submitted
    return begun.timestamp() if begun else 0.0
