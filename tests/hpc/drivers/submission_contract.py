"""What HPC drivers must make of what people type, and of arrays and dependencies; a part of `HpcContract`."""

import contextlib
from typing import Any

import pytest

from cloudmesh.errors import CloudmeshError, Invalid, Rejected
from cloudmesh.types import Job, JobState
from hpc.drivers import HpcDriver
from tests.hpc.drivers.bed import HpcBed, Read, Submit, unique, wish

#: Each would leave a file CANARY behind, or change how a command is read, were it taken for more than a text.
NAMES = {
    "another command": "; echo caught > CANARY; rm -rf ~/no-such-directory",
    "a substitution": "$(echo caught > CANARY)",
    "backquotes": "`echo caught > CANARY`",
    "quotes": """it's "so"; echo caught > CANARY; '""",
    "a line of its own": "two\necho caught > CANARY\nlines",
    "a directive": "two\n#SBATCH --output=CANARY\n#$ -o CANARY\n#PBS -o CANARY\n#OAR -O CANARY",
    "an option": "--output=CANARY",
    "a short option": "-o CANARY",
    "spaces and tabs": "  with \t spaces ",
    "a separator": "a|b,c:d=e/f\\g%h%j@i*?[0-9]",
    "markup": "</JB_name><name>&lt;b&gt;{}",
    "other letters": "Ünï ☃ \N{PILE OF POO} \u202e sdrawkcab \u0301",
    "4 KB": "\N{SNOWMAN}ü" * 820,
    "a terminal's signs": "\x1b[31mred\x07\x08\r",
}
FIELDS = ("queue", "account", "qos", "array")
EVIL = ("; echo caught > CANARY", "$(echo caught > CANARY)", "x\necho caught > CANARY", "--output=CANARY")
IDS = ("", "*", "all", "0-99999999", "--user=LOGIN", "-u", "1 2", "; true", "1\n2", "no such id", "ü" * 300)


class SubmissionContract(HpcBed):
    @pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
    def test_a_name_is_a_text_and_nothing_more(
        self, driver: HpcDriver, submit: Submit, read: Read, directory: str, name: str
    ) -> None:
        """It may be refused in words, and it may be kept otherwise than it was typed; it never does anything."""
        canary = f"{directory}/{unique('canary')}"
        token, job_id = wish(), ""
        with contextlib.suppress(Rejected, Invalid):
            job_id = submit("echo fine", name=name.replace("CANARY", canary), token=token)
        assert driver.find(token) == job_id
        if job_id:
            assert self.becomes(driver, job_id, JobState.COMPLETED).id == job_id
        assert read(canary) == b""

    def test_a_name_with_a_nul_is_refused_in_words(self, submit: Submit) -> None:
        with pytest.raises((Rejected, Invalid), match=r"\w"):
            submit(name="nothing\0more")

    @pytest.mark.parametrize("evil", EVIL)
    @pytest.mark.parametrize("field", FIELDS)
    def test_what_is_typed_elsewhere_does_nothing_either(
        self, driver: HpcDriver, submit: Submit, read: Read, directory: str, field: str, evil: str
    ) -> None:
        canary = f"{directory}/{unique('canary')}"
        with contextlib.suppress(Rejected, Invalid):  # some take any account
            job_id = submit(**{field: evil.replace("CANARY", canary)})
            job = self.job(driver, job_id)
            driver.cancel(job_id)
            assert job is None or canary not in (job.output, job.error)
        assert read(canary) == b""

    def test_a_job_that_is_not_there_is_nothing_to_wait_for(self, driver: HpcDriver, submit: Submit) -> None:
        if not driver.abilities["dependency"]:
            pytest.skip(driver.abilities.reason("dependency"))
        with pytest.raises(CloudmeshError, match=r"\w"):
            submit(after=("1; true",))

    @pytest.mark.parametrize("action", ["cancel", "hold"])
    def test_an_odd_id_is_nobodys_job(self, driver: HpcDriver, submit: Submit, action: str) -> None:
        """An option, a range or nothing at all must not reach the jobs that are there."""
        if not driver.abilities[action]:
            pytest.skip(driver.abilities.reason(action))
        job_id = submit("sleep 100")
        self.becomes(driver, job_id, JobState.RUNNING)
        login = next(job.login for job in driver.jobs() if job.id == job_id)
        for odd in IDS:
            with contextlib.suppress(CloudmeshError):
                getattr(driver, action)(odd.replace("LOGIN", login))
        assert self.becomes(driver, job_id, JobState.RUNNING).ended is None
        driver.cancel(job_id)

    def test_an_odd_id_is_in_no_account(self, driver: HpcDriver) -> None:
        known = []
        for odd in IDS:
            with contextlib.suppress(CloudmeshError):
                known += driver.ended([odd])
        assert known == []

    def test_an_unknown_queue_is_rejected_in_words(self, submit: Submit) -> None:
        with pytest.raises(Rejected, match=r"\w+ \w+"):
            submit(queue=unique("no-queue"))

    def test_a_path_with_odd_letters_is_kept(
        self, driver: HpcDriver, submit: Submit, read: Read, directory: str
    ) -> None:
        path, job_id = f"{directory}/it's an ü $HOME.out", ""
        with contextlib.suppress(Rejected, Invalid):
            job_id = submit("echo kept", output=path)
        if job_id:
            self.becomes(driver, job_id, JobState.COMPLETED)
            assert self.until(lambda: read(path), path).split() == [b"kept"]

    # -- forecast ------------------------------------------------------------------------------------------

    def test_a_forecast_submits_nothing(self, driver: HpcDriver, directory: str) -> None:
        if not driver.abilities["forecast"]:
            pytest.skip(driver.abilities.reason("forecast"))
        forecast = driver.forecast(self.spec("echo never", directory, name=(name := unique("dry"))))
        assert forecast.start or forecast.text
        assert forecast.start is None or forecast.start.tzinfo
        assert name not in {job.name for job in driver.jobs()}

    def test_a_forecast_says_what_would_be_rejected(self, driver: HpcDriver, directory: str) -> None:
        if not driver.abilities["forecast"]:
            pytest.skip(driver.abilities.reason("forecast"))
        with pytest.raises(Rejected, match=r"\w+ \w+"):
            driver.forecast(self.spec("echo never", directory, queue=unique("no-queue")))

    # -- arrays --------------------------------------------------------------------------------------------

    def test_a_waiting_array_says_its_numbers(self, driver: HpcDriver, submit: Submit) -> None:
        self.needs_arrays(driver)
        job_id = self.held(driver, submit, array="1-3", token=(token := wish()))
        mine = self.family(driver, job_id, token)
        assert [job.array for job in mine if job.array] == ["1-3"] or len(mine) == 3
        assert driver.find(token) == job_id
        driver.cancel(job_id)
        self.until(lambda: all(job.state.is_final for job in self.family(driver, job_id, token)), "the end of all")

    def test_each_task_of_an_array_runs(self, driver: HpcDriver, submit: Submit) -> None:
        self.needs_arrays(driver)
        job_id = submit("sleep 5", array="1-3", token=(token := wish()))
        seen: dict[str, Job] = {}

        def look() -> bool:
            seen.update({job.id: job for job in self.family(driver, job_id, token)})
            ran = [job for job in seen.values() if not job.array and job.started]
            return len(ran) == 3

        self.until(look, "three tasks")
        assert {job.login for job in seen.values()} == {job.login for job in driver.jobs() if job.id in seen}
        driver.cancel(job_id)

    @classmethod
    def needs_arrays(cls, driver: HpcDriver) -> None:
        if not driver.abilities["array"]:
            pytest.skip(driver.abilities.reason("array"))

    @classmethod
    def family(cls, driver: HpcDriver, job_id: str, token: str) -> list[Job]:
        """The array as far as it waits, and each task that runs or is known to have run."""
        known = {job.id: job for job in driver.ended([job_id])} | {job.id: job for job in driver.jobs()}
        return [job for job in known.values() if job.token == token or _is_of(job.id, job_id)]

    # -- dependencies --------------------------------------------------------------------------------------

    @pytest.fixture
    @classmethod
    def chain(cls, driver: HpcDriver, submit: Submit) -> Any:
        if not driver.abilities["dependency"]:
            pytest.skip(driver.abilities.reason("dependency"))

        def chain(script: str) -> tuple[str, str]:
            first = cls.held(driver, submit, script=script)
            return first, submit(after=(first,))

        return chain

    def test_a_job_waits_for_another(self, driver: HpcDriver, chain: Any) -> None:
        first, second = chain("sleep 2")
        waiting = self.job(driver, second)
        assert waiting is not None
        assert waiting.state in (JobState.QUEUED, JobState.HELD)
        assert waiting.dependency
        assert waiting.reason.strip()
        driver.release(first)
        done = self.becomes(driver, second, JobState.COMPLETED)
        before = self.job(driver, first)
        assert before is not None
        assert before.ended
        assert done.started
        assert before.ended <= done.started

    def test_a_job_does_not_follow_one_that_failed(self, driver: HpcDriver, chain: Any) -> None:
        first, second = chain("exit 1")
        driver.release(first)
        self.becomes(driver, first, JobState.FAILED)
        left = self.job(driver, second)
        driver.cancel(second)
        assert left is None or (left.started is None and left.state is not JobState.COMPLETED)


def _is_of(job_id: str, array: str) -> bool:
    """Whether an id is that of an array or of one of its tasks: `12`, `12_3`, `12.3`, `12[3]`."""
    stem = array.rstrip("[]")
    return job_id == array or (job_id.startswith(stem) and not job_id[len(stem) : len(stem) + 1].isalnum())
