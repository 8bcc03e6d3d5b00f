"""Queues in the words of PBS, as the first Cloudmesh had them: `cloudmesh.PBS(user, host).qstat()`."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cloudmesh.client.batch import Cluster

if TYPE_CHECKING:
    from cloudmesh.types import Json

#: States in the letters of qstat.
LETTERS = {
    "requested": "T",
    "held": "H",
    "queued": "Q",
    "starting": "R",
    "running": "R",
    "suspended": "S",
    "ending": "E",
    "unknown": "U",
}
#: States of nodes in the words of pbsnodes.
NODES = {
    "free": "free",
    "mixed": "free",
    "busy": "job-exclusive",
    "reserved": "reserve",
    "draining": "offline,job-exclusive",
    "drained": "offline",
    "down": "down",
    "off": "down,offline",
}
#: Where states of jobs are counted.
COUNTED = ("Transit", "Queued", "Held", "Waiting", "Running", "Exiting")
COUNTS = {
    "requested": "Transit",
    "queued": "Queued",
    "held": "Held",
    "starting": "Running",
    "running": "Running",
    "suspended": "Held",
    "ending": "Exiting",
}


class PBS:
    """The jobs, queues and nodes of a cluster as plain dicts. Not asked anew where `refresh` is False.

    `user` only narrows the jobs, by login or person: the portal knows who you are.
    """

    def __init__(self, cluster: Cluster, user: str = "") -> None:
        self.cluster = cluster
        self.user = user
        self._known: dict[str, dict[str, Json]] = {}

    def qstat(self, refresh: bool = True) -> "dict[str, Json]":
        """Jobs that have not ended, by the scheduler's id, with the attributes of `qstat -x`."""
        return self._read("qstat", self._jobs, refresh=refresh)

    def qinfo(self, refresh: bool = True) -> "dict[str, Json]":
        """Queues by name, with the attributes of `qstat -Q -f` and how many jobs are in which state."""
        return self._read("qinfo", self._queues, refresh=refresh)

    def pbsnodes(self, refresh: bool = True) -> "dict[str, Json]":
        """Nodes by name, with the attributes of `pbsnodes -a`."""
        return self._read("pbsnodes", self._nodes, refresh=refresh)

    def _read(self, kind: str, ask: "Callable[[], dict[str, Json]]", *, refresh: bool) -> "dict[str, Json]":
        if refresh or kind not in self._known:
            self._known[kind] = ask()
        return self._known[kind]

    def _jobs(self) -> "dict[str, Json]":
        live = self.cluster.jobs(state="live")
        mine = (job for job in live if self.user in ("", job["login"], job["owner"]))
        return {job["provider_id"]: _qstat(job) for job in mine if job["provider_id"]}

    def _nodes(self) -> "dict[str, Json]":
        return {node["name"]: _pbsnode(node, self.cluster.name) for node in self.cluster.nodes()}

    def _queues(self) -> "dict[str, Json]":
        jobs = self.cluster.jobs(state="live")
        return {queue["name"]: _qinfo(queue, _count(queue, jobs)) for queue in self.cluster.queues()}


def _count(queue: "Json", jobs: "Iterable[Json]") -> dict[str, int]:
    count = dict.fromkeys(COUNTED, 0)
    for job in jobs:
        if (job["cluster"], job["queue"]) == (queue["cluster"], queue["name"]):
            count[COUNTS.get(job["state"], "Waiting")] += 1
    return count


def _qstat(job: "Json") -> "Json":
    return {
        "Job_Id": job["provider_id"],
        "Job_Name": job["name"],
        "Job_Owner": f"{job['login']}@{job['cluster']}",
        "job_state": LETTERS.get(job["state"], "C"),
        "queue": job["queue"],
        "server": job["scheduler"],
        "Account_Name": job["account"],
        "ctime": job["submitted"],
        "qtime": job["submitted"],
        "start_time": job["started"],
        "mtime": job["seen_at"],
        "exec_host": "+".join(job["hosts"]),
        "Output_Path": job["output"],
        "Error_Path": job["error"],
        "comment": job["reason"],
        "Resource_List": {
            "nodect": job["nodes"], "ncpus": job["cores"], "nodes": job["nodes"], "walltime": _clock(job["walltime"]),
        },
        "resources_used": {
            "cput": _clock(job["used_cpu"]), "mem": _kilobytes(job["used_memory"]),
            "walltime": _clock(job["elapsed_seconds"]),
        },
        "cm_host": job["cluster"],
        "cm_qstat": job["scheduler"],
        "cm_user": job["owner"],
        "cm_kind": "qstat",
        "cm_id": job["id"],
        "cm_refresh": job["seen_at"],
    }  # fmt: skip


def _qinfo(queue: "Json", count: dict[str, int]) -> "Json":
    return {
        "queue": queue["name"],
        "queue_type": "Execution",
        "enabled": str(queue["state"] in ("open", "stopped")),
        "started": str(queue["state"] in ("open", "closed")),
        "total_jobs": sum(count.values()),
        "state_count": count,
        "resources_default": {"walltime": _clock(queue["default_walltime"])},
        "resources_max": {"walltime": _clock(queue["max_walltime"]), "nodect": queue["max_nodes"]},
        "resources_available": {"ncpus": queue["cores"], "nodect": queue["nodes"]},
        "resources_assigned": {"ncpus": queue["cores_used"]},
        "Priority": queue["priority"],
        "acl_hosts": [],
        "cm_host": queue["cluster"],
        "cm_kind": "qinfo",
    }


def _pbsnode(node: "Json", cluster: str) -> "Json":
    return {
        "name": node["name"],
        "state": NODES.get(node["state"], "state-unknown"),
        "np": node["cores"],
        "ntype": "cluster",
        "properties": node["properties"],
        "note": node["reason"],
        "gpus": node["gpus"],
        "jobs": node["jobs"],
        "queues": node["queues"],
        "status": {
            "ncpus": node["cores"], "loadave": node["load"], "totmem": _kilobytes(node["memory"]),
            "availmem": _kilobytes(node["memory"] - node["memory_used"]), "jobs": " ".join(node["jobs"]),
        },
        "cm_host": cluster,
        "cm_qstat": node["scheduler"],
        "cm_kind": "pbsnodes",
    }  # fmt: skip


def _clock(seconds: float | None) -> str:
    """As PBS writes it: hours, minutes and seconds."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


def _kilobytes(mebibytes: int | None) -> str:
    return "" if mebibytes is None else f"{mebibytes * 1024}kb"
