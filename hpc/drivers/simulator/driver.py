"""The simulated scheduler as a driver: translation only; the scheduler itself is beside it."""

import contextlib
import datetime
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from typing import ClassVar

from cloudmesh.errors import Busy, Rejected
from cloudmesh.types import Field, Forecast, Job, JobSpec, JobState, Json, Node, NodeState, Queue, QueueState
from hpc.drivers import Abilities, Files, HpcDriver, Site
from hpc.drivers.simulator import jobs
from hpc.drivers.simulator.gate import Gate
from hpc.drivers.simulator.storage import Storage
from hpc.drivers.simulator.world import USERNAME, Desk, Row, World

STATES = {
    "QUEUED": JobState.QUEUED,
    "HELD": JobState.HELD,
    "RUNNING": JobState.RUNNING,
    "COMPLETED": JobState.COMPLETED,
    "FAILED": JobState.FAILED,
    "CANCELLED": JobState.CANCELLED,
    "TIMEOUT": JobState.TIMEOUT,
    "NODE_FAIL": JobState.LOST,
}
REASONS = {
    "None": "The scheduler has not looked at it yet.",
    "Resources": "It waits until enough nodes are free.",
    "Priority": "Others are before it.",
    "Dependency": "It waits for other jobs to succeed.",
    "DependencyNeverSatisfied": "A job that it was to follow did not succeed.",
    "JobHeldUser": "It is held until its owner releases it.",
    "JobArrayTaskLimit": "As many tasks of its array run as may at once.",
    "QueueDown": "Its queue starts no jobs now.",
    "TimeLimit": "It was ended at its walltime.",
    "NonZeroExitCode": "It ended with an exit code that is not 0.",
    "NodeFail": "A node it ran on went down.",
    "CancelledByOwner": "Its owner cancelled it.",
}
QUEUES = {
    "open": QueueState.OPEN,
    "stopped": QueueState.STOPPED,
    "closed": QueueState.CLOSED,
    "down": QueueState.DOWN,
}


class Simulator(HpcDriver):
    """See hpc.drivers."""

    label: ClassVar[str] = "Simulated scheduler"
    ways: ClassVar[tuple[str, ...]] = ("simulator",)
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            name="world",
            label="World",
            default="india",
            help="The simulated scheduler, made when first named: india, or any other short name.",
        ),
        Field(name="username", label="User name", default=USERNAME, help="A new world has the one person 'demo'."),
        Field(
            name="password",
            label="Password",
            type="password",
            secret=True,
            help="That of the person 'demo' is 'demo'.",
        ),
    )
    abilities: ClassVar[Abilities] = Abilities(missing={})

    def __init__(self, credential: Mapping[str, str], site: Site) -> None:
        super().__init__(credential, site)
        self._gate: Gate | None = None

    @contextlib.contextmanager
    def _request(self, kind: str, *, token: str = "") -> Iterator[Desk]:
        try:
            self._gate = self._gate or self._connect()
            with self._gate.request(kind, token=token) as desk:
                yield desk
        except UnicodeError as error:
            raise Rejected("Some of this is no text that can be written down.") from error
        except (sqlite3.Error, OSError) as error:
            raise Busy(f"The simulated scheduler {self.credential['world']} cannot use its file: {error}.") from error

    def _connect(self) -> Gate:
        world = World(self.site.state_dir, self.credential["world"], timeout=self.site.timeout)
        return Gate(world, self.credential["username"], self.credential["password"], timeout=self.site.timeout)

    # -- reading -------------------------------------------------------------------------------------------

    def check(self) -> str:
        with self._request("check") as desk:
            return f"Simulated scheduler {desk.world} as {desk.login}"

    def queues(self) -> Iterator[Queue]:
        with self._request("queues") as desk:
            rows, nodes = desk.rows("SELECT * FROM queue ORDER BY seq"), _loads(desk)
        return (_to_queue(row, [node for node in nodes if node["pool"] == row["pool"]]) for row in rows)

    def nodes(self) -> Iterator[Node]:
        with self._request("nodes") as desk:
            queues, nodes = desk.rows("SELECT name, pool FROM queue ORDER BY seq"), _loads(desk)
        return (_to_node(node, tuple(row["name"] for row in queues if row["pool"] == node["pool"])) for node in nodes)

    def jobs(self) -> Iterator[Job]:
        with self._request("jobs") as desk:
            rows, speed = jobs.listing(desk), desk.speed
        return (_to_job(jobs.document(row, speed)) for row in rows)

    def ended(self, ids: Collection[str], *, since: datetime.datetime | None = None) -> Iterator[Job]:
        with self._request("ended") as desk:
            rows, speed = jobs.ended(desk, ids, since.timestamp() if since else None), desk.speed
        return (_to_job(jobs.document(row, speed)) for row in rows)

    def find(self, token: str) -> str:
        with self._request("find", token=token) as desk:
            return jobs.find(desk, token)

    # -- changing ------------------------------------------------------------------------------------------

    def submit(self, spec: JobSpec, *, token: str) -> str:
        with self._request("submit", token=token) as desk:
            return jobs.submit(desk, spec, token)

    def forecast(self, spec: JobSpec) -> Forecast:
        with self._request("forecast") as desk:
            start, hosts = jobs.forecast(desk, spec)
        if start is None:
            return Forecast(text="It cannot start as long as the nodes it needs are out of service.")
        moment = datetime.datetime.fromtimestamp(start, datetime.UTC)
        words = f"Job to start at {moment:%Y-%m-%dT%H:%M:%S} on {','.join(hosts) or 'nodes that get free then'}"
        return Forecast(start=moment, hosts=tuple(hosts), text=words)

    def cancel(self, job_id: str) -> None:
        with self._request("cancel") as desk:
            jobs.cancel(desk, job_id)

    def hold(self, job_id: str) -> None:
        with self._request("hold") as desk:
            jobs.hold(desk, job_id)

    def release(self, job_id: str) -> None:
        with self._request("release") as desk:
            jobs.release(desk, job_id)

    # -- files ---------------------------------------------------------------------------------------------

    def files(self, root: str) -> Files | None:
        return Storage(self._request, self.credential["username"], root)


# -- translation ---------------------------------------------------------------------------------------------


def _loads(desk: Desk) -> list[Row]:
    """The nodes, each with what runs on it."""
    nodes = {row["name"]: {**row, "jobs": [], "used": 0, "memory_used": 0, "gpus_used": 0} for row in _nodes(desk)}
    for job in desk.rows("SELECT id, share, memory, gpus, hosts FROM job WHERE state = 'RUNNING' ORDER BY seq"):
        for host in json.loads(job["hosts"]):
            node = nodes[host]
            node["jobs"].append(job["id"])
            node["used"] += job["share"]
            node["memory_used"] += job["memory"]
            node["gpus_used"] += job["gpus"]
    return list(nodes.values())


def _nodes(desk: Desk) -> Iterator[Row]:
    for row in desk.rows("SELECT name, pool, cores, memory, gpus, properties, state, reason FROM node ORDER BY seq"):
        yield {**row, "properties": json.loads(row["properties"])}


def _to_queue(row: Row, nodes: list[Row]) -> Queue:
    return Queue(
        name=row["name"],
        state=QUEUES.get(row["state"], QueueState.UNKNOWN),
        is_default=bool(row["is_default"]),
        max_walltime=row["max_walltime"],
        default_walltime=row["default_walltime"],
        max_nodes=row["max_nodes"],
        nodes=len(nodes),
        cores=sum(node["cores"] for node in nodes),
        cores_used=sum(node["used"] for node in nodes),
        priority=row["priority"],
        native=row,
    )


def _to_node(native: Row, queues: tuple[str, ...]) -> Node:
    return Node(
        name=native["name"],
        state=_node_state(native),
        reason=native["reason"],
        queues=queues,
        cores=native["cores"],
        cores_used=native["used"],
        memory=native["memory"],
        memory_used=native["memory_used"],
        gpus=native["gpus"],
        gpus_used=native["gpus_used"],
        load=float(native["used"]),
        properties=tuple(native["properties"]),
        jobs=tuple(native["jobs"]),
        native=native,
    )


def _node_state(native: Row) -> NodeState:
    used = native["used"]
    if native["state"] != "up":
        drain = NodeState.DRAINING if used else NodeState.DRAINED
        return {"drain": drain, "down": NodeState.DOWN}.get(native["state"], NodeState.UNKNOWN)
    if not used:
        return NodeState.FREE
    return NodeState.MIXED if used < native["cores"] else NodeState.BUSY


def _to_job(native: Json) -> Job:
    return Job(
        id=native["id"],
        name=native["name"],
        state=STATES.get(native["state"], JobState.UNKNOWN),
        reason=REASONS.get(native["reason"]) or native["reason"],
        login=native["login"],
        queue=native["queue"],
        account=native["account"],
        qos=native["qos"],
        token=native["token"],
        nodes=native["nodes"],
        tasks=native["tasks"],
        cores=native["tasks"] * native["cores"],
        gpus=native["gpus"] * native["nodes"],
        memory=native["memory"] * native["nodes"],
        walltime=native["walltime"],
        exit_code=native["code"] if native["ended"] else None,
        hosts=tuple(native["hosts"]),
        directory=native["directory"],
        output=native["output"],
        error=native["error"],
        array=native["numbers"],
        dependency=",".join(f"afterok:{job_id}" for job_id in native["after"]),
        used_cpu=native["cpu_seconds"],
        used_memory=native["peak_memory"],
        native=native,
        submitted=_time(native["submitted"]),
        expected=_time(native["expected"]),
        started=_time(native["started"]),
        ended=_time(native["ended"]),
    )


def _time(text: str | None) -> datetime.datetime | None:
    return datetime.datetime.fromisoformat(text) if text else None
