"""What HPC schedulers have: jobs, the queues they wait in and the nodes they run on."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from typing import Any


class JobState(enum.StrEnum):
    """What a job is doing, whatever its scheduler calls it."""

    REQUESTED = "requested"
    HELD = "held"
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    SUSPENDED = "suspended"
    ENDING = "ending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    LOST = "lost"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self in ENDED


#: States after which no other follows.
ENDED = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED, JobState.TIMEOUT, JobState.LOST})


class QueueState(enum.StrEnum):
    OPEN = "open"
    STOPPED = "stopped"  # takes jobs and starts none
    CLOSED = "closed"  # takes none; what is there goes on
    DOWN = "down"
    UNKNOWN = "unknown"


class NodeState(enum.StrEnum):
    FREE = "free"
    MIXED = "mixed"
    BUSY = "busy"
    RESERVED = "reserved"
    DRAINING = "draining"
    DRAINED = "drained"
    DOWN = "down"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A job as its scheduler knows it; an array's waiting tasks are one job with `array`, each that runs is its own."""

    id: str
    name: str
    state: JobState
    reason: str = ""  # why it waits or how it ended, in plain words
    login: str = ""  # whose it is at the cluster
    queue: str = ""
    account: str = ""
    qos: str = ""
    token: str = ""  # the wish that made it, if the scheduler kept it
    nodes: int = 0
    tasks: int = 0
    cores: int = 0  # all together
    gpus: int = 0  # all together
    memory: int = 0  # MiB, all together
    walltime: int | None = None  # seconds allowed; None: as long as it likes
    submitted: datetime.datetime | None = None
    expected: datetime.datetime | None = None  # when it may start
    started: datetime.datetime | None = None
    ended: datetime.datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    hosts: tuple[str, ...] = ()
    directory: str = ""
    output: str = ""  # paths at the cluster
    error: str = ""
    array: str = ""  # the numbers of the tasks it stands for, such as 1-10%2
    dependency: str = ""
    used_cpu: int | None = None  # seconds
    used_memory: int | None = None  # MiB at most
    native: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """A queue or partition, and what a job in it may ask for; None is no limit."""

    name: str
    state: QueueState
    is_default: bool = False
    max_walltime: int | None = None  # seconds
    default_walltime: int | None = None  # seconds
    max_nodes: int | None = None
    nodes: int = 0
    cores: int = 0
    cores_used: int = 0
    priority: int = 0
    native: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A machine that runs jobs."""

    name: str
    state: NodeState
    reason: str = ""  # why it is out of service
    queues: tuple[str, ...] = ()
    cores: int = 0
    cores_used: int = 0
    memory: int = 0  # MiB
    memory_used: int = 0
    gpus: int = 0
    gpus_used: int = 0
    load: float | None = None
    properties: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()  # ids, where the scheduler tells them here
    native: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class JobSpec:
    """What a new job shall be. Only `script` is code; everything else is passed as single values, never in a shell."""

    name: str
    script: str
    queue: str = ""
    account: str = ""
    qos: str = ""
    nodes: int = 1
    tasks: int = 1  # all together
    cores: int = 1  # for each task
    gpus: int = 0  # on each node
    memory: int = 0  # MiB on each node; 0: as the queue gives
    walltime: int | None = None  # seconds; None: as the queue gives
    array: str = ""
    after: tuple[str, ...] = ()  # the ids of jobs that must have succeeded before
    is_held: bool = False
    directory: str = ""  # where it runs: an absolute path at the cluster
    output: str = ""
    error: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """What a scheduler says of a job before it is submitted."""

    start: datetime.datetime | None = None
    hosts: tuple[str, ...] = ()
    text: str = ""  # its own words
