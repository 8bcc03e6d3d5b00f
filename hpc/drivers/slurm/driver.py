"""What the portal asks of a Slurm, by whichever way."""

import datetime
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from cloudmesh.types import Field, Forecast, Job, JobSpec, Node, Queue
from hpc.drivers import Abilities, HpcDriver, Site
from hpc.drivers.slurm import directives, records
from hpc.drivers.slurm.commands import Commands
from hpc.drivers.slurm.rest import Rest
from hpc.drivers.slurm.way import Way

#: The fields of slurmrestd.
REST = frozenset({"url", "user", "token", "ca_bundle"})


class Slurm(HpcDriver):
    """Slurm 20.11 and later. The wish's token is the job's comment, `cloudmesh:TOKEN`.

    A wish is found again as long as squeue or accounting know its job; accounting keeps comments with
    `AccountingStoreFlags=job_comment` only (21.08 and later), without it the time is MinJobAge, usually five minutes.
    """

    label = "Slurm"
    ways: ClassVar[tuple[str, ...]] = ("ssh", "local", "rest")
    fields = (
        Field(name="bin", label="Folder of Slurm's commands", required=False, help="Empty where PATH has it."),
        Field(name="cluster", label="Cluster", required=False, help="Where the commands know several (--clusters)."),
        Field(
            name="answers",
            label="Answers",
            type="choice",
            choices=("json", "text"),
            default="json",
            required=False,
            help="JSON says more, text is a tenth as long: for clusters with more than 40,000 jobs at once.",
        ),
    )
    abilities = Abilities({})

    @classmethod
    def fields_on(cls, way: str) -> tuple[Field, ...]:
        """What is asked of its REST interface, or of its commands; a cluster's name of both."""
        is_rest = way == "rest"
        return tuple(field for field in cls.fields if (field.name in REST) == is_rest or field.name == "cluster")

    @classmethod
    def directives(cls, script: str) -> Mapping[str, Any]:
        return directives.read(script)

    def __init__(self, credential: Mapping[str, str], site: Site) -> None:
        super().__init__(credential, site)
        self.way: Way = Commands(credential, site.shell, site.timeout) if site.shell else Rest(credential, site)

    def check(self) -> str:
        return self.way.check()

    def queues(self) -> Iterator[Queue]:
        return iter(records.queues(self.way.partitions(), self.nodes()))

    def nodes(self) -> Iterator[Node]:
        return map(records.node, self.way.nodes())

    def jobs(self) -> Iterator[Job]:
        return map(records.job, self.way.jobs())

    def ended(self, ids: Collection[str], *, since: datetime.datetime | None = None) -> Iterator[Job]:
        return iter(self.way.accounted(ids, since))

    def find(self, token: str) -> str:
        return self.way.find(token)

    def submit(self, spec: JobSpec, *, token: str) -> str:
        return self.way.submit(spec, token)

    def forecast(self, spec: JobSpec) -> Forecast:
        return self.way.forecast(spec)

    def cancel(self, job_id: str) -> None:
        self.way.cancel(job_id)

    def hold(self, job_id: str) -> None:
        self.way.hold(job_id)

    def release(self, job_id: str) -> None:
        self.way.release(job_id)
