"""The commands of PBS at a login node: what both products share.

Times come as ctime(3) writes them, so that commands are asked in UTC.
"""

import abc
import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import ClassVar

from cloudmesh.errors import Busy, DriverError, Gone, Rejected
from cloudmesh.types import Job, JobSpec, Json
from hpc.drivers import Answer, Shell
from hpc.drivers.pbs import failures, options

#: Where a job is to run is where qsub is called. A fixed script: the folder and the command are its arguments.
INSIDE = ("sh", "-c", 'cd -- "$1" && shift && exec "$@"', "sh")
UTC = "TZ=UTC"


class Commands(abc.ABC):
    """Documents come as PBS has them; by `jobs` and `machines` they become records."""

    product: ClassVar[str]

    def __init__(self, credential: Mapping[str, str], shell: Shell, timeout: float) -> None:
        self.shell = shell
        self.timeout = timeout
        self.folder = credential.get("bin", "").rstrip("/")

    # -- reading -------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def server(self) -> Json:
        """What the server says of itself."""

    @abc.abstractmethod
    def queues(self) -> dict[str, Json]: ...

    @abc.abstractmethod
    def nodes(self) -> dict[str, Json]: ...

    @abc.abstractmethod
    def jobs(self) -> Iterable[Job]: ...

    @abc.abstractmethod
    def ended(self, ids: Collection[str], since: datetime.datetime | None) -> Iterable[Job]: ...

    @abc.abstractmethod
    def find(self, token: str) -> str: ...

    # -- changing ------------------------------------------------------------------------------------------

    def submit(self, spec: JobSpec, token: str) -> str:
        command = (self._path("qsub"), *options.common(spec, token), *self._options(spec))
        inside = (*INSIDE, spec.directory, *command) if spec.directory else command
        said = self._checked("qsub", self._run(*inside, given=options.script(spec))).decode(errors="replace")
        for line in reversed(said.splitlines()):
            if options.JOB_ID.fullmatch(line.strip()):
                return line.strip()
        raise Busy(f"qsub did not say which job it made: {said[:200].strip() or 'it said nothing'}.")

    def cancel(self, job_id: str) -> None:
        try:
            self._said("qdel", options.checked(job_id))
        except Gone:
            return  # it has ended

    def hold(self, job_id: str) -> None:
        self._said("qhold", "-h", "u", options.checked(job_id))

    def release(self, job_id: str) -> None:
        """One that has ended in between was released."""
        try:
            self._said("qrls", "-h", "u", options.checked(job_id))
        except Gone as error:
            if not any(words in error.message.lower() for words in failures.FINISHED):
                raise

    @abc.abstractmethod
    def _options(self, spec: JobSpec) -> Iterator[str]:
        """Resources, array and dependencies."""

    # -- asking --------------------------------------------------------------------------------------------

    def _said(self, command: str, *arguments: str) -> bytes:
        return self._checked(command, self._ask(command, *arguments))

    def _ask(self, command: str, *arguments: str) -> Answer:
        return self._run("env", UTC, self._path(command), *arguments)

    def _path(self, command: str) -> str:
        return f"{self.folder}/{command}" if self.folder else command

    def _run(self, *command: str, given: bytes = b"") -> Answer:
        if any("\0" in part for part in command):
            raise Rejected("There is a NUL character in what is to be said to PBS, which no command takes.")
        try:
            return self.shell.run(*command, given=given, timeout=self.timeout)
        except Busy as error:
            if type(error) is not Busy:
                raise
            raise Busy(f"{error.message} The server of PBS may not answer.", **error.facts) from error

    def _checked(self, command: str, answer: Answer) -> bytes:
        """What was said, unless the command failed, or says nothing but that something did."""
        if answer.code == failures.NOT_FOUND:
            raise failures.missing(command)
        if answer.code or (answer.error.strip() and not answer.output.strip()):
            raise self._failure(answer)
        return answer.output

    def _failure(self, answer: Answer) -> DriverError:
        return failures.failure(answer.error or answer.output.decode(errors="replace"), code=answer.code)
