"""What the portal asks of a Grid Engine."""

import datetime
from collections.abc import Collection, Iterator, Mapping
from typing import ClassVar

from cloudmesh.errors import Busy, Gone, Rejected
from cloudmesh.types import Field, Forecast, Job, JobSpec, Node, Queue
from hpc.drivers import Abilities, HpcDriver, Site
from hpc.drivers.gridengine import accounting, jobs, machines, options
from hpc.drivers.gridengine.commands import ALL, Commands

SINGLE = 8  # so many ids are asked for one by one: each reads all of accounting
LONGEST_LIFE = 60  # days since an asked-for job began, where many are asked for


class GridEngine(HpcDriver):
    """Son of Grid Engine 8.1. The wish's token is the job's account.

    A wish is found again while qstat shows its job, and then as long as accounting is kept; not in the seconds until
    accounting is written (`accounting_flush_time`), and not when its job was deleted before it began.
    """

    label = "Grid Engine"
    ways: ClassVar[tuple[str, ...]] = ("ssh", "local")
    fields = (
        Field(
            name="bin", label="Folder of the commands of Grid Engine", required=False, help="Empty where PATH has it."
        ),
        Field(name="pe", label="Parallel environment on one node", required=False, default="smp"),
        Field(name="pe_nodes", label="Parallel environment across nodes", required=False, default="mpi"),
        Field(
            name="memory",
            label="Resource for memory",
            required=False,
            default="h_vmem",
            help="What each slot may have: h_vmem, mem_free, …",
        ),
        Field(name="gpus", label="Resource for GPUs", required=False, default="gpu", help="Counted for each job."),
    )
    abilities = Abilities(
        {
            "dependency": "Grid Engine starts a job after another whether that succeeded or not.",
            "qos": "Grid Engine knows no quality of service: choose a queue.",
        }
    )

    def __init__(self, credential: Mapping[str, str], site: Site) -> None:
        super().__init__(credential, site)
        if site.shell is None:
            raise Rejected(
                "Grid Engine is reached by its commands: give a login node, or choose this machine.", field="way"
            )
        self.commands = Commands(credential, site.shell, site.timeout)
        self.names = options.Resources(credential)

    # -- reading -------------------------------------------------------------------------------------------

    def check(self) -> str:
        login = self.site.shell and self.site.shell.login
        version = self.commands.version()
        self.commands.queue_names()
        return f"Grid Engine {version}" + (f" as {login}" if login else "")

    def queues(self) -> Iterator[Queue]:
        return machines.queues(self.commands.queues(), machines.hosts(self.commands.hosts()))

    def nodes(self) -> Iterator[Node]:
        hosts = machines.hosts(self.commands.hosts())
        running = jobs.jobs(self.commands.listed(), jobs.Details(), self.names)
        return machines.nodes(hosts, running, self.names)

    def jobs(self) -> Iterator[Job]:
        """What ended between the two answers is left out: nothing is told by half."""
        listed, details = self.commands.listed(), self.commands.details()
        return jobs.jobs((each for each in listed if each.number in details.jobs), details, self.names)

    def ended(self, ids: Collection[str], *, since: datetime.datetime | None = None) -> Iterator[Job]:
        """What is listed is asked first: so nothing that ends in between is taken for deleted."""
        if not ids:
            return iter(self._ended_since(since))
        wanted = set(filter(options.JOB_ID.fullmatch, ids))
        return iter(self._ended(wanted) if wanted else ())

    def find(self, token: str) -> str:
        if found := self.commands.details().with_token(token):
            return found
        records = self.commands.accounted("-A", options.PREFIX + token, "-j")
        return next((record["jobnumber"] for record in records if record.get("jobnumber")), "")

    def _ended_since(self, since: datetime.datetime | None) -> list[Job]:
        live = {each.id for each in self.commands.listed()}
        records = self.commands.accounted("-j") if since is None else self.commands.accounted_since(since)
        found = accounting.ended(records, self.names)
        return [
            job
            for job in found
            if job.id not in live and (since is None or (job.ended is not None and job.ended >= since))
        ]

    def _ended(self, wanted: set[str]) -> list[Job]:
        listed = self.commands.listed(ALL)
        live = [each for each in listed if each.letters != jobs.ZOMBIE]
        numbers = {job_id.partition(".")[0] for job_id in wanted}
        found = {job.id: job for job in self._accounted(numbers) if job.id not in {each.id for each in live}}
        arrays = accounting.arrays(found.values(), wanted - {each.number for each in live})
        zombies = [each for each in listed if each.letters == jobs.ZOMBIE and each.id in wanted - set(found)]
        known = {*found, *(job.id for job in arrays)}
        gone = [each for each in zombies if each.id not in known]
        if gone and not self.commands.is_accounted_at_once():
            gone = []  # they may have run, and not be accounted for yet
        return [job for job in (*found.values(), *arrays) if job.id in wanted] + accounting.deleted(gone, self.names)

    def _accounted(self, numbers: Collection[str]) -> list[Job]:
        single = [("-j", number) for number in sorted(numbers)]
        asked = single if len(numbers) <= SINGLE else [("-d", str(LONGEST_LIFE), "-j")]
        records = [record for each in asked for record in self.commands.accounted(*each)]
        return accounting.ended((record for record in records if record.get("jobnumber") in numbers), self.names)

    # -- changing ------------------------------------------------------------------------------------------

    def submit(self, spec: JobSpec, *, token: str) -> str:
        said = self._qsub(spec, *options.options(self._possible(spec), token, self.names))
        for line in reversed(said.splitlines()):
            if made := options.MADE.fullmatch(line.strip()):
                return made[1]
        raise Busy(f"qsub did not say which job it made: {said[:200].strip() or 'it said nothing'}.")

    def forecast(self, spec: JobSpec) -> Forecast:
        """Whether a queue would take it if nothing else ran (`-w v`)."""
        said = self._qsub(spec, "-w", "v", *options.options(self._possible(spec), "", self.names))
        return Forecast(text=said.strip() or "Grid Engine takes it.")

    def _possible(self, spec: JobSpec) -> JobSpec:
        if spec.qos:
            raise Rejected(self.abilities.reason("qos"), field="qos")
        if spec.after:
            raise Rejected(self.abilities.reason("dependency"), field="after")
        return spec

    def _qsub(self, spec: JobSpec, *chosen: str) -> str:
        return self.commands.qsub(spec.directory, *chosen, given=options.script(spec)).decode(errors="replace")

    def cancel(self, job_id: str) -> None:
        try:
            self.commands.change("qdel", options.checked(job_id))
        except Gone:
            return  # it has ended

    def hold(self, job_id: str) -> None:
        self.commands.change("qhold", options.checked(job_id))

    def release(self, job_id: str) -> None:
        """One that has ended in between was released."""
        try:
            self.commands.change("qrls", options.checked(job_id))
        except Gone:
            if not any(self.ended([job_id])):
                raise
