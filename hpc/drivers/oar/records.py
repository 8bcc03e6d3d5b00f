"""What oarstat and oarnodes of OAR 2.5 say, as `Job`, `Queue` and `Node`.

Each task of an array is a job of its own to OAR. Of arrays that were submitted from here, those that wait are one job,
`12`; each that has begun is `12_3`. Arrays of others are as many jobs.
"""

import dataclasses
import datetime
import math
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from cloudmesh.types import Job, JobState, Json, Node, NodeState, Queue, QueueState
from hpc.drivers.oar import words

SCRIPT = re.compile(r"/\.cloudmesh/oar/([0-9A-Za-z]+)(?:-([0-9]+))?(?: |$)")  # see options.FOLDER
WALLTIME = re.compile(r"walltime=([0-9]+):([0-9]+):([0-9]+)")
LEVEL = re.compile(r"(\w+)=([0-9]+)")
COUNTED = re.compile(r"R=([0-9]+),")
WAITING = frozenset({"Waiting", "Hold", "toAckReservation"})
FINAL = frozenset({words.TERMINATED, words.ERROR})


class Ending(NamedTuple):
    state: JobState
    reason: str = ""
    code: int | None = None
    signal: int | None = None


# -- jobs --------------------------------------------------------------------------------------------------


def jobs(natives: Iterable[Json]) -> Iterator[Job]:
    """All of them, where the waiting tasks of an array have become one."""
    waiting: dict[int, list[Json]] = {}
    for native in natives:
        if tasks_of(native) and native["state"] in WAITING:
            waiting.setdefault(native["array_id"], []).append(native)
        else:
            yield job(native)
    yield from (_array(tasks) for tasks in waiting.values())


def whole(natives: Iterable[Json]) -> Iterator[Job]:
    """Arrays of which all tasks have ended: each is one job that stands for them, and has used nothing itself."""
    arrays: dict[int, list[Json]] = {}
    for native in natives:
        if tasks_of(native):
            arrays.setdefault(native["array_id"], []).append(native)
    for tasks in arrays.values():
        if all(native["state"] in FINAL for native in tasks):
            yield _array(tasks)


def job(native: Json) -> Job:
    ending, cores, nodes = _ending(native), *_size(native)
    submitted, started, ended = _times(native)
    directory = native.get("launchingDirectory") or ""
    return Job(
        id=identity(native),
        name=native.get("name") or "",
        state=ending.state,
        reason=ending.reason,
        login=native.get("owner") or "",
        queue=native.get("queue") or "",
        account=native.get("project") or "",
        token=token_of(native),
        nodes=nodes,
        tasks=cores,  # a line for each core is in its node file
        cores=cores,
        walltime=_walltime(native),
        submitted=submitted,
        expected=moment(native.get("scheduledStart")) if native["state"] in WAITING else None,
        started=started,
        ended=ended,
        exit_code=ending.code,
        signal=ending.signal,
        hosts=tuple(sorted(set(native.get("assigned_network_address") or ()))),
        directory=directory,
        output=posixpath.join(directory, native.get("stdout_file") or ""),
        error=posixpath.join(directory, native.get("stderr_file") or ""),
        dependency=",".join(map(str, native.get("dependencies") or ())),
        used_cpu=round((ended - started).total_seconds()) * cores if started and ended else None,
        native=native,
    )


def token_of(native: Json) -> str:
    """Of the wish that made it, which is the name of its script."""
    found = SCRIPT.search(native.get("command") or "")
    return found[1] if found else ""


def tasks_of(native: Json) -> int:
    """How many tasks its array has, if it is one of an array that was submitted from here; else 0."""
    found = SCRIPT.search(native.get("command") or "")
    return int(found[2] or 0) if found else 0


def identity(native: Json) -> str:
    return f"{native['array_id']}_{native['array_index']}" if tasks_of(native) else str(native["Job_Id"])


def moment(seconds: Any) -> datetime.datetime | None:
    """A time; what has not come is 0."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC) if seconds else None


def _array(tasks: Sequence[Json]) -> Job:
    """Several tasks as the one job that stands for them."""
    ordered = sorted(tasks, key=lambda native: int(native["array_index"]))
    worst = min(map(job, ordered), key=lambda one: WORST.index(one.state) if one.state in WORST else -1)
    is_over = worst.state.is_final
    ends = [ended for native in ordered if (ended := _times(native)[2])]
    return dataclasses.replace(
        worst,
        id=str(ordered[0]["array_id"]),
        nodes=0 if is_over else worst.nodes,
        tasks=0 if is_over else worst.tasks,
        cores=0 if is_over else worst.cores,
        started=None,
        ended=max(ends) if is_over and ends else None,
        exit_code=None,
        signal=None,
        hosts=(),
        output="",
        error="",
        array=_ranges([int(native["array_index"]) for native in ordered]),
        used_cpu=None,
        native={str(native["Job_Id"]): native for native in ordered},
    )


#: An array is as its worst task; of waiting ones, held when all are.
WORST = (JobState.FAILED, JobState.TIMEOUT, JobState.CANCELLED, JobState.COMPLETED, JobState.QUEUED, JobState.HELD)


def _ranges(numbers: Sequence[int]) -> str:
    """`1-3,5` of 1, 2, 3 and 5."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ",".join("-".join(map(str, span)) for span in spans)


def _times(native: Json) -> tuple[datetime.datetime | None, datetime.datetime | None, datetime.datetime | None]:
    """Submitted, started and ended; one that never ran ended when it was last heard of."""
    submitted = moment(native.get("submissionTime"))
    if native["state"] not in FINAL:
        has_begun = native["state"] not in WAITING and native["state"] != "toLaunch"
        return submitted, moment(native.get("startTime")) if has_begun else None, None
    last = max((event["date"] for event in native.get("events") or ()), default=0)
    return submitted, moment(native.get("startTime")), moment(native.get("stopTime") or last)


def _ending(native: Json) -> Ending:
    state = native["state"]
    if state == words.TERMINATED:
        return _terminated(native)
    if state == words.ERROR:
        return _error(native)
    known = words.JOB_STATES.get(state, JobState.UNKNOWN)
    if known is JobState.HELD:
        return Ending(known, words.HELD)
    return Ending(known, _waits(native) if known is JobState.QUEUED else "")


def _terminated(native: Json) -> Ending:
    """Its exit code is a wait status."""
    status = native.get("exit_code") or 0
    code, by_signal = status >> 8, status & 127
    if not status:
        return Ending(JobState.COMPLETED, code=0)
    if by_signal:
        cancelled = words.CANCEL in _events(native)
        reason = words.CANCELLED if cancelled else f"It was ended by signal {by_signal}."
        return Ending(JobState.CANCELLED if cancelled else JobState.FAILED, reason, None, by_signal)
    return Ending(JobState.FAILED, f"It ended with exit code {code}.", code)


def _error(native: Json) -> Ending:
    events = _events(native)
    if words.WALLTIME in events:
        return Ending(JobState.TIMEOUT, words.TIMED_OUT)
    if words.EVICTED in events:
        return Ending(JobState.CANCELLED, words.FAILURES[words.EVICTED])
    for event in events:
        if event == words.CANCEL:
            return Ending(JobState.CANCELLED, words.CANCELLED)
        if event in words.FAILURES:
            return Ending(JobState.FAILED, words.FAILURES[event])
    return Ending(JobState.FAILED, words.BROKEN)


def _events(native: Json) -> list[str]:
    found = sorted(native.get("events") or (), key=lambda event: (event["date"], event["event_id"]))
    return [str(event["type"]) for event in found]


def _waits(native: Json) -> str:
    message = str(native.get("message") or "")
    if native.get("dependencies"):
        return words.DEPENDS
    if "quota" in message and "quota_ok" not in message:
        return f"A quota of the cluster keeps it waiting: {message}"
    return words.CLOSE if not message or COUNTED.match(message) else f"OAR says: {message}"


def _size(native: Json) -> tuple[int, int]:
    """Cores and nodes: those it has, else those it asked for first."""
    if assigned := native.get("assigned_resources"):
        return len(assigned), len(set(native.get("assigned_network_address") or ()))
    asked = str(native.get("wanted_resources") or "").partition("walltime=")[0].rpartition("}")[2]
    levels = {name: int(number) for name, number in LEVEL.findall(asked)}
    counted = COUNTED.match(str(native.get("message") or ""))
    cores = int(counted[1]) if counted else math.prod(levels.values()) if levels else 0
    return cores, levels.get("network_address", 0)


def _walltime(native: Json) -> int | None:
    if told := native.get("walltime"):
        return int(told)
    if not (found := WALLTIME.search(str(native.get("wanted_resources") or ""))):
        return None
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds


# -- nodes and queues --------------------------------------------------------------------------------------


def nodes(resources: Iterable[Json], queues: Collection[str], core: str) -> Iterator[Node]:
    """A resource is a core or a part of one; those without an address are licences and the like."""
    machines: dict[str, list[Json]] = {}
    for resource in resources:
        if resource.get("network_address"):
            machines.setdefault(resource["network_address"], []).append(resource)
    return (_node(name, found, queues, core) for name, found in sorted(machines.items()))


def _node(name: str, found: Sequence[Json], queues: Collection[str], core: str) -> Node:
    ordered = sorted(found, key=lambda resource: int(resource["resource_id"]))
    cores = {_core(resource, core) for resource in ordered}
    used = {_core(resource, core) for resource in ordered if resource.get("jobs")}
    state, reason = _node_state(ordered, len(used), len(cores))
    running = {number for resource in ordered for number in str(resource.get("jobs") or "").split(", ") if number}
    return Node(
        name=name,
        state=state,
        reason=reason,
        queues=tuple(queue for queue in queues if queue != "besteffort" or ordered[0].get("besteffort") == "YES"),
        cores=len(cores),
        cores_used=len(used),
        jobs=tuple(sorted(running, key=int)),
        native={str(resource["resource_id"]): resource for resource in ordered},
    )


def _core(resource: Json, core: str) -> str:
    return str(resource.get(core) or resource["resource_id"])


def _node_state(found: Sequence[Json], used: int, cores: int) -> tuple[NodeState, str]:
    """Of a node whose parts are in different states, one that lives counts."""
    state = next((part["state"] for part in found if part["state"] == "Alive"), found[0]["state"])
    known = words.NODE_STATES.get(state, NodeState.UNKNOWN)
    if known is not NodeState.FREE:
        return known, words.NODE_REASONS.get(state, f"OAR says: {state}.")
    if any(part.get("drain") == "YES" for part in found):
        return (NodeState.DRAINING if used else NodeState.DRAINED), "It takes no new jobs (drain)."
    if not used:
        return NodeState.FREE, ""
    return (NodeState.BUSY if used == cores else NodeState.MIXED), ""


def queues(told: Iterable[Json], machines: Sequence[Node]) -> Iterator[Queue]:
    """All queues share the nodes; only best effort may be kept from some."""
    for native in told:
        mine = [node for node in machines if native["name"] in node.queues]
        yield Queue(
            name=native["name"],
            state=words.QUEUE_STATES.get(native.get("state", ""), QueueState.UNKNOWN),
            is_default=native["name"] == "default",
            nodes=len(mine),
            cores=sum(node.cores for node in mine),
            cores_used=sum(node.cores_used for node in mine),
            priority=int(native.get("priority") or 0),
            native=native,
        )
