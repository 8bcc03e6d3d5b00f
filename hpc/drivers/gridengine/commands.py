"""The commands of Grid Engine at a login node. Times come without a zone, so that commands are asked in UTC."""

import datetime
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from cloudmesh.errors import Busy, DriverError, Rejected
from hpc.drivers import Answer, Shell
from hpc.drivers.gridengine import answers, failures, jobs

#: The folder must be there: else the job would wait, broken. A fixed script: folder and command are its arguments.
INSIDE = ("sh", "-c", 'cd -- "$1" && shift && exec "$@"', "sh")
FIXED = ("env", "TZ=UTC", "SGE_SINGLE_LINE=1")
EVERYBODY = ("-u", "*")
LIVE, ALL = "prs", "prsz"  # states of `qstat -s`: waiting, running, suspended, and what is no more
FLUSHED = "accounting_flush_time=00:00:00"


class Commands:
    def __init__(self, credential: Mapping[str, str], shell: Shell, timeout: float) -> None:
        self.shell = shell
        self.timeout = timeout
        self.folder = credential.get("bin", "").rstrip("/")

    # -- reading -------------------------------------------------------------------------------------------

    def version(self) -> str:
        """The first line of what qstat says of itself: `SGE 8.1.9`."""
        answer = self._ask("qstat", "-help")
        if answer.code == failures.NOT_FOUND:
            raise failures.missing("qstat")
        first = (answer.output.decode(errors="replace") or answer.error).strip().partition("\n")[0]
        return first.rpartition(" ")[2] if " " in first else first

    def queue_names(self) -> list[str]:
        return self._said("qconf", "-sql").decode(errors="replace").split()

    def queues(self) -> Iterator[dict[str, str]]:
        return answers.configurations(self._said("qconf", "-sq", "*"), "qname")

    def hosts(self) -> Element:
        return answers.tree(self._said("qhost", "-xml", "-q", "-j", "-F"), "qhost")

    def listed(self, states: str = LIVE) -> list[jobs.Listed]:
        said = self._said("qstat", "-xml", *EVERYBODY, "-r", "-g", "t", "-s", states)
        return jobs.listed(answers.tree(said, "job_info"))

    def details(self) -> jobs.Details:
        return jobs.Details(answers.tree(self._said("qstat", "-xml", "-j", "*"), "detailed_job_info", answers.UNKNOWN))

    def accounted(self, *options: str) -> list[dict[str, str]]:
        answer = self._ask("qacct", *options)
        if answer.code and any(words in answer.error for words in failures.NO_ACCOUNT):
            return []
        return list(answers.blocks(self._checked("qacct", answer)))

    def accounted_since(self, since: datetime.datetime) -> list[dict[str, str]]:
        """What ended since then (`-E`, from 8.1.7 on)."""
        return self.accounted("-E", "-b", since.astimezone(datetime.UTC).strftime("%Y%m%d%H%M.%S"), "-j")

    def is_accounted_at_once(self) -> bool:
        """Whether accounting is written when a job ends, not some seconds after."""
        return FLUSHED in self._said("qconf", "-sconf").decode(errors="replace")

    # -- changing ------------------------------------------------------------------------------------------

    def qsub(self, directory: str, *options: str, given: bytes) -> bytes:
        inside = (*INSIDE, directory) if directory else ()
        answer = self._run(*inside, *FIXED, self._path("qsub"), *options, given=given)
        return self._checked("qsub", answer)

    def change(self, command: str, job_id: str) -> None:
        self._said(command, job_id)

    # -- asking --------------------------------------------------------------------------------------------

    def _said(self, command: str, *arguments: str) -> bytes:
        return self._checked(command, self._ask(command, *arguments))

    def _ask(self, command: str, *arguments: str) -> Answer:
        return self._run(*FIXED, self._path(command), *arguments)

    def _path(self, command: str) -> str:
        return f"{self.folder}/{command}" if self.folder else command

    def _run(self, *command: str, given: bytes = b"") -> Answer:
        if any("\0" in part for part in command):
            raise Rejected("There is a NUL character in what is to be said to Grid Engine, which no command takes.")
        try:
            return self.shell.run(*command, given=given, timeout=self.timeout)
        except Busy as error:
            if type(error) is not Busy:
                raise
            raise Busy(f"{error.message} The qmaster of Grid Engine may not answer.", **error.facts) from error

    def _checked(self, command: str, answer: Answer) -> bytes:
        """What was said, unless the command failed, or says nothing but that something did."""
        if answer.code == failures.NOT_FOUND:
            raise failures.missing(command)
        if answer.code or (answer.error.strip() and not answer.output.strip()):
            raise _failure(answer)
        return answer.output


def _failure(answer: Answer) -> DriverError:
    """qdel writes what is wrong to its output, beside noise to standard error."""
    output = answer.output[: failures.LONGEST_MESSAGE].decode(errors="replace")
    return failures.failure(f"{answer.error}\n{output}", code=answer.code)
