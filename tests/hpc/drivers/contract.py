"""What every driver of an HPC scheduler must do, whoever wrote it.

Subclass `HpcContract`, name the driver, and give it two persons' shells or credentials at one scheduler: the
simulator in `make test`, real schedulers in `tests/live`. It needs room for four small jobs at a time, cancels what
it submitted, and expects that both may submit to the same queue and that neither is an administrator.
"""

import datetime
from collections.abc import Mapping

import pytest

from cloudmesh.errors import Busy, Gone, Refused, Rejected
from cloudmesh.types import Job, JobState, NodeState, QueueState
from hpc.drivers import HpcDriver, Site
from tests.hpc.drivers.bed import HpcBed, Read, Submit, is_json, unique, wish
from tests.hpc.drivers.record_contract import RecordContract
from tests.hpc.drivers.submission_contract import SubmissionContract

WAITING = (JobState.QUEUED, JobState.HELD)
COMING = (JobState.QUEUED, JobState.STARTING, JobState.RUNNING, JobState.ENDING, JobState.COMPLETED)
LONG = "sleep 600"


class HpcContract(SubmissionContract, RecordContract, HpcBed):
    """See the module and HpcBed."""

    # -- who and where -------------------------------------------------------------------------------------

    def test_check_says_what_answers(self, driver: HpcDriver, credential: Mapping[str, str]) -> None:
        said = driver.check()
        secret = [field.name for field in self.driver_class.fields if field.secret]
        assert said.strip()
        assert not [name for name in secret if len(credential.get(name, "")) > 5 and credential[name] in said]

    def test_a_wrong_credential_is_refused_without_its_secret(
        self, wrong_credential: Mapping[str, str], site: Site
    ) -> None:
        with pytest.raises(Refused, match=r"\w") as refusal:
            self.driver_class(wrong_credential, site).check()
        secret = [wrong_credential.get(field.name, "") for field in self.driver_class.fields if field.secret]
        assert not [value for value in secret if len(value) > 5 and value in refusal.value.message]

    def test_a_scheduler_that_is_away_is_no_empty_list(self, unreachable: HpcDriver) -> None:
        for ask in (unreachable.queues, unreachable.nodes, unreachable.jobs):
            with pytest.raises(Busy, match=r"\w"):
                list(ask())
        with pytest.raises(Busy, match=r"\w"):
            unreachable.check()
        with pytest.raises(Busy, match=r"\w"):
            unreachable.find(wish())

    # -- queues and nodes ----------------------------------------------------------------------------------

    def test_queues_make_sense(self, driver: HpcDriver) -> None:
        queues = list(driver.queues())
        assert queues
        assert len({queue.name for queue in queues}) == len(queues)
        assert sum(queue.is_default for queue in queues) <= 1
        assert all(queue.name and queue.state in QueueState for queue in queues)
        assert all(0 <= queue.cores_used <= queue.cores and queue.nodes >= 0 for queue in queues)
        assert all(queue.max_walltime is None or queue.max_walltime > 0 for queue in queues)
        assert all(queue.max_nodes is None or queue.max_nodes >= 0 for queue in queues)

    def test_nodes_make_sense(self, driver: HpcDriver) -> None:
        nodes = list(driver.nodes())
        assert nodes
        assert len({node.name for node in nodes}) == len(nodes)
        assert all(node.name and node.state in NodeState for node in nodes)
        assert all(0 <= node.cores_used <= node.cores and node.memory >= 0 for node in nodes)
        assert all(0 <= node.gpus_used <= node.gpus for node in nodes)
        assert all(node.load is None or node.load >= 0 for node in nodes)

    def test_the_queues_of_nodes_are_there_and_have_as_many(self, driver: HpcDriver) -> None:
        nodes, queues = list(driver.nodes()), {queue.name: queue for queue in driver.queues()}
        named = {name for node in nodes for name in node.queues}
        assert named <= set(queues)
        counted = {name: sum(name in node.queues for node in nodes) for name in named}
        assert {name: queues[name].nodes for name in named} == counted

    # -- the life of a job ---------------------------------------------------------------------------------

    @pytest.fixture(scope="class")
    @classmethod
    def token(cls) -> str:
        return wish()

    @pytest.fixture(scope="class")
    @classmethod
    def done(cls, driver: HpcDriver, submit: Submit, directory: str, token: str) -> Job:
        """A job that all tests share, once it is through."""
        started = submit("echo hello; sleep 1; echo world", token=token, output=f"{directory}/done.out")
        return cls.becomes(driver, started, JobState.COMPLETED)

    def test_a_job_comes_runs_and_is_done(self, driver: HpcDriver, submit: Submit) -> None:
        job_id, seen = submit("sleep 4"), []

        def look() -> bool:
            job = self.job(driver, job_id)
            seen.extend([job.state] if job else [])
            return bool(job and job.state.is_final)

        first = self.job(driver, job_id)
        assert first is not None, "A job is not listed right after it was submitted."
        assert first.state in COMING
        self.until(look, f"the end of {job_id}") if driver.abilities["accounting"] else look()
        assert set(seen) <= set(COMING)
        assert seen == sorted(seen, key=COMING.index), "It went back."

    def test_a_running_job_says_where(self, driver: HpcDriver, submit: Submit) -> None:
        job_id = submit(LONG)
        job = self.becomes(driver, job_id, JobState.RUNNING)
        driver.cancel(job_id)
        assert job.started is not None
        assert job.ended is None
        assert set(job.hosts) <= {node.name for node in driver.nodes()}
        assert job.hosts

    def test_its_output_is_where_it_was_asked(self, done: Job, read: Read, directory: str) -> None:
        assert self.until(lambda: read(f"{directory}/done.out"), "the output").split() == [b"hello", b"world"]

    def test_its_output_is_where_it_says_when_nobody_asked(
        self, driver: HpcDriver, submit: Submit, read: Read, directory: str
    ) -> None:
        if not driver.abilities["output"]:
            pytest.skip(driver.abilities.reason("output"))
        job_id = submit("echo somewhere")
        told = self.until(lambda: (job := self.job(driver, job_id)) and job.output, "the path of the output")
        assert told.startswith(directory)
        assert self.until(lambda: read(told), "the output").split() == [b"somewhere"]

    def test_what_it_writes_to_error_can_go_elsewhere(self, submit: Submit, read: Read, directory: str) -> None:
        submit("echo good; echo bad >&2", output=f"{directory}/two.out", error=f"{directory}/two.err")
        assert self.until(lambda: read(f"{directory}/two.err"), "the errors").split() == [b"bad"]
        assert self.until(lambda: read(f"{directory}/two.out"), "the output").split() == [b"good"]

    def test_a_job_that_fails_says_its_exit_code(self, driver: HpcDriver, submit: Submit) -> None:
        job = self.becomes(driver, submit("echo failing; exit 3"), JobState.FAILED)
        assert job.exit_code == 3
        assert job.reason.strip()

    def test_a_job_that_passes_its_walltime_is_timed_out(self, driver: HpcDriver, submit: Submit) -> None:
        if self.shortest_walltime is None:
            pytest.skip("The scheduler of this bed takes minutes to end a job at its walltime.")
        job_id = submit(LONG, walltime=self.shortest_walltime)
        assert self.becomes(driver, job_id, JobState.TIMEOUT).reason.strip()

    # -- hold, release and cancel --------------------------------------------------------------------------

    def test_a_held_job_waits_until_it_is_released(self, driver: HpcDriver, submit: Submit) -> None:
        job_id = self.held(driver, submit)
        waiting = self.job(driver, job_id)
        assert waiting is not None
        assert waiting.reason.strip()
        assert (waiting.started, waiting.hosts) == (None, ())
        driver.hold(job_id)
        assert self.becomes(driver, job_id, JobState.HELD).id == job_id
        driver.release(job_id)
        assert self.becomes(driver, job_id, *COMING).id == job_id
        driver.release(job_id)
        assert self.becomes(driver, job_id, JobState.COMPLETED).id == job_id

    def test_a_waiting_job_can_be_held(self, driver: HpcDriver, submit: Submit) -> None:
        first = self.held(driver, submit)
        if not driver.abilities["dependency"]:
            pytest.skip(driver.abilities.reason("dependency"))
        second = submit(after=(first,))
        driver.hold(second)
        assert self.becomes(driver, second, JobState.HELD).id == second
        driver.cancel(second)
        driver.cancel(first)

    @pytest.mark.parametrize("action", ["hold", "release"])
    def test_what_is_not_there_cannot_wait(self, driver: HpcDriver, action: str) -> None:
        if not driver.abilities[action]:
            pytest.skip(driver.abilities.reason(action))
        with pytest.raises((Gone, Rejected), match=r"\w"):
            getattr(driver, action)(self.unknown_id)

    def test_a_waiting_job_can_be_cancelled(self, driver: HpcDriver, submit: Submit) -> None:
        job_id = self.held(driver, submit)
        driver.cancel(job_id)
        assert self.becomes(driver, job_id, JobState.CANCELLED).started is None

    def test_a_running_job_can_be_cancelled(self, driver: HpcDriver, submit: Submit) -> None:
        job_id = submit(LONG)
        self.becomes(driver, job_id, JobState.RUNNING)
        driver.cancel(job_id)
        ended = self.becomes(driver, job_id, JobState.CANCELLED)
        assert ended.started
        assert ended.ended
        driver.cancel(job_id)
        assert self.becomes(driver, job_id, JobState.CANCELLED).ended == ended.ended

    def test_to_cancel_what_has_ended_is_no_error(self, driver: HpcDriver, done: Job) -> None:
        driver.cancel(done.id)
        assert self.becomes(driver, done.id, JobState.COMPLETED).exit_code == 0

    # -- two persons ---------------------------------------------------------------------------------------

    def test_everybody_is_shown(self, driver: HpcDriver, other: HpcDriver, submit: Submit) -> None:
        mine, theirs = submit("sleep 20"), submit("sleep 20", by=other)
        logins = {job.id: job.login for job in driver.jobs()}
        assert {mine, theirs} <= set(logins)
        assert logins[mine] != logins[theirs]
        assert {mine: logins[mine], theirs: logins[theirs]}.items() <= {
            job.id: job.login for job in other.jobs()
        }.items()
        driver.cancel(mine)
        other.cancel(theirs)

    @pytest.mark.parametrize("action", ["cancel", "hold", "release"])
    def test_nobody_touches_the_job_of_another(
        self, driver: HpcDriver, other: HpcDriver, submit: Submit, action: str
    ) -> None:
        if not driver.abilities[action]:
            pytest.skip(driver.abilities.reason(action))
        theirs = self.held(other, submit, by=other)
        with pytest.raises(Rejected, match=r"\w"):
            getattr(driver, action)(theirs)
        assert self.becomes(other, theirs, JobState.HELD).ended is None
        other.cancel(theirs)

    def test_a_running_job_of_another_goes_on(self, driver: HpcDriver, other: HpcDriver, submit: Submit) -> None:
        theirs = submit(LONG, by=other)
        self.becomes(other, theirs, JobState.RUNNING)
        with pytest.raises(Rejected, match=r"\w"):
            driver.cancel(theirs)
        assert self.becomes(other, theirs, JobState.RUNNING).ended is None
        other.cancel(theirs)

    # -- the wish that made it -----------------------------------------------------------------------------

    def test_a_token_finds_a_job_that_waits(self, driver: HpcDriver, submit: Submit) -> None:
        job_id = self.held(driver, submit, token=(token := wish()))
        assert driver.find(token) == job_id
        driver.cancel(job_id)

    def test_a_token_finds_a_job_at_once_and_while_it_runs(self, driver: HpcDriver, submit: Submit) -> None:
        job_id = submit(LONG, token=(token := wish()))
        assert driver.find(token) == job_id
        self.becomes(driver, job_id, JobState.RUNNING)
        assert driver.find(token) == job_id
        driver.cancel(job_id)

    def test_a_token_finds_a_job_that_has_ended(self, driver: HpcDriver, done: Job, token: str) -> None:
        assert driver.find(token) == done.id

    def test_a_token_finds_nothing_else(self, driver: HpcDriver, done: Job, token: str) -> None:
        assert [driver.find(each) for each in (wish(), token[:-1], token[1:], f"{token}0")] == [""] * 4, done.id

    def test_the_token_of_another_is_nobody_elses(self, driver: HpcDriver, other: HpcDriver, submit: Submit) -> None:
        theirs = submit("sleep 20", by=other, token=(token := wish()))
        assert driver.find(token) in ("", theirs), "Only a job that carries it is found."
        assert other.find(token) == theirs
        other.cancel(theirs)

    # -- accounting ----------------------------------------------------------------------------------------

    def test_accounting_tells_times_and_what_was_used(self, driver: HpcDriver, done: Job) -> None:
        job = self.accounted(driver, done.id)
        assert (job.state, job.exit_code, job.name) == (JobState.COMPLETED, 0, done.name)
        assert job.submitted
        assert job.started
        assert job.ended
        assert job.submitted <= job.started <= job.ended
        assert job.used_cpu is not None
        assert 0 <= job.used_cpu < 60
        assert job.cores >= 1
        assert job.login

    def test_accounting_tells_each_job_once(self, driver: HpcDriver, done: Job) -> None:
        self.accounted(driver, done.id)
        assert [job.id for job in driver.ended([done.id, done.id])] == [done.id]
        assert done.ended is not None
        recent = [job.id for job in driver.ended((), since=done.ended - datetime.timedelta(minutes=5))]
        assert recent.count(done.id) == 1
        assert len(set(recent)) == len(recent)

    def test_accounting_leaves_out_what_ended_before(self, driver: HpcDriver, submit: Submit, done: Job) -> None:
        before = self.accounted(driver, done.id).ended
        assert before is not None
        later = before + datetime.timedelta(seconds=2)
        self.until(lambda: datetime.datetime.now(datetime.UTC) > later, "the next moment")
        new = self.accounted(driver, self.becomes(driver, submit(), JobState.COMPLETED).id)
        recent = {job.id for job in driver.ended((), since=later)}
        assert new.id in recent
        assert done.id not in recent

    def test_accounting_leaves_out_what_it_does_not_know(self, driver: HpcDriver, done: Job) -> None:
        assert list(driver.ended([self.unknown_id])) == []
        known = self.accounted(driver, done.id).id
        assert [job.id for job in driver.ended([self.unknown_id, known])] == [known]

    def test_what_has_not_ended_is_not_accounted_as_ended(self, driver: HpcDriver, submit: Submit) -> None:
        job_id = submit(LONG)
        self.becomes(driver, job_id, JobState.RUNNING)
        assert [job for job in driver.ended([job_id]) if job.state.is_final] == []
        driver.cancel(job_id)

    @classmethod
    def accounted(cls, driver: HpcDriver, job_id: str) -> Job:
        if not driver.abilities["accounting"]:
            pytest.skip(driver.abilities.reason("accounting"))
        found: Job = cls.until(lambda: next(iter(driver.ended([job_id])), None), f"the account of {job_id}")
        return found

    # -- beside --------------------------------------------------------------------------------------------

    def test_what_is_absent_is_rejected_with_its_reason(
        self, driver: HpcDriver, submit: Submit, directory: str
    ) -> None:
        calls = {
            "hold": lambda: driver.hold(self.unknown_id),
            "release": lambda: driver.release(self.unknown_id),
            "cancel": lambda: driver.cancel(self.unknown_id),
            "forecast": lambda: driver.forecast(self.spec("true", directory)),
            "array": lambda: submit(array="1-2"),
            "dependency": lambda: submit(after=(self.unknown_id,)),
            "gpus": lambda: submit(gpus=1),
            "qos": lambda: submit(qos=unique("qos")),
        }
        said = {}
        for name in (name for name in calls if not driver.abilities[name]):
            with pytest.raises(Rejected) as caught:
                calls[name]()
            said[name] = caught.value.message
        assert said == {name: driver.abilities.reason(name) for name in said}

    def test_native_documents_are_kept_whole(self, driver: HpcDriver, done: Job) -> None:
        assert is_json(done.native)
        assert all(is_json(each.native) for each in (*driver.queues(), *driver.nodes(), *driver.jobs()))
