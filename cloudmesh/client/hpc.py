"""Jobs at HPC clusters, what they write, the experiments they leave and the templates they are made from."""

import binascii
import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cloudmesh.client.asking import batches, given
from cloudmesh.client.http import quote
from cloudmesh.client.waiting import Waiting
from cloudmesh.errors import Busy

if TYPE_CHECKING:
    from cloudmesh.client.session import Session
    from cloudmesh.client.stream import Message
    from cloudmesh.types import Json

MOST = 2**20  # bytes of a file in one answer
OVER = frozenset({"completed", "failed", "cancelled", "timeout", "lost"})  # states after which no other follows


class Hpc(Waiting):
    """The methods of `Client` about jobs. A job is the dict that a list or a wish answered."""

    def jobs(self, **filters: Any) -> "Iterator[Json]":
        """Jobs, the newest first, by any of id, name (a hostlist or globs), cluster, queue, project, search,

        owner ("me" for oneself), state ("live" for those that have not ended).
        """
        return self._list("jobs/", given(filters))

    def job(self, name: str, cluster: str | None = None) -> "Json":
        """A job with its script and what its scheduler says of it: by id, its scheduler's id, or name.

        Raises NotFound, Ambiguous.
        """
        return self._get(f"jobs/{quote(name)}/", given({"cluster": cluster}))

    def select_jobs(self, *hostlists: str, **filters: Any) -> "list[Json]":
        """The jobs of these ids, and of those that have not ended the ones that names, hostlists and globs mean.

        An id is the portal's or the scheduler's. Raises NotFound, Ambiguous.
        """
        from cloudmesh.client.selection import pick_jobs

        def ask(key: str, names: Iterable[str], **more: Any) -> "Iterator[Json]":
            return itertools.chain.from_iterable(self.jobs(**{**filters, **more, key: part}) for part in batches(names))

        return pick_jobs(hostlists, lambda ids: ask("id", ids), lambda names: ask("name", names, state="live"))

    def reread_jobs(self, jobs: "Iterable[Json]") -> "list[Json]":
        """The same jobs as they are now, without those that are gone."""
        ids = [job["id"] for job in jobs]
        asked = itertools.chain.from_iterable(self.jobs(id=part) for part in batches(ids))
        now = {job["id"]: job for job in asked}
        return [now[id] for id in ids if id in now]

    def submit_job(self, **wanted: Any) -> "Json":
        """Wish for a job; answers `{operation, jobs}`.

        `wanted` is script or command or template with values, and any of cluster, project, name, queue, account, qos,
        nodes, tasks, cores (of each task), gpus and memory (MiB; both of each node), walltime (seconds), array, after,
        is_held, if_down; experiment, whether it gets a numbered directory, and files that go there: path → bytes.
        """
        return self._send("POST", "jobs/", _body(wanted))

    def plan_job(self, **wanted: Any) -> "Json":
        """What `submit_job` would come to: as whom, what policies say, how it fits the quotas. Nothing is taken."""
        return self._send("POST", "jobs/plan/", _body(wanted))

    def forecast_job(self, **wanted: Any) -> "Json":
        """What the scheduler says that would become of a job: `{start, hosts, text}`. Waits for its answer."""
        told: Json = self.wait(self._send("POST", "jobs/forecast/", _body(wanted)))["result"]
        return told

    def change_jobs(self, action: str, jobs: "Iterable[Json]") -> "Json":
        """Wish that jobs of one project are canceled ("cancel"), held ("hold") or released ("release")."""
        return self._send("POST", "jobs/bulk/", {"action": action, "jobs": [job["id"] for job in jobs]})

    # What becomes of them

    def follow_job(self, job: "Json") -> "Iterator[Json]":
        """The job as it is and whenever it is another, until it has ended: on the live stream."""
        return _follow(self.session, job["id"])

    def wait_job(self, job: "Json", timeout: float | None = None) -> "Json":
        """The job when it has ended, in whatever way. Raises Busy where it has not after `timeout` seconds."""
        ended = self._last(lambda session: _follow(session, job["id"]), timeout)
        if ended is None:
            told = f"{job['name']} has not ended after {timeout:g} seconds; it goes on without you."
            raise Busy(told, job=job["id"])
        return ended

    def watch_jobs(self, **filters: Any) -> "Iterator[list[Json]]":
        """The jobs that `jobs` lists: as they are, and again whenever one of them may be another."""
        from cloudmesh.client.watching import watch_list

        return watch_list(self.session, "job", lambda: list(self.jobs(**filters)))

    # What they write

    def read_job(self, job: "Json", which: str = "output", *, path: str = "", **part: Any) -> "Json":
        """A part of what a job wrote, as its cluster tells now: `{text, offset, next, size}`.

        `which` is output, error or script; with a path it is that file in the directory of its experiment. `part` is
        any of offset (a negative one counts from the end), most (bytes) and raw, which answers `data` as base64.
        """
        wanted = {"path": path} if path else {"which": which}
        wish = self._send("POST", f"jobs/{quote(job['id'])}/read/", {**wanted, **given(part)})
        told: Json = self.wait(wish)["result"]
        return told

    def download(self, job: "Json", path: str = "", *, which: str = "output", offset: int = 0) -> "Iterator[bytes]":
        """What a job wrote, or a file in its directory, from `offset` on: in parts, to where it ends now."""
        size = offset + 1
        while offset < size:
            part = self.read_job(job, which, path=path, offset=offset, most=MOST, raw=True)
            if part["next"] <= offset:
                return
            yield binascii.a2b_base64(part["data"])
            offset, size = part["next"], part["size"]

    def job_files(self, job: "Json", path: str = "") -> "list[Json]":
        """What is in the directory of a job's experiment, or in one below it: `{path, kind, size, modified}`."""
        wish = self._send("POST", f"jobs/{quote(job['id'])}/files/", {"path": path} if path else {})
        found: list[Json] = self.wait(wish)["result"]["files"]
        return found

    def experiments(self, **filters: Any) -> "Iterator[Json]":
        """One's own numbered directories and how the jobs in them went, the newest first."""
        return self._list("experiments/", given(filters))

    def experiment(self, number: int | str) -> "Json":
        return self._get(f"experiments/{quote(str(number))}/")

    def remove_experiments(self, *numbers: str) -> "Json":
        """Wish that the directories of experiments (`3`, `[5-7]`) are removed with what they hold."""
        return self._send("POST", "experiments/remove/", {"numbers": list(numbers)})

    # What they are made from

    def templates(self, **filters: Any) -> "Iterator[Json]":
        """Jobs that projects saved, by any of project, search."""
        return self._list("templates/", given(filters))

    def template(self, name: str, project: str | None = None) -> "Json":
        return self._get(f"templates/{quote(name)}/", given({"project": project}))

    def save_template(self, name: str, script: str, **more: Any) -> "Json":
        """Save a job under a name, or change the one of that name.

        `more` is any of project, label, parameters (dicts of name, type, default, choices, least, most), wanted
        (queue, nodes, …) and locked.
        """
        return self._send("POST", "templates/", {"name": name, "script": script, **given(more)})

    def delete_template(self, template: "Json") -> None:
        """Forget a template; jobs made of it stay."""
        self.session.send("DELETE", f"templates/{quote(template['id'])}/")


def _follow(session: "Session", id: str) -> "Iterator[Json]":
    from cloudmesh.client.stream import watch

    seen = -1

    def read(message: "Message") -> "Json | None":
        is_any = message.data.get("kind") == "job" and not message.data.get("id")
        return session.get(f"jobs/{id}/") if is_any or message.concerns(id) else None

    for now in watch(session, read):
        if now["version"] != seen:
            yield now
        if now["state"] in OVER:
            return
        seen = now["version"]


def _body(wanted: "Json") -> "Json":
    files = [
        {"path": path, "content": binascii.b2a_base64(content, newline=False).decode()}
        for path, content in (wanted.get("files") or {}).items()
    ]
    return {**given(wanted), "files": files} if files else given({**wanted, "files": None})
