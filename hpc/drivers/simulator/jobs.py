"""What people do to their jobs, and what they are told of everybody's."""

import datetime
import json
import math
import re
from collections.abc import Collection, Mapping

from cloudmesh.errors import Full, Gone, Rejected, near
from cloudmesh.types import JobSpec, Json
from hpc.drivers.simulator import numbers, schedule, script
from hpc.drivers.simulator.world import Desk, Row, home

LISTED = 300  # virtual seconds that a job is listed after its end; accounting knows it for good
ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
QOS = {"": 0, "normal": 0, "high": 1000, "low": -50}  # what they add to the priority
LONGEST_NAME = 8192
WAITING = ("QUEUED", "HELD")


def listing(desk: Desk) -> list[Row]:
    """The jobs of everybody that are in hand or have just ended."""
    return desk.rows(
        "SELECT * FROM told WHERE (ended IS NULL AND state <> ?) OR ended > ? ORDER BY seq",
        *(schedule.SPLIT, desk.now - LISTED / desk.speed),
    )


def ended(desk: Desk, ids: Collection[str], since: float | None) -> list[Row]:
    """Those that have ended: of these ids, where an array stands for its tasks too, or all since then."""
    wanted = json.dumps(list(ids))
    return desk.rows(
        "SELECT * FROM told WHERE ended IS NOT NULL AND ended >= ? AND (? OR id IN (SELECT value FROM json_each(?))"
        " OR parent IN (SELECT seq FROM job WHERE id IN (SELECT value FROM json_each(?)))) ORDER BY ended, seq",
        *(since or 0.0, not ids, wanted, wanted),
    )


def find(desk: Desk, token: str) -> str:
    found = desk.value("SELECT id FROM job WHERE token = ? AND token <> '' AND parent IS NULL ORDER BY seq", token)
    return str(found or "")


def submit(desk: Desk, spec: JobSpec, token: str) -> str:
    """Take a job; raises Rejected in the words of a scheduler, Full."""
    job = _checked(desk, spec)
    active = desk.value("SELECT COUNT(*) FROM job WHERE login = ? AND ended IS NULL", desk.login)
    if active >= (most := desk.setting("max_jobs")):
        raise Full(f"You have {active} jobs in hand and may have {most}; wait for some to end.", limit=most)
    made = desk.db.execute(
        "INSERT INTO job (id, login, name, token, queue, pool, account, qos, nodes, tasks, cores, share, gpus, memory,"
        " walltime, script, directory, output, error, numbers, slots, after, waits, state, reason, priority, submitted)"
        " VALUES (:token || '/' || :submitted, :login, :name, :token, :queue, :pool, :account, :qos, :nodes, :tasks,"
        " :cores, :share, :gpus, :memory, :walltime, :script, :directory, :output, :error, :numbers, :slots, :after,"
        " :waits, :state, :reason, :priority, :submitted)",
        {**job, "token": token, "login": desk.login, "submitted": desk.now},
    )
    desk.db.execute("UPDATE job SET id = seq WHERE seq = ?", (made.lastrowid,))
    schedule.wake(desk)
    return str(made.lastrowid)


def forecast(desk: Desk, spec: JobSpec) -> tuple[float | None, list[str]]:
    """When and where a job could start that came now."""
    job, grid = _checked(desk, spec), schedule.Grid(desk)
    hosts = grid.place(job)
    return (desk.now if hosts else grid.earliest(job)), hosts


def cancel(desk: Desk, job_id: str) -> None:
    job = _own(desk, job_id)
    desk.db.execute(
        "UPDATE job SET state = 'CANCELLED', reason = 'CancelledByOwner', ended = ?, code = NULL, expected = NULL"
        " WHERE (seq = ? OR parent = ?) AND ended IS NULL AND state <> ?",
        (desk.now, job["seq"], job["seq"], schedule.SPLIT),
    )
    schedule.wake(desk)


def hold(desk: Desk, job_id: str) -> None:
    job = _own(desk, job_id)
    if job["state"] not in WAITING:
        raise Rejected(f"Job {job_id} cannot be held: it is {job['state'].lower()}.")
    desk.db.execute("UPDATE job SET state = 'HELD', reason = 'JobHeldUser' WHERE seq = ?", (job["seq"],))


def release(desk: Desk, job_id: str) -> None:
    job = _own(desk, job_id)
    if job["state"] == "HELD":
        desk.db.execute(
            "UPDATE job SET state = 'QUEUED', reason = CASE waits WHEN 0 THEN 'None' ELSE 'Dependency' END"
            " WHERE seq = ?",
            (job["seq"],),
        )
        schedule.wake(desk)


def _own(desk: Desk, job_id: str) -> Row:
    found = desk.rows("SELECT seq, login, state FROM job WHERE id = ?", job_id)
    if not found:
        raise Gone(f"Invalid job id {job_id[:40]!r}: {desk.world} knows none of that number.")
    if found[0]["login"] != desk.login:
        raise Rejected(f"Access denied: job {job_id} belongs to {found[0]['login']}.")
    return found[0]


# -- what may be asked ---------------------------------------------------------------------------------------


def _checked(desk: Desk, spec: JobSpec) -> Json:
    """A job as it is kept; raises Rejected where it could never be."""
    queue = _queue(desk, spec)
    room = desk.rows("SELECT cores, memory, gpus, COUNT(*) AS nodes FROM node WHERE pool = ?", queue["pool"])[0]
    chosen, slots = numbers.parse(spec.array) if spec.array else ([], 0)
    share = math.ceil(max(spec.tasks, spec.nodes) / max(spec.nodes, 1)) * spec.cores
    walltime = queue["default_walltime"] if spec.walltime is None else spec.walltime
    memory = spec.memory or min(share * (room["memory"] // room["cores"]), room["memory"])
    _fits(spec, queue, room, share, memory, walltime)
    state, reason = ("HELD", "JobHeldUser") if spec.is_held else ("QUEUED", "Dependency" if spec.after else "None")
    return {
        "name": _text(spec.name, LONGEST_NAME, "name") or "job",
        "queue": queue["name"],
        "pool": queue["pool"],
        "account": _account(spec.account),
        "qos": spec.qos or "normal",
        "nodes": spec.nodes,
        "tasks": spec.tasks,
        "cores": spec.cores,
        "share": share,
        "gpus": spec.gpus,
        "memory": memory,
        "walltime": walltime,
        "script": _text(spec.script, script.LONGEST, "script"),
        "numbers": numbers.text(chosen, slots) if chosen else "",
        "slots": slots,
        "after": json.dumps([_before(desk, job_id) for job_id in spec.after]),
        "waits": bool(spec.after),
        "state": state,
        "reason": reason,
        "priority": queue["priority"] + QOS[spec.qos],
        **_paths(desk, spec),
    }


def _queue(desk: Desk, spec: JobSpec) -> Row:
    queues = {row["name"]: row for row in desk.rows("SELECT * FROM queue ORDER BY seq")}
    name = spec.queue or next((row["name"] for row in queues.values() if row["is_default"]), "")
    if name not in queues:
        raise Rejected(f"Invalid queue {name[:60]!r}: there are {', '.join(queues)}.{near(name[:60], queues)}")
    if queues[name]["state"] in ("closed", "down"):
        raise Rejected(f"The queue {name} takes no jobs now: it is {queues[name]['state']}.")
    if spec.qos not in QOS:
        raise Rejected(f"Invalid QoS {spec.qos[:60]!r}: there are {', '.join(filter(None, QOS))}.")
    found: Row = queues[name]
    return found


def _fits(spec: JobSpec, queue: Row, room: Row, share: int, memory: int, walltime: int) -> None:
    most_nodes = min(queue["max_nodes"], room["nodes"])
    limits: Mapping[str, tuple[int, int, int]] = {
        "nodes": (spec.nodes, 1, most_nodes),
        "tasks": (spec.tasks, 1, most_nodes * room["cores"]),
        "cores of a task": (spec.cores, 1, room["cores"]),
        "cores on one node": (share, 1, room["cores"]),
        "GPUs on one node": (spec.gpus, 0, room["gpus"]),
        "MiB of memory on one node": (memory, 0, room["memory"]),
        "seconds of walltime": (walltime, 1, queue["max_walltime"]),
    }
    for what, (wanted, least, most) in limits.items():
        if not least <= wanted <= most:
            raise Rejected(f"The queue {queue['name']} gives {least} to {most} {what}; {wanted} were asked for.")


def _paths(desk: Desk, spec: JobSpec) -> Mapping[str, str]:
    own = home(desk.login)
    directory = (spec.directory or own).rstrip("/")
    for path in (directory, spec.output, spec.error):
        if path.startswith("/") and not f"{path}/".startswith(f"{own}/"):
            raise Rejected(f"Permission denied: {path[:100]} is not below {own}.")
        if ".." in path.split("/") or "\0" in path or len(path) > 4000:
            raise Rejected(f"{path[:100]!r} cannot be a path here: name the way down only.")
    if not desk.value("SELECT 1 FROM file WHERE login = ? AND path = ? AND content IS NULL", desk.login, directory):
        raise Rejected(f"The directory {directory[:100]} is not there.")
    absolute = [
        path if path.startswith("/") or not path else f"{directory}/{path}" for path in (spec.output, spec.error)
    ]
    return {"directory": directory, "output": absolute[0], "error": absolute[1]}


def _before(desk: Desk, job_id: str) -> str:
    if not desk.value("SELECT 1 FROM job WHERE id = ?", job_id):
        raise Rejected(f"Job dependency problem: there is no job {job_id[:40]!r}.")
    return job_id


def _account(name: str) -> str:
    if name and not ACCOUNT.fullmatch(name):
        raise Rejected(f"Invalid account {name[:60]!r}: letters, digits, '_', '.' and '-' will do.")
    return name


def _text(text: str, most: int, what: str) -> str:
    if "\0" in text:
        raise Rejected(f"The {what} has a NUL byte in it; leave it out.")
    if len(text) > most:
        raise Rejected(f"The {what} has {len(text)} characters and may have {most}.")
    return text


def document(row: Row, speed: float) -> Json:
    """The whole answer about a job, as this scheduler would write it."""
    output, error = schedule.files_of(row)
    until = row["ended"]
    used = (until - row["started"]) * speed if until and row["started"] else None
    times = ("submitted", "expected", "started", "limit_at", "ended")
    return {
        **{key: value for key, value in row.items() if key not in (*times, "seq", "hosts", "after", "parent")},
        **{key: _written(row[key]) for key in times},
        "hosts": json.loads(row["hosts"]),
        "after": json.loads(row["after"]),
        "array_job": row["parent"],
        "output": output,
        "error": error,
        "cpu_seconds": None if used is None else round(used * row["tasks"] * row["cores"] * 0.9),
        "peak_memory": None if used is None else row["memory"] * (40 + row["seq"] % 50) // 100,
    }


def _written(moment: float | None) -> str | None:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat() if moment else None
