"""What the records of HPC drivers must be; a part of `HpcContract`."""

import concurrent.futures
import dataclasses
import datetime
import enum
import json
from collections.abc import Mapping
from typing import Any

import pytest

from hpc.drivers import HpcDriver, Site
from tests.hpc.drivers.bed import HpcBed, Recorder, Submit, wish


def through_json(record: Any) -> Any:
    """A record again, from what the API would send of it."""
    sent = json.loads(json.dumps(dataclasses.asdict(record), default=lambda value: value.isoformat()))
    return type(record)(**{name: _as(getattr(record, name), value) for name, value in sent.items()})


def _as(like: object, value: Any) -> Any:
    if isinstance(like, datetime.datetime):
        return datetime.datetime.fromisoformat(value)
    return like.__class__(value) if isinstance(like, (tuple, enum.Enum)) else value


class RecordContract(HpcBed):
    def test_records_survive_being_sent(self, driver: HpcDriver, submit: Submit) -> None:
        job_id = submit("sleep 20")
        records = [*driver.queues(), *driver.nodes(), *driver.jobs()]
        driver.cancel(job_id)
        assert [through_json(record) for record in records] == records

    def test_times_know_their_zone_and_are_in_order(self, driver: HpcDriver, submit: Submit) -> None:
        job_id = submit("sleep 20")
        jobs = list(driver.jobs())
        driver.cancel(job_id)
        now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=5)
        times = [(job.submitted, job.started, job.ended) for job in jobs]
        assert all(time.tzinfo for each in times for time in each if time)
        assert all(time <= now for each in times for time in each if time)
        assert all(list(filter(None, each)) == sorted(filter(None, each)) for each in times)
        mine = next(job for job in jobs if job.id == job_id)
        assert mine.submitted
        assert now - mine.submitted < datetime.timedelta(minutes=5)

    def test_jobs_are_named_once_in_queues_that_are_there(self, driver: HpcDriver) -> None:
        jobs, queues = list(driver.jobs()), {queue.name for queue in driver.queues()}
        assert len({job.id for job in jobs}) == len(jobs)
        assert {name for job in jobs for name in job.queue.split(",") if name} <= queues
        assert all(job.id and job.login for job in jobs)
        assert all(min(job.nodes, job.tasks, job.cores, job.gpus, job.memory) >= 0 for job in jobs)

    def test_a_waiting_job_is_what_was_asked(self, driver: HpcDriver, submit: Submit, directory: str) -> None:
        job_id = self.held(driver, submit, name="contract-asked", token=(token := wish()), walltime=1200)
        job = self.job(driver, job_id)
        driver.cancel(job_id)
        assert job is not None
        assert (job.name, job.walltime) == ("contract-asked", 1200)
        assert job.token in ("", token)
        assert job.directory in ("", directory)
        assert job.queue or not self.queue

    def test_cores_are_counted_all_together(self, driver: HpcDriver, submit: Submit) -> None:
        job_id = self.held(driver, submit, tasks=2)
        job = self.job(driver, job_id)
        driver.cancel(job_id)
        assert job is not None
        assert job.cores == 2

    def test_a_record_stays_while_nothing_happens(self, driver: HpcDriver, submit: Submit) -> None:
        """Else each sync would write every row again. What of `native` counts up is the driver's to know."""
        job_id = self.held(driver, submit)
        first, second = (self.job(driver, job_id) for _ in range(2))
        driver.cancel(job_id)
        assert first is not None
        assert second is not None
        assert dataclasses.replace(first, native={}) == dataclasses.replace(second, native={})

    def test_the_list_costs_as_much_whatever_its_length(
        self, credential: Mapping[str, str], site: Site, submit: Submit
    ) -> None:
        if site.shell is None:
            pytest.skip("This scheduler is reached without a shell.")

        def cost() -> int:
            recorder = Recorder(site.shell)  # type: ignore[arg-type]
            listed = list(self.driver_class(credential, dataclasses.replace(site, shell=recorder)).jobs())
            return len(recorder.commands) if listed is not None else 0

        before = cost()
        made = [submit("sleep 20") for _ in range(3)]
        assert 1 <= cost() == before <= 2
        for job_id in made:
            self.driver_class(credential, site).cancel(job_id)

    def test_a_script_is_not_among_the_arguments(
        self, credential: Mapping[str, str], site: Site, directory: str
    ) -> None:
        """Whoever is at the login node can read those."""
        if site.shell is None:
            pytest.skip("This scheduler is reached without a shell.")
        recorder, secret = Recorder(site.shell), wish()
        driver = self.driver_class(credential, dataclasses.replace(site, shell=recorder))
        driver.cancel(driver.submit(self.spec(f"export SECRET={secret}", directory), token=wish()))
        assert recorder.commands
        assert secret not in str(recorder.commands)

    def test_threads_with_drivers_of_their_own_do_not_mix(
        self, credential: Mapping[str, str], site: Site, directory: str
    ) -> None:
        def live(token: str) -> tuple[str, str]:
            driver = self.driver_class(credential, site)
            made = driver.submit(self.spec("sleep 20", directory), token=token)
            found = driver.find(token)
            driver.cancel(made)
            return made, found

        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            lives = list(threads.map(live, [wish() for _ in range(4)]))
        assert all(made == found for made, found in lives)
        assert len(set(lives)) == 4
