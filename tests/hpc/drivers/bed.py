"""What the contract of HPC drivers stands on: two persons at one scheduler, and how long to wait for it."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

from cloudmesh.errors import Gone
from cloudmesh.types import Job, JobSpec, JobState
from hpc.drivers import LONGEST_ANSWER, Answer, Files, HpcDriver, Shell, Site

Submit = Callable[..., str]
Read = Callable[[str], bytes]


def unique(what: str = "contract") -> str:
    return f"{what}-{secrets.token_hex(4)}"


def wish() -> str:
    """A token of the shape that operations have."""
    return secrets.token_hex(16)


class Recorder(Shell):
    """Another shell, and what it was asked."""

    def __init__(self, shell: Shell) -> None:
        self._shell, self.login = shell, shell.login
        self.commands: list[tuple[str, ...]] = []

    def run(
        self, *command: str, given: bytes = b"", timeout: float | None = None, most: int = LONGEST_ANSWER
    ) -> Answer:
        self.commands.append(command)
        return self._shell.run(*command, given=given, timeout=timeout, most=most)


class HpcBed:
    """Override what the scheduler in question needs."""

    driver_class: ClassVar[type[HpcDriver]]
    patience: ClassVar[float] = 60.0  # seconds until a state must have come; each test has 120
    pause: ClassVar[float] = 0.5  # seconds between two looks
    queue: ClassVar[str] = ""  # empty: the scheduler's own default
    likeness: ClassVar[Mapping[str, Any]] = {}  # what else of a JobSpec each job here needs, such as an account
    unknown_id: ClassVar[str] = "99999999"  # well-formed, of no job
    shortest_walltime: ClassVar[int | None] = None  # seconds; the least that is enforced within `patience`

    # -- what a subclass gives -----------------------------------------------------------------------------

    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls) -> Mapping[str, str]:
        """Of the first person; empty where the shell alone says who they are."""
        return {}

    @pytest.fixture(scope="class")
    @classmethod
    def other_credential(cls, credential: Mapping[str, str]) -> Mapping[str, str]:
        return credential

    @pytest.fixture(scope="class")
    @classmethod
    def wrong_credential(cls) -> Mapping[str, str]:
        pytest.skip("This scheduler is told who one is by the shell; see tests/hpc/backends.")

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls) -> Site:
        raise LookupError("A contract needs the fixture `site`: with the shell of the first person, if it has one.")

    @pytest.fixture(scope="class")
    @classmethod
    def other_site(cls) -> Site:
        raise LookupError("A contract needs the fixture `other_site`: with the shell of the second person.")

    @pytest.fixture
    @classmethod
    def unreachable(cls) -> HpcDriver:
        """For one test alone, so that a bed may stop its scheduler here and start it again afterwards."""
        raise LookupError("A contract needs the fixture `unreachable`: a driver whose scheduler does not answer.")

    @pytest.fixture(scope="class")
    @classmethod
    def directory(cls, site: Site) -> Iterator[str]:
        """Where the first person's jobs run: an absolute path, seen by all nodes."""
        yield from cls.made_directory(site)

    @pytest.fixture(scope="class")
    @classmethod
    def other_directory(cls, other_site: Site) -> Iterator[str]:
        yield from cls.made_directory(other_site)

    @pytest.fixture(scope="class")
    @classmethod
    def read(cls, driver: HpcDriver, site: Site, directory: str) -> Read:
        """The content of a file of the first person; empty where it is not there."""
        if files := driver.files(directory):
            return lambda path: cls.content(files, path)
        assert site.shell, "Without a shell a contract needs the fixture `read`."
        shell = site.shell
        return lambda path: shell.run("cat", "--", path).output

    @classmethod
    def content(cls, files: Files, path: str) -> bytes:
        try:
            return files.read(path).data
        except Gone:
            return b""

    @classmethod
    def made_directory(cls, site: Site) -> Iterator[str]:
        assert site.shell, "Without a shell a contract needs the fixtures `directory` and `other_directory`."
        made = site.shell.run("mktemp", "-d", "/tmp/cloudmesh-contract-XXXXXXXX")
        assert made.code == 0, made.error
        path = made.output.decode().strip()
        yield path
        site.shell.run("rm", "-rf", "--", path)

    # -- what the tests use --------------------------------------------------------------------------------

    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls, credential: Mapping[str, str], site: Site) -> HpcDriver:
        return cls.driver_class(credential, site)

    @pytest.fixture(scope="class")
    @classmethod
    def other(cls, other_credential: Mapping[str, str], other_site: Site) -> HpcDriver:
        """The same scheduler as somebody else sees it."""
        return cls.driver_class(other_credential, other_site)

    @pytest.fixture(scope="class")
    @classmethod
    def submit(cls, driver: HpcDriver, other: HpcDriver, directory: str, other_directory: str) -> Iterator[Submit]:
        """Submit jobs that are cancelled in the end, whatever happens to them."""
        made: list[tuple[HpcDriver, str]] = []

        def submit(script: str = "echo done", *, by: HpcDriver = driver, token: str = "", **changes: Any) -> str:
            where = other_directory if by is other else directory
            job_id = by.submit(cls.spec(script, where, **changes), token=token or wish())
            assert job_id.strip()
            made.append((by, job_id))
            return job_id

        yield submit
        for who, job_id in made:
            who.cancel(job_id)

    @classmethod
    def spec(cls, script: str, directory: str, **changes: Any) -> JobSpec:
        plain = {"name": unique(), "queue": cls.queue, "walltime": 600, "directory": directory, **cls.likeness}
        return JobSpec(script=f"#!/bin/sh\n{script}\n", **{**plain, **changes})

    @classmethod
    def until(cls, look: Callable[[], Any], what: str) -> Any:
        """What `look` finds, once it finds something."""
        end = time.monotonic() + cls.patience
        while True:
            if found := look():
                return found
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come within {cls.patience} seconds.")
            time.sleep(cls.pause)

    @classmethod
    def job(cls, driver: HpcDriver, job_id: str) -> Job | None:
        """A job as the list shows it, or accounting where the list shows it no more."""
        listed = [job for job in driver.jobs() if job.id == job_id]
        assert len(listed) <= 1, listed
        return next(iter(listed or driver.ended([job_id])), None)

    @classmethod
    def becomes(cls, driver: HpcDriver, job_id: str, *states: JobState) -> Job:
        """A job once it is in one of these states; that it has ended in another fails at once."""
        seen: list[JobState] = []

        def look() -> Job | None:
            job = cls.job(driver, job_id)
            if job is None and seen and not driver.abilities["accounting"]:
                pytest.skip(driver.abilities.reason("accounting"))
            if job is None:
                return None
            seen.append(job.state)
            assert job.state in states or not job.state.is_final, f"{job_id} is {job.state}: {job.reason}"
            return job if job.state in states else None

        found: Job = cls.until(look, f"{job_id} {'|'.join(states)}")
        return found

    @classmethod
    def held(cls, driver: HpcDriver, submit: Submit, **changes: Any) -> str:
        """A job that waits as long as nobody releases it."""
        if not driver.abilities["hold"]:
            pytest.skip(driver.abilities.reason("hold"))
        job_id = submit(is_held=True, **changes)
        cls.becomes(driver, job_id, JobState.HELD)
        return job_id


def is_json(native: Mapping[str, Any]) -> bool:
    """Whether it is all there, and the same once it was kept as JSON."""
    return bool(native) and json.loads(json.dumps(dict(native), allow_nan=False)) == dict(native)
