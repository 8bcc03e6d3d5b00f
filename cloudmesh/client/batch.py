"""HPC in plain words: `cloudmesh.hpc("india")`."""

from typing import TYPE_CHECKING, Any

from cloudmesh.client import Client

if TYPE_CHECKING:
    from cloudmesh.types import Json

    Thing = str | int | Json


class Cluster:
    """One cluster, or without a name all of them; a job is its id (the scheduler's or the portal's), name or dict."""

    def __init__(self, client: Client, name: str = "") -> None:
        self.client = client
        self.name = name

    def __repr__(self) -> str:
        return f"<Cluster {self.name or 'all'} at {self.client.session.portal.url}>"

    def info(self) -> "Json":
        """The cluster with its queues and what can be done there. Raises NotFound."""
        return self.client.cluster(self.name)

    def jobs(self, **filters: Any) -> "list[Json]":
        """Jobs, the newest first, by any of state ("live"), queue, owner ("me"), project, name, search."""
        return list(self.client.jobs(**self._here(filters)))

    def queues(self, **filters: Any) -> "list[Json]":
        return list(self.client.queues(**self._here(filters)))

    def nodes(self, **filters: Any) -> "list[Json]":
        return list(self.client.nodes(**self._here(filters)))

    def job(self, job: "Thing") -> "Json":
        """A job as it is now, with its script. Raises NotFound, Ambiguous."""
        if isinstance(job, dict):
            return self.client.job(job["id"])
        return self.client.job(str(job), self.name or None)

    def submit(self, script: str | None = None, **wanted: Any) -> "Json":
        """Submit a script (its text), a `command` or a `template`; answers the job when its cluster has it.

        `wanted` as `Client.submit_job`; walltime may be "1:30:00" or "90m", memory "4G". Raises what it failed with:
        PolicyDenied, QuotaExceeded, Invalid, Refused and so on.
        """
        made = self.client.submit_job(script=script, **self._here(_amounts(wanted)))
        self.client.wait(made)
        return self.client.job(made["jobs"][0]["id"])

    def run(self, command: str, timeout: float | None = None, **wanted: Any) -> str:
        """What a command prints there, when its job has ended. Raises Busy after `timeout` seconds."""
        return self.output(self.wait(self.submit(command=command, **wanted), timeout))

    def cancel(self, job: "Thing") -> "Json":
        """Have a job canceled; answers it when its cluster was told."""
        return self._change("cancel", job)

    def hold(self, job: "Thing") -> "Json":
        return self._change("hold", job)

    def release(self, job: "Thing") -> "Json":
        return self._change("release", job)

    def wait(self, job: "Thing", timeout: float | None = None) -> "Json":
        """The job when it has ended, in whatever way: on the live stream. Raises Busy after `timeout` seconds."""
        return self.client.wait_job(self._found(job), timeout)

    def output(self, job: "Thing", which: str = "output") -> str:
        """What a job wrote by now, as text; `which` may be error. Raises Gone where it wrote nothing yet."""
        return b"".join(self.client.download(self._found(job), which=which)).decode(errors="replace")

    def files(self, job: "Thing", path: str = "") -> "list[Json]":
        """What is in the directory of a job's experiment: path, kind, size, modified."""
        return self.client.job_files(self._found(job), path)

    def read(self, job: "Thing", path: str) -> bytes:
        """A file in the directory of a job's experiment."""
        return b"".join(self.client.download(self._found(job), path))

    def _found(self, job: "Thing") -> "Json":
        return job if isinstance(job, dict) else self.job(job)

    def _change(self, action: str, job: "Thing") -> "Json":
        found = self._found(job)
        self.client.wait(self.client.change_jobs(action, [found]))
        return self.client.job(found["id"])

    def _here(self, wanted: "Json") -> "Json":
        return {**wanted, **({"cluster": self.name} if self.name else {})}


def _amounts(wanted: "Json") -> "Json":
    """Times and sizes as people write them, in seconds and MiB. Raises Invalid."""
    from cloudmesh.types.amounts import parse_memory, parse_walltime

    changed = {
        name: parse(wanted[name])
        for name, parse in (("walltime", parse_walltime), ("memory", parse_memory))
        if isinstance(wanted.get(name), str)
    }
    return {**wanted, **changed}
