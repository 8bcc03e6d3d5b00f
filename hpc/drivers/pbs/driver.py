"""What the portal asks of OpenPBS, PBS Professional or Torque."""

import datetime
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from cloudmesh.errors import Rejected
from cloudmesh.types import Field, Forecast, Job, JobSpec, Node, Queue
from hpc.drivers import Abilities, HpcDriver, Site
from hpc.drivers.pbs import directives, machines
from hpc.drivers.pbs.commands import Commands
from hpc.drivers.pbs.openpbs import OpenPbs
from hpc.drivers.pbs.torque import Torque

PRODUCTS: Mapping[str, type[Commands]] = {"openpbs": OpenPbs, "torque": Torque}
NEWEST_TORQUE = 7  # OpenPBS and PBS Professional count from 10 on


class Pbs(HpcDriver):
    """OpenPBS and PBS Professional 19.1 and later, Torque 4 to 6. The wish's token is a variable of the job.

    A wish is found again as long as the server knows its job: in OpenPBS for `job_history_duration` (two weeks) after
    its end where `job_history_enable` is set, in Torque for `keep_completed` seconds (300).
    """

    label = "PBS: OpenPBS, PBS Professional or Torque"
    ways: ClassVar[tuple[str, ...]] = ("ssh", "local")
    fields = (
        Field(
            name="product",
            label="Product",
            type="choice",
            choices=tuple(PRODUCTS),
            default="openpbs",
            help="OpenPBS is PBS Professional too; qstat --version tells which.",
        ),
        Field(name="bin", label="Folder of the commands of PBS", required=False, help="Empty where PATH has it."),
    )
    abilities = Abilities(
        {
            "forecast": "PBS says nothing of a job before it is submitted.",
            "qos": "PBS knows no quality of service: choose a queue.",
        }
    )

    @classmethod
    def directives(cls, script: str) -> Mapping[str, Any]:
        return directives.read(script)

    def __init__(self, credential: Mapping[str, str], site: Site) -> None:
        super().__init__(credential, site)
        product = credential.get("product") or "openpbs"
        if product not in PRODUCTS:
            raise Rejected(f"{product[:40]!r} is no PBS that is known: {' or '.join(PRODUCTS)}.", field="product")
        if site.shell is None:
            raise Rejected("PBS is reached by its commands: give a login node, or choose this machine.", field="way")
        self.commands = PRODUCTS[product](credential, site.shell, site.timeout)

    def check(self) -> str:
        """Raises Rejected where it is the other product."""
        version, login = str(self.commands.server().get("pbs_version", "")), self.site.shell and self.site.shell.login
        major = version.partition(".")[0]
        found = Torque if major.isdecimal() and int(major) <= NEWEST_TORQUE else OpenPbs
        if major and not isinstance(self.commands, found):
            raise Rejected(f"This is {found.product} {version}: choose it as the product.", field="product")
        return f"{self.commands.product} {version}".strip() + (f" as {login}" if login else "")

    def queues(self) -> Iterator[Queue]:
        natives = self.commands.queues()
        nodes = machines.nodes(self.commands.nodes(), natives)
        default = str(self.commands.server().get("default_queue", ""))
        return iter(machines.queues(natives, nodes, default))

    def nodes(self) -> Iterator[Node]:
        return iter(machines.nodes(self.commands.nodes(), self.commands.queues()))

    def jobs(self) -> Iterator[Job]:
        return iter(self.commands.jobs())

    def ended(self, ids: Collection[str], *, since: datetime.datetime | None = None) -> Iterator[Job]:
        return iter(self.commands.ended(ids, since))

    def find(self, token: str) -> str:
        return self.commands.find(token)

    def submit(self, spec: JobSpec, *, token: str) -> str:
        if spec.qos:
            raise Rejected(self.abilities.reason("qos"), field="qos")
        return self.commands.submit(spec, token)

    def forecast(self, spec: JobSpec) -> Forecast:
        raise Rejected(self.abilities.reason("forecast"))

    def cancel(self, job_id: str) -> None:
        self.commands.cancel(job_id)

    def hold(self, job_id: str) -> None:
        self.commands.hold(job_id)

    def release(self, job_id: str) -> None:
        self.commands.release(job_id)
