"""The way to a Slurm over slurmrestd 0.0.36 and later, with a JWT; no login node is needed.

An answer that has `errors` is a failure whatever its status: slurmrestd says 500 to a wrong token as to an unknown job.
"""

import contextlib
import datetime
import re
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson

from cloudmesh.errors import Busy, DriverError, Gone, Refused, Rejected
from cloudmesh.types import Forecast, Job, JobSpec, Json
from hpc.drivers import Site
from hpc.drivers.slurm import accounting, failures, fields, records, way
from hpc.drivers.slurm.carrier import Carrier

OFFERED = re.compile(r"/slurm/v0\.0\.([0-9]+)/")
MOST_ASKED = 200  # ids in one URL
KNOWN_FOR = 3600.0  # seconds until a slurmrestd is asked again what it offers
NUMBERS_SINCE = 39  # the version from which numbers are documents and the environment is a list
SCRIPT_INSIDE = 40  # and the script is a property of the job
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin"}  # slurmrestd wants one; a login shell's is added to it

UNKNOWN = "Slurm's REST interface does not tell when a job would start."
TOO_LONG = "It asks for more time than the queue allows, and would wait for ever."
TOO_MANY = "It asks for more nodes than the queue allows, and would wait for ever."

_offered: dict[str, tuple[float, int]] = {}  # by URL: until when, and which version


class Rest(way.Way):
    def __init__(self, credential: Mapping[str, str], site: Site) -> None:
        self.url = credential.get("url", "").rstrip("/")
        self.user = credential.get("login", "")
        if not self.url or not self.user or not credential.get("token"):
            raise Refused("slurmrestd is asked at a URL, by a user with a token: give all three.", field="token")
        headers = {"X-SLURM-USER-NAME": self.user, "X-SLURM-USER-TOKEN": credential["token"]}
        self._carrier = Carrier(site, headers, credential.get("ca_bundle", ""))

    # -- reading -------------------------------------------------------------------------------------------

    def check(self) -> str:
        document = self._ask("GET", "slurm", "partitions")
        meta = document.get("meta") or {}
        release = (meta.get("slurm") or meta.get("Slurm") or {}).get("release", "")
        return f"Slurm {release} as {self.user}"

    def partitions(self) -> list[Json]:
        return self._all("slurm", "partitions")

    def nodes(self) -> list[Json]:
        return self._all("slurm", "nodes")

    def jobs(self) -> list[Json]:
        return self._all("slurm", "jobs")

    def accounted(self, ids: Collection[str], since: datetime.datetime | None) -> Iterable[Job]:
        if not ids:
            return accounting.jobs(self._accounted(since), since=since)
        asked = sorted({each.partition("_")[0] for each in way.possible(ids)})
        parts = [asked[begin : begin + MOST_ASKED] for begin in range(0, len(asked), MOST_ASKED)]
        return accounting.jobs((job for part in parts for job in self._named(part)), ids)

    def find(self, token: str) -> str:
        comment = records.TOKEN + token
        for native in self.jobs():
            if native.get("comment") == comment:
                return records.job_id(native).partition("_")[0]
        found = (job for job in accounting.jobs(self._accounted(way.since())) if job.token == token)
        return next((job.id.partition("_")[0] for job in found), "")

    # -- changing ------------------------------------------------------------------------------------------

    def submit(self, spec: JobSpec, token: str) -> str:
        script, job = way.script(spec).decode(), self._properties(spec, token)
        body = {"job": {**job, "script": script}} if self._version >= SCRIPT_INSIDE else {"script": script, "job": job}
        document = self._ask("POST", "slurm", "job", "submit", body=body, done="job_id")
        return str(document["job_id"])

    def forecast(self, spec: JobSpec) -> Forecast:
        """What the queue tells of it; slurmrestd has no `sbatch --test-only`."""
        queues = records.queues(self.partitions(), ())
        queue = next((each for each in queues if each.name == spec.queue or (each.is_default and not spec.queue)), None)
        if spec.queue and not queue:
            raise Rejected(f"Invalid partition name specified: {spec.queue}. Choose one of the queues.", field="queue")
        too_long = queue and queue.max_walltime is not None and (spec.walltime or 0) > queue.max_walltime
        too_many = queue and queue.max_nodes is not None and spec.nodes > queue.max_nodes
        return Forecast(text=" ".join([UNKNOWN, *[TOO_LONG] * bool(too_long), *[TOO_MANY] * bool(too_many)]))

    def cancel(self, job_id: str) -> None:
        known = way.checked(job_id)
        with contextlib.suppress(Gone):  # it has ended
            self._ask("DELETE", "slurm", "job", known)

    def hold(self, job_id: str) -> None:
        self._ask("POST", "slurm", "job", way.checked(job_id), body=self._update(is_held=True))

    def release(self, job_id: str) -> None:
        self._ask("POST", "slurm", "job", way.checked(job_id), body=self._update(is_held=False))

    def _update(self, *, is_held: bool) -> Json:
        return {"hold": is_held}

    def _properties(self, spec: JobSpec, token: str) -> Json:
        modern = self._version >= NUMBERS_SINCE
        variables: Any = [f"{name}={value}" for name, value in ENVIRONMENT.items()] if modern else ENVIRONMENT
        given = {
            "partition": spec.queue,
            "account": spec.account,
            "qos": spec.qos,
            "memory_per_node": self._number(spec.memory) if spec.memory else None,
            "time_limit": None if spec.walltime is None else self._number(way.minutes(spec.walltime)),
            "array": spec.array,
            "dependency": way.dependency(spec),
            "hold": spec.is_held,
            "tres_per_node" if modern else "gpus_per_node": self._gpus(spec.gpus),
            "current_working_directory": spec.directory,
            "standard_output": spec.output,
            "standard_error": spec.error,
        }
        return {
            "name": way.name(spec),
            "comment": records.TOKEN + token,
            "nodes": str(spec.nodes),  # 0.0.36–0.0.38 say that it is a list, and take [2, 2] for 1
            "tasks": spec.tasks,
            "cpus_per_task": spec.cores,
            "environment": variables,
            **{name: value for name, value in given.items() if value},
        }

    def _gpus(self, count: int) -> str:
        return "" if not count else f"gres/gpu:{count}" if self._version >= NUMBERS_SINCE else f"gpu:{count}"

    def _number(self, value: int) -> Any:
        return {"set": True, "infinite": False, "number": value} if self._version >= NUMBERS_SINCE else value

    # -- asking --------------------------------------------------------------------------------------------

    def _accounted(self, since: datetime.datetime | None) -> list[Json]:
        query = {"start_time": f"uts{round(since.timestamp())}"} if since else {}  # as every version reads it
        return self._all("slurmdb", "jobs", **query)

    def _named(self, ids: list[str]) -> list[Json]:
        try:
            return self._all("slurmdb", "jobs", step=",".join(ids))
        except Gone:
            return []

    def _all(self, service: str, name: str, **query: str) -> list[Json]:
        found = self._ask("GET", service, name, query=query).get(name)
        if not isinstance(found, list):
            raise Busy(f"slurmrestd answered without {name}.")
        return found

    def _refusal(self, errors: list[Json]) -> DriverError:
        error = failures.spoken(errors)
        if not isinstance(error, Refused):
            return error
        return Refused(f"The token has ended, or is not of {self.user}: {error.message}", field="token")

    def _vague(self, errors: list[Json]) -> DriverError:
        """What the controller did not explain; accounting says it when it is the token."""
        try:
            self._ask("GET", "slurmdb", "clusters")
        except Refused as refusal:
            return refusal
        except DriverError:
            pass
        return failures.spoken(errors)

    @property
    def _version(self) -> int:
        until, version = _offered.get(self.url, (0.0, 0))
        if until < time.monotonic():
            version = self._newest()
            _offered[self.url] = time.monotonic() + KNOWN_FOR, version
        return version

    def _newest(self) -> int:
        """The newest interface that both sides know."""
        for path in ("/openapi", "/openapi/v3"):
            answer = self._carrier.carry("GET", self.url + path)
            offered = {int(version) for version in OFFERED.findall(answer.text.replace("\\/", "/"))}
            if answer.status < 300 and (both := offered & set(fields.VERSIONS)):
                return max(both)
            if answer.status < 300 and offered:
                raise Rejected(
                    f"This slurmrestd speaks v0.0.{min(offered)} to v0.0.{max(offered)}, which is not known."
                )
            answer.check()
        raise Rejected(f"{self.url} is no slurmrestd: it does not say at /openapi what it can do.", field="url")

    def _ask(
        self,
        method: str,
        service: str,
        *parts: str,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        done: str = "",
    ) -> Json:
        """One request; an answer with something under `done` was a success, whatever it warns of."""
        url = "/".join((self.url, service, f"v0.0.{self._version}", *parts))
        answer = self._carrier.carry(method, url, body=None if body is None else orjson.dumps(body), query=query)
        document = answer.document()
        if (errors := document.get("errors")) and not (done and document.get(done)):
            raise self._vague(errors) if failures.is_vague(errors) and service == "slurm" else self._refusal(errors)
        answer.check()
        return document
