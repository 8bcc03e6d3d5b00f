"""What a server of PBS knows, kept in one file; each command that runs is the server for a moment.

There is no daemon: whoever has the lock starts what fits, and each job has a process of its own (`runner`) that runs
its script, and then does the same.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import pwd
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
SERVER, HOST = "pbs1", "login1"
LIVE, FINAL = "QHWRSE", "FCX"
TASK = re.compile(r"(\d+)\[(\d+)\]$")
CORES, MEMORY, GPUS = 8, 16 * 2**20, 2  # of each node; kB

#: How nodes and queues differ: what is in no table is usual.
NODES = {
    "n1": {},
    "n2": {},
    "n3": {"labels": ["gpu"], "gpus": GPUS},
    "n4": {"state": "offline", "comment": "a fan is broken"},
    "n5": {"queue": "special"},
    "n6": {"state": "down"},
}
QUEUES = {
    "workq": {"max": 24 * 3600, "default": 3600, "priority": 100},
    "gpu": {"max": 4 * 3600, "label": "gpu"},
    "special": {"named": True},
    "old": {"enabled": False},
    "waiting": {"started": False},
    "anywhere": {"route": ["workq", "gpu"]},
}
DEFAULT_QUEUE = "workq"


class World:
    """The state, under a lock: `with World.of(place) as world`."""

    def __init__(self, place: pathlib.Path) -> None:
        self.place = place
        self.settings = json.loads((place / "settings.json").read_text())
        self.file = place / "state.json"
        self.jobs: dict[str, dict] = {}
        self.last = 0

    @property
    def is_torque(self) -> bool:
        return self.settings["product"] == "torque"

    @property
    def is_away(self) -> bool:
        return (self.place / "away").exists()

    @classmethod
    @contextlib.contextmanager
    def of(cls, place: pathlib.Path):
        with (place / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            world = cls(place)
            if world.file.exists():
                known = json.loads(world.file.read_text())
                world.jobs, world.last = known["jobs"], known["last"]
            try:
                yield world
            finally:
                world.advance()
                new = world.file.with_suffix(".new")
                new.write_text(json.dumps({"jobs": world.jobs, "last": world.last}))
                new.replace(world.file)

    # -- names ---------------------------------------------------------------------------------------------

    def full(self, key: str) -> str:
        return f"{key}.{SERVER}"

    def key(self, job_id: str) -> str | None:
        """What a job's id is here; None where it has not the form of one."""
        found = re.fullmatch(r"(\d+(?:\[\d*\])?)(\.[\w.-]+)?(@[\w.-]+)?", job_id)
        return found[1] if found else None

    def tasks(self, key: str) -> list[str]:
        return [each for each in self.jobs if (found := TASK.match(each)) and f"{found[1]}[]" == key]

    def parent(self, key: str) -> str | None:
        found = TASK.match(key)
        return f"{found[1]}[]" if found else None

    # -- what happens --------------------------------------------------------------------------------------

    def advance(self) -> None:
        self._forget()
        for key, job in self.jobs.items():
            if job["state"] == "H" and job["depend"]:
                self._depend(key, job)
        for key, job in list(self.jobs.items()):
            if job["state"] == "Q" and not job["is_array"] and self._fits(job):
                self._start(key, job)
        for key, job in self.jobs.items():
            if job["is_array"] and job["state"] in "QHB":
                self._array(key, job)

    def _forget(self) -> None:
        """What Torque does `keep_completed` seconds after the end, and OpenPBS at once where it keeps no history."""
        kept = self.settings["keep"]
        old = [
            key
            for key, job in self.jobs.items()
            if job["state"] in "FC" and time.time() - job["end"] > kept and not self.parent(key)
        ]
        for key in old:
            for each in [key, *self.tasks(key)]:
                self.jobs.pop(each, None)

    def _depend(self, key: str, job: dict) -> None:
        states = [self.jobs.get(each) for kind, ids in job["depend"] for each in ids]
        if any(each is None or (each["state"] in "FC" and each["exit"] != 0) for each in states):
            self.end(key, None, substate=91, comment="Job deleted as result of dependency")
        elif all(each["state"] in "FC" for each in states):
            job["depend"] = []
            job["holds"] = job["holds"].replace("s", "")
            job["state"] = "H" if job["holds"] else "Q"

    def _fits(self, job: dict) -> bool:
        """Find a node for each part; what is found is in `hosts`."""
        queue = QUEUES[job["queue"]]
        if not queue.get("started", True):
            job["comment"] = "Not Running: Queue not started."
            return False
        free = dict.fromkeys(NODES, CORES)
        for other in self.jobs.values():
            if other["state"] in "RE":
                for name, cores in other["hosts"]:
                    free[name] -= cores
        hosts = []
        for count, cores in job["chunks"]:
            for _ in range(count):
                name = next((each for each in NODES if self._takes(each, job, queue) and free[each] >= cores), None)
                if name is None:
                    job["comment"] = "Not Running: Insufficient amount of resource: ncpus"
                    return False
                free[name] -= cores
                hosts.append([name, cores])
        job["hosts"] = hosts
        return True

    def _takes(self, name: str, job: dict, queue: dict) -> bool:
        node = NODES[name]
        if node.get("state"):
            return False
        if node.get("queue") or queue.get("named"):
            return node.get("queue") == job["queue"]
        return not queue.get("label") or queue["label"] in node.get("labels", [])

    def _start(self, key: str, job: dict) -> None:
        job["state"], job["stime"] = "R", int(time.time())
        job["comment"] = f"Job run at {time.ctime()} on {job['hosts'][0][0]}"
        subprocess.Popen(
            [sys.executable, "-S", "-E", str(HERE / "runner.py"), str(self.place), key],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.place / "runner.log").open("ab"),
            start_new_session=True,
        )

    def _array(self, key: str, job: dict) -> None:
        states = [self.jobs[each]["state"] for each in self.tasks(key)]
        exits = [self.jobs[each]["exit"] for each in self.tasks(key)]
        if all(state in FINAL for state in states):
            self.end(key, int(any(exits)), substate=91 if job.get("deleted") else 92)
            for each in self.tasks(key):
                self.jobs[each]["state"] = "F"
        elif any(state in "RE" + FINAL for state in states):
            job["state"], job["stime"] = "B", job["stime"] or int(time.time())

    def end(self, key: str, code: int | None, *, substate: int, comment: str = "") -> None:
        job = self.jobs[key]
        job.update(exit=code, end=int(time.time()), substate=substate, holds="", depend=[])
        job["state"] = "C" if self.is_torque else "X" if self.parent(key) else "F"
        words = {91: "and terminated", 92: "and finished", 93: "and failed"}
        job["comment"] = comment or f"{job['comment']} {words[substate]}".strip()


def me() -> str:
    """Who runs this command: said by the environment, since a test has one account only."""
    return os.environ.get("PBS_CONTRACT_USER") or pwd.getpwuid(os.geteuid()).pw_name


def new_job(**facts) -> dict:
    now = int(time.time())
    usual = {
        "name": "STDIN", "user": me(), "state": "Q", "queue": DEFAULT_QUEUE, "account": "", "variables": {},
        "resources": {}, "chunks": [[1, 1]], "ctime": now, "stime": None, "end": None, "exit": None, "substate": 10,
        "holds": "", "hosts": [], "output": "", "error": "", "join": "n", "keep": "n", "depend": [], "comment": "",
        "cwd": "", "shell": "", "is_array": False, "array": "", "walltime": None, "used": {}, "arguments": "",
    }  # fmt: skip
    return {**usual, **facts}
