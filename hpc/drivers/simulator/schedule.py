"""Who runs where and when: first come first served by priority, and backfill where that delays nobody in front.

Time passes when somebody looks: `settle` lets happen, in its order, what was due since the last look.
"""

import dataclasses
import json
from collections.abc import Iterable

from hpc.drivers.simulator import crowd, numbers, script
from hpc.drivers.simulator.world import Desk, Row, home

CYCLE = 1.0  # virtual seconds between two looks of the scheduler at what waits
DEPTH = 200  # waiting jobs that one look considers
MOST_LOOKS = 200  # since the last request; a long time unseen passes in larger steps
OPEN = ("open", "closed")  # queues that start jobs
SPLIT = "SPLIT"  # of an array all whose tasks have become jobs of their own


@dataclasses.dataclass
class Room:
    """What is free on one node."""

    name: str
    cores: int
    memory: int
    gpus: int

    def takes(self, job: Row) -> bool:
        return bool(self.cores >= job["share"] and self.memory >= job["memory"] and self.gpus >= job["gpus"])

    def give(self, job: Row, sign: int = 1) -> None:
        self.cores += sign * job["share"]
        self.memory += sign * job["memory"]
        self.gpus += sign * job["gpus"]


class Grid:
    """All rooms, and what runs in them."""

    def __init__(self, desk: Desk) -> None:
        self.pools: dict[str, dict[str, Room]] = {}
        for node in desk.rows("SELECT * FROM node WHERE state = 'up' ORDER BY seq"):
            pool = self.pools.setdefault(node["pool"], {})
            pool[node["name"]] = Room(node["name"], node["cores"], node["memory"], node["gpus"])
        self.running = desk.rows(
            "SELECT pool, share, memory, gpus, hosts, limit_at FROM job WHERE state = 'RUNNING' ORDER BY limit_at"
        )
        for job in self.running:
            self.put(job, -1)

    def put(self, job: Row, sign: int) -> None:
        pool = self.pools.get(job["pool"], {})
        for host in json.loads(job["hosts"]):
            if host in pool:
                pool[host].give(job, sign)

    def place(self, job: Row) -> list[str]:
        """The nodes that could take a job now; none if there are not enough."""
        rooms = [room.name for room in self.pools.get(job["pool"], {}).values() if room.takes(job)]
        return rooms[: job["nodes"]] if len(rooms) >= job["nodes"] else []

    def earliest(self, job: Row) -> float | None:
        """When a job can start at the latest: as if all that runs ran to its limit."""
        freed = []
        found = None
        for runs in (each for each in self.running if each["pool"] == job["pool"]):
            self.put(runs, 1)
            freed.append(runs)
            if self.place(job):
                found = float(runs["limit_at"])
                break
        for runs in freed:
            self.put(runs, -1)
        return found


def settle(desk: Desk) -> None:
    """Let happen what was due until now."""
    at = float(desk.setting("settled"))
    step = max(CYCLE / desk.speed, (desk.now - at) / MOST_LOOKS)
    while (due := _due(desk)) is not None and due <= desk.now:
        at = min(max(due, at + step), desk.now)
        _end(desk, at)
        crowd.arrive(desk, at)
        _follow(desk, at)
        look(desk, at)
    desk.set("settled", desk.now)


def wake(desk: Desk) -> None:
    """Have the scheduler look at what waits, one cycle from now."""
    due, then = desk.setting("look_at"), desk.now + CYCLE / desk.speed
    desk.set("look_at", min(due, then) if due else then)


def _due(desk: Desk) -> float | None:
    ends = desk.value("SELECT MIN(ends) FROM job WHERE state = 'RUNNING'")
    return min(filter(None, (ends, desk.setting("look_at"), crowd.due(desk))), default=None)


def _end(desk: Desk, at: float) -> None:
    desk.db.execute(
        "UPDATE job SET state = verdict, ended = ends, reason = CASE verdict WHEN 'TIMEOUT' THEN 'TimeLimit'"
        " WHEN 'FAILED' THEN 'NonZeroExitCode' ELSE '' END WHERE state = 'RUNNING' AND ends <= ?",
        (at,),
    )


def _follow(desk: Desk, at: float) -> None:
    """Let those go that waited for others, and end those that wait in vain."""
    for job in desk.rows("SELECT * FROM job WHERE waits AND ended IS NULL"):
        before = [state for wanted in json.loads(job["after"]) for state in states_of(desk, wanted)]
        if all(state == "COMPLETED" for state in before):
            desk.db.execute("UPDATE job SET waits = 0, reason = 'None' WHERE seq = ?", (job["seq"],))
        elif any(state in ("FAILED", "CANCELLED", "TIMEOUT") for state in before):
            desk.db.execute(
                "UPDATE job SET state = 'CANCELLED', reason = 'DependencyNeverSatisfied', waits = 0, ended = ?"
                " WHERE seq = ?",
                (at, job["seq"]),
            )


def states_of(desk: Desk, job_id: str) -> list[str]:
    """What has become of a job; of an array, of each of its tasks and of what waits of it."""
    rows = desk.rows(
        "SELECT state FROM job WHERE id = ? AND state <> ? UNION ALL SELECT task.state FROM job AS task"
        " JOIN job AS whole ON task.parent = whole.seq WHERE whole.id = ?",
        *(job_id, SPLIT, job_id),
    )
    return [row["state"] for row in rows]


def look(desk: Desk, at: float) -> None:
    """One look of the scheduler at what waits."""
    desk.set("look_at", None)
    waiting = desk.rows(
        "SELECT job.*, queue.state AS queue_state FROM job JOIN queue ON queue.name = job.queue"
        " WHERE job.state = 'QUEUED' AND NOT job.waits ORDER BY job.priority DESC, job.seq LIMIT ?",
        DEPTH,
    )
    if not waiting:
        return
    grid = Grid(desk)
    shadow: dict[str, float] = {}  # by pool: when the first that has to wait can start
    for job in waiting:
        reason = "QueueDown" if job["queue_state"] not in OPEN else _started(desk, grid, job, at, shadow)
        if reason:
            expected = shadow.get(job["pool"]) if reason == "Resources" else None
            if (reason, expected) != (job["reason"], job["expected"]):
                desk.db.execute("UPDATE job SET reason = ?, expected = ? WHERE seq = ?", (reason, expected, job["seq"]))


def _started(desk: Desk, grid: Grid, job: Row, at: float, shadow: dict[str, float]) -> str:
    """Start a job, or as many tasks of an array as there is room for; why the rest waits, if any does."""
    left: list[int | None] = [*numbers.parse(job["numbers"])[0]] if job["numbers"] else [None]
    slots = _slots(desk, job)
    while left and slots:
        hosts, until = grid.place(job), shadow.get(job["pool"])
        if not hosts and until is None:
            if (start := grid.earliest(job)) is not None:  # else nodes are out of service, and it holds up nobody
                shadow[job["pool"]] = start
            return _kept(desk, job, left, "Resources")
        if not hosts or (until is not None and at + job["walltime"] / desk.speed > until):
            return _kept(desk, job, left, "Priority")
        _run(desk, grid, job, hosts, at, left.pop(0))
        slots -= 1
    return _kept(desk, job, left, "JobArrayTaskLimit") if left else _kept(desk, job, left, "")


def _slots(desk: Desk, job: Row) -> int:
    """How many more may run at once."""
    if not job["slots"]:
        return numbers.MOST
    running = desk.value("SELECT COUNT(*) FROM job WHERE parent = ? AND state = 'RUNNING'", job["seq"])
    return max(0, int(job["slots"]) - int(running))


def _kept(desk: Desk, job: Row, left: list[int | None], reason: str) -> str:
    """Write down what of an array still waits."""
    if job["numbers"]:
        rest = numbers.text([number for number in left if number is not None], job["slots"])
        state = "QUEUED" if left else SPLIT
        desk.db.execute("UPDATE job SET numbers = ?, state = ? WHERE seq = ?", (rest, state, job["seq"]))
    return reason


def _run(desk: Desk, grid: Grid, job: Row, hosts: list[str], at: float, number: int | None) -> None:
    started = {**job, "hosts": json.dumps(hosts)}
    grid.put(started, -1)
    grid.running.append({**started, "limit_at": at + job["walltime"] / desk.speed})
    seq = job["seq"] if number is None else _task(desk, job, number)
    played = play({**started, "seq": seq, "started": at, "task": number}, desk.speed)
    in_time = played.seconds <= job["walltime"]
    verdict = ("FAILED" if played.code else "COMPLETED") if in_time else "TIMEOUT"
    lasts = min(played.seconds, job["walltime"]) / desk.speed
    desk.db.execute(
        "UPDATE job SET state = 'RUNNING', reason = '', expected = NULL, started = ?, ends = ?, limit_at = ?,"
        " verdict = ?, code = ?, hosts = ? WHERE seq = ?",
        (
            *(at, at + lasts, at + job["walltime"] / desk.speed),
            *(verdict, played.code if in_time else None, started["hosts"], seq),
        ),
    )
    _open_files(desk, seq, at)


def _task(desk: Desk, job: Row, number: int) -> int:
    """A task of an array as a job of its own."""
    made = desk.db.execute(
        "INSERT INTO job (id, parent, task, login, name, token, queue, pool, account, qos, nodes, tasks, cores, share,"
        " gpus, memory, walltime, script, directory, output, error, numbers, slots, after, waits, state, reason,"
        " priority, submitted) SELECT ?, seq, ?, login, name, token, queue, pool, account, qos, nodes, tasks, cores,"
        " share, gpus, memory, walltime, script, directory, output, error, '', 0, '[]', 0, state, '', priority,"
        " submitted FROM job WHERE seq = ?",
        (f"{job['id']}_{number}", number, job["seq"]),
    )
    return int(made.lastrowid or 0)


def _open_files(desk: Desk, seq: int, at: float) -> None:
    """Have the files that a job writes; what is in them is played when they are read."""
    job = desk.rows("SELECT * FROM job WHERE seq = ?", seq)[0]
    paths = files_of(job)
    kinds: Iterable[tuple[str, str]] = (
        [(paths[0], "both")] if paths[0] == paths[1] else [(paths[0], "output"), (paths[1], "error")]
    )
    desk.db.executemany(
        "INSERT OR REPLACE INTO file (login, path, content, size, modified, job, streams)"
        " VALUES (?, ?, x'', 0, ?, ?, ?)",
        [(job["login"], path, at, seq, streams) for path, streams in kinds],
    )


def files_of(job: Row) -> tuple[str, str]:
    """The paths of output and error; `%j` in them is the job's id, `%a` its number in an array."""
    output = job["output"] or f"{job['directory']}/job-%j.out"
    paths = (output, job["error"] or output)
    if not job["parent"] and job["numbers"]:
        return paths
    number = "" if job["task"] is None else str(job["task"])
    return paths[0].replace("%j", job["id"]).replace("%a", number), paths[1].replace("%j", job["id"]).replace(
        "%a", number
    )


def play(job: Row, speed: float) -> script.Play:
    """What a job does, on the nodes it has."""
    hosts, number = json.loads(job["hosts"]), "" if job["task"] is None else str(job["task"])
    facts = {"USER": job["login"], "LOGNAME": job["login"], "HOME": home(job["login"]), "PWD": job["directory"]}
    facts |= {"HOSTNAME": hosts[0] if hosts else "", "CORES": str(job["share"]), "JOB_ID": job["id"], "TASK_ID": number}
    facts |= {"SLURM_JOB_ID": job["id"], "SLURM_JOB_NAME": job["name"], "SLURM_ARRAY_TASK_ID": number}
    return script.play(job["script"], script.Scene(facts, job["started"] or 0.0, speed))
