"""What the portal asks of an OAR."""

import datetime
from collections.abc import Collection, Iterator, Mapping
from typing import ClassVar

from cloudmesh.errors import Rejected
from cloudmesh.types import Field, Forecast, Job, JobSpec, Node, Queue
from hpc.drivers import Abilities, HpcDriver, Site
from hpc.drivers.oar import records
from hpc.drivers.oar.commands import Commands


class Oar(HpcDriver):
    """OAR 2.5. The wish's token is the name of its script, `~/.cloudmesh/oar/TOKEN`, which OAR shows as its command.

    OAR forgets no job, so that each can be found and accounted at any time. It counts cores that were kept, not what
    ran on them: `used_cpu` is cores by time, as in its own accounting.
    """

    label = "OAR"
    ways: ClassVar[tuple[str, ...]] = ("ssh", "local")
    fields = (
        Field(name="bin", label="Folder of OAR's commands", required=False, help="Empty where PATH has it."),
        Field(
            name="queues",
            label="Queues",
            default="default besteffort",
            required=False,
            help="Their names; OAR tells them only to members of its own group.",
        ),
        Field(
            name="core",
            label="Property of a core",
            default="core",
            required=False,
            help="As oarsub is asked for cores: core, cpu, or resource_id where the cluster has neither.",
        ),
    )
    abilities = Abilities(
        {
            "forecast": "OAR says nothing of a job before it is submitted.",
            "gpus": "OAR has no GPUs of its own: ask for the cluster's property with a line #OAR -p in the script.",
            "qos": "OAR knows no quality of service: choose a queue.",
        }
    )

    def __init__(self, credential: Mapping[str, str], site: Site) -> None:
        super().__init__(credential, site)
        if site.shell is None:
            raise Rejected("OAR is reached by its commands: give a login node, or choose this machine.", field="way")
        self.commands = Commands(credential, site.shell, site.timeout)

    def check(self) -> str:
        login = self.site.shell.login if self.site.shell else ""
        return f"OAR {self.commands.version()}" + (f" as {login}" if login else "")

    def queues(self) -> Iterator[Queue]:
        told = self.commands.queues()
        return records.queues(told, list(self._nodes([native["name"] for native in told])))

    def nodes(self) -> Iterator[Node]:
        return self._nodes([native["name"] for native in self.commands.queues()])

    def jobs(self) -> Iterator[Job]:
        return records.jobs(self.commands.live())

    def ended(self, ids: Collection[str], *, since: datetime.datetime | None = None) -> Iterator[Job]:
        """Of an array that was submitted from here all its tasks, and itself once all have ended."""
        if ids:
            known = self.commands.known(ids)
            return (job for job in [*map(records.job, known), *records.whole(known)] if job.id in ids)
        found = map(records.job, self.commands.ended(since))
        return (job for job in found if job.ended and (since is None or job.ended >= since))

    def find(self, token: str) -> str:
        return self.commands.find(token)

    def submit(self, spec: JobSpec, *, token: str) -> str:
        for name, wanted in (("gpus", spec.gpus), ("qos", spec.qos)):
            if wanted:
                raise Rejected(self.abilities.reason(name), field=name)
        if spec.memory:
            raise Rejected("OAR gives memory with the cores of a node: ask for cores.", field="memory")
        return self.commands.submit(spec, token)

    def forecast(self, spec: JobSpec) -> Forecast:
        raise Rejected(self.abilities.reason("forecast"))

    def cancel(self, job_id: str) -> None:
        self.commands.cancel(job_id)

    def hold(self, job_id: str) -> None:
        self.commands.hold(job_id)

    def release(self, job_id: str) -> None:
        self.commands.release(job_id)

    def _nodes(self, queues: Collection[str]) -> Iterator[Node]:
        return records.nodes(self.commands.resources(), queues, self.commands.core)
