"""Everybody else: people who submit jobs of their own, the same in each world of a name, as long as they are let."""

import json
import random

from hpc.drivers.simulator.world import Desk, Row, home

PEOPLE = ("ada", "alan", "barbara", "dennis", "edsger", "emmy", "grace", "john", "katherine", "kurt")
WORKS = ("cfd", "fold", "genome", "lattice", "md", "nbody", "render", "solver", "train", "weather")
SHARES = (1, 2, 4, 8, 16)  # cores on each node
NODES = (1, 1, 1, 2, 4)
SECONDS = 2400.0  # that a job lasts, on average
CORES = sum(SHARES) / len(SHARES) * sum(NODES) / len(NODES)  # that a job has, on average
FORGOTTEN = 6 * 3600  # virtual seconds; of a longer time unseen only the end is played
KEPT = 86_400  # virtual seconds that their ended jobs are known
FAILING = 0.08  # of all


def due(desk: Desk) -> float | None:
    """When the next of their jobs comes."""
    return float(desk.setting("crowd_at")) if desk.setting("crowd") else None


def arrive(desk: Desk, at: float) -> None:
    """All of their jobs that come until then."""
    load = desk.setting("crowd")
    if not load:
        return
    total = desk.value("SELECT SUM(cores) FROM node WHERE pool IN (SELECT pool FROM queue WHERE NOT priority)")
    total = total or desk.value("SELECT SUM(cores) FROM node")
    pause = SECONDS * CORES / (total * load) / desk.speed
    when = max(float(desk.setting("crowd_at")), at - FORGOTTEN / desk.speed)
    number = int(desk.setting("crowd_number"))
    queues = desk.rows(
        "SELECT queue.*, MIN(node.cores) AS room FROM queue JOIN node USING (pool) WHERE priority < 500"
        " GROUP BY queue.seq ORDER BY queue.seq"
    )
    while when <= at:
        number += 1
        luck = random.Random(f"{desk.world}/{number}")
        _submit(desk, luck, luck.choice(queues), when)
        when += luck.expovariate(1 / pause)
    desk.set("crowd_at", when)
    desk.set("crowd_number", number)
    desk.db.execute(
        "DELETE FROM job WHERE ended < ? AND login IN (SELECT value FROM json_each(?))",
        (at - KEPT / desk.speed, json.dumps(PEOPLE)),
    )


def _submit(desk: Desk, luck: random.Random, queue: Row, when: float) -> None:
    login, work = luck.choice(PEOPLE), luck.choice(WORKS)
    share, nodes = min(luck.choice(SHARES), queue["room"]), min(luck.choice(NODES), queue["max_nodes"])
    lasts = round(luck.expovariate(1 / SECONDS)) + 30
    walltime = min(-(-lasts * luck.choice((1, 2, 3)) // 900) * 900, queue["max_walltime"])
    code = int(luck.random() < FAILING)
    made = desk.db.execute(
        "INSERT INTO job (id, login, name, token, queue, pool, account, qos, nodes, tasks, cores, share, gpus, memory,"
        " walltime, script, directory, output, error, numbers, slots, after, waits, state, reason, priority, submitted)"
        " VALUES (lower(hex(randomblob(8))), ?, ?, '', ?, ?, ?, 'normal', ?, ?, 1, ?, 0, ?, ?, ?, ?, '', '', '', 0,"
        " '[]', 0, 'QUEUED', 'None', ?, ?)",
        (
            *(login, f"{work}-{luck.randrange(100):02}", queue["name"], queue["pool"], f"{work}-group"),
            *(nodes, nodes * share, share, share * 1000, walltime),
            *(f"echo {work}\nsleep {lasts}\nexit {code}\n", home(login), queue["priority"], when),
        ),
    )
    desk.db.execute("UPDATE job SET id = seq WHERE seq = ?", (made.lastrowid,))


def begin(desk: Desk, load: float) -> None:
    """Let them keep this part of the cores busy from now on; at 0 they take their jobs with them."""
    desk.set("crowd", load)
    desk.set("crowd_at", desk.now)
    if not load:
        desk.db.execute(
            "UPDATE job SET state = 'CANCELLED', reason = 'CancelledByOwner', ended = ?, code = NULL"
            " WHERE ended IS NULL AND login IN (SELECT value FROM json_each(?))",
            (desk.now, json.dumps(PEOPLE)),
        )
