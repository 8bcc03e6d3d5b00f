"""What a portal would answer about HPC, for tests of the client and the shell without one."""

import base64
import threading
from collections.abc import Iterator
from typing import Any

from tests.cloudmesh.speaker import STREAM, Answer, Asked, message, page, problem, reply

Record = dict[str, Any]


def job(id: str, name: str = "sim", number: int = 101, **facts: Any) -> Record:
    return {
        "id": id, "provider_id": str(number), "name": name, "state": "running", "reason": "", "cluster": "india",
        "scheduler": "india", "queue": "batch", "project": "demo", "owner": "ada", "login": "ada01", "account": "",
        "nodes": 2, "cores": 32, "walltime": 5400, "elapsed_seconds": 61.0, "hosts": ["i002", "i001"], "output": "",
        "submitted": "2026-01-02T03:04:05Z", "started": "2026-01-02T03:05:05Z", "ended": None, "expected": None,
        "exit_code": None, "used_cpu": None, "used_memory": None, "seen_at": None, "age_seconds": 1, "version": 1,
        "experiment": 3, "error": "", "script": "#!/bin/sh\nhostname\n", **facts,
    }  # fmt: skip


QUEUES = [
    {
        "name": "batch", "cluster": "india", "state": "open", "is_default": True, "max_walltime": 86_400,
        "default_walltime": 3600, "max_nodes": 16, "nodes": 3, "cores": 48, "cores_used": 32, "running": 1,
        "waiting": 2, "priority": 100,
    },
    {
        "name": "old", "cluster": "india", "state": "closed", "is_default": False, "max_walltime": None,
        "default_walltime": None, "max_nodes": None, "nodes": 0, "cores": 0, "cores_used": 0, "running": 0,
        "waiting": 0, "priority": 0,
    },
]  # fmt: skip
NODES = [
    {
        "name": f"i00{number}", "scheduler": "india", "state": state, "reason": "",
        "queues": ["batch"], "cores": 16, "cores_used": used, "memory": 65_536, "memory_used": 0, "gpus": 0,
        "gpus_used": 0, "load": 0.5, "properties": ["xeon"], "jobs": ["101"] if used else [],
    }
    for number, state, used in ((1, "busy", 16), (2, "busy", 16), (3, "free", 0))
]  # fmt: skip


class Portal:
    """Jobs that are asked for and changed; each wish has succeeded at once, with `result`."""

    def __init__(self, *jobs: Record, result: Record | None = None) -> None:
        self.jobs = {each["id"]: each for each in jobs}
        self.written: bytes = b""  # what a job wrote
        self.result = result or {}
        self.bodies: list[tuple[str, Any]] = []

    def __call__(self, asked: Asked) -> Answer:
        path, _, query = asked.target.partition("?")
        if path == "/ws/stream":
            return self._stream()
        words = path.removeprefix("/api/v1/").strip("/").split("/")
        filters = dict(pair.split("=", 1) for pair in query.split("&") if pair)
        if asked.method != "GET":
            self.bodies.append((f"{asked.method} {'/'.join(words)}", asked.json if asked.body else None))
            return self._wished(words, asked)
        return self._told(words, filters)

    def _told(self, words: list[str], filters: dict[str, str]) -> Answer:
        match words:
            case ["jobs"]:
                return page(*(each for each in self.jobs.values() if _fits(each, filters)))
            case ["jobs", id]:
                return reply(self.jobs[id]) if id in self.jobs else problem(404, "not-found", f"No job {id}.")
            case ["operations", _]:
                return reply(self._operation())
            case ["clusters"]:
                return page({"name": "india", "scheduler": "india"})
            case ["queues"]:
                return page(*QUEUES)
            case ["nodes"]:
                return page(*NODES)
        return problem(404, "not-found", f"There is no {'/'.join(words)}.")

    def _wished(self, words: list[str], asked: Asked) -> Answer:
        if words[-1] == "read":
            self.result = _part(self.written, asked.json)
        if words == ["jobs", "plan"]:
            return reply(self.result)
        return reply({"operation": self._operation(), "jobs": [*self.jobs.values()][:1]}, 202)

    def _operation(self) -> Record:
        return {
            "id": "77", "kind": "job.read", "state": "succeeded", "progress": 100, "step": "", "reason": "",
            "is_batch": False, "target": {"name": "sim"}, "result": self.result,
        }  # fmt: skip

    def _stream(self) -> Iterator[bytes]:
        yield STREAM + message("ready", seq=1)
        threading.Event().wait(30)


def _fits(record: Record, filters: dict[str, str]) -> bool:
    ids, names = filters.get("id", ""), filters.get("name", "")
    is_asked = not ids or {record["id"], record["provider_id"]} & set(ids.split("%2C"))
    is_named = not names or record["name"] in names.split("%2C")
    if filters.get("owner", "me") not in ("me", record["owner"]):  # all are mine
        return False
    return bool(is_asked and is_named and not (filters.get("state") == "live" and record["ended"]))


def _part(written: bytes, asked: Record) -> Record:
    offset = asked.get("offset", 0)
    part = written[offset : offset + min(asked.get("most", 65_536), 4)]  # small ones
    text = {"data": base64.b64encode(part).decode()} if asked.get("raw") else {"text": part.decode()}
    return {**text, "offset": offset, "next": offset + len(part), "size": len(written)}
