"""The commands of OAR 2.5 at a login node.

oarstat answers nothing at all, and exit code 0, where it has no job to tell of, and as well where its question went
wrong: each question asks for the newest job too, so that nothing is an answer only of an OAR without any job.
oarsub, oardel and oarhold wait without an end for a database that is away; oarstat fails at once.
"""

import datetime
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson

from cloudmesh.errors import Busy, Gone, Rejected
from cloudmesh.types import JobSpec, Json
from hpc.drivers import Answer, Shell
from hpc.drivers.oar import failures, options, records

ENDED = "state IN ('Terminated', 'Error')"
NEWEST = "job_id = (SELECT MAX(job_id) FROM jobs)"
OURS = f"command LIKE '%/{options.FOLDER}/%-%'"  # tasks of arrays from here
MADE = re.compile(r"^OAR_JOB_ID=([0-9]+)$", re.MULTILINE)
HOME = re.compile(r"/[\w./@+-]+", re.ASCII)
#: A fixed script: the name of the file is its argument, the content its input. It says where home is.
KEEP = (
    "sh",
    "-c",
    f'umask 077 && mkdir -p {options.FOLDER} && cat >{options.FOLDER}/"$1" && chmod 700 {options.FOLDER}/"$1" && pwd',
    "sh",
)
#: How a shell, or what starts a command, says that it is not there or not for us.
CLOSED = (126, 127)
MOST_IDS = 500  # in one question
WAITED = 30 * 86400  # seconds that a job may wait before it is cancelled
SERVER_AWAY = 9  # of oarsub; the job is made all the same


class Commands:
    """Documents come as OAR has them; by `records` they become ours."""

    def __init__(self, credential: Mapping[str, str], shell: Shell, timeout: float) -> None:
        self.shell = shell
        self.timeout = timeout
        self.folder = credential.get("bin", "").rstrip("/")
        self.core = credential.get("core") or "core"
        self.names = (credential.get("queues") or "default besteffort").replace(",", " ").split()

    # -- reading -------------------------------------------------------------------------------------------

    def version(self) -> str:
        """`2.5.9 (Canicule)`; also asks the database something."""
        said = self._said("oarstat", "--version")
        self.states()
        return said.partition(":")[2].strip()

    def states(self) -> dict[str, Any]:
        return self._document("oarnodes", "--state")

    def resources(self) -> list[Json]:
        return list(self._document("oarnodes").values())

    def queues(self) -> list[Json]:
        """Names, states and priorities; only oar's own group is told, for others the names are those registered."""
        answer = self._run("oarnotify", "--list-queues")
        if answer.code in CLOSED or "permission denied" in answer.error.lower():
            return [{"name": name} for name in self.names]
        return list(_queues(self._checked("oarnotify", answer)))

    def live(self) -> list[Json]:
        return self._jobs(f"NOT {ENDED}", "--full")

    def known(self, ids: Collection[str]) -> list[Json]:
        """Jobs in whatever state, the tasks of an array with it."""
        ordered = sorted(filter(options.JOB_ID.fullmatch, set(ids)))
        parts = [ordered[begin : begin + MOST_IDS] for begin in range(0, len(ordered), MOST_IDS)]
        return [native for part in parts for native in self._jobs(_among(part), "--full")]

    def ended(self, since: datetime.datetime | None) -> list[Json]:
        """One that never ran has no time of its end: all of these come that were submitted in `WAITED` before."""
        if since is None:
            return self._jobs(ENDED, "--full")
        after = int(since.timestamp())
        never = f"stop_time = 0 AND submission_time >= {after - WAITED}"
        return self._jobs(f"{ENDED} AND (stop_time >= {after} OR ({never}))", "--full")

    def find(self, token: str) -> str:
        if not options.TOKEN.fullmatch(token):
            return ""
        path = f"%/{options.FOLDER}/{token}"
        found = self._jobs(f"command LIKE '{path}' OR command LIKE '{path}-%'")
        return str(min((native["array_id"] for native in found if records.token_of(native) == token), default=""))

    # -- changing ------------------------------------------------------------------------------------------

    def submit(self, spec: JobSpec, token: str) -> str:
        """Asks first whether the database is there: a job that we gave up would else come once it is again."""
        given, name = options.script(spec), options.script_name(spec, token)
        wished = list(options.wished(spec, self.core, self._before(spec)))
        home = self._checked("sh", self._shell(*KEEP, name, given=given)).strip()
        if not HOME.fullmatch(home):
            raise Rejected(
                f"OAR takes no scripts from a home such as {home[:80]!r}: it has odd letters.", field="login"
            )
        options.checked_directory(spec.directory)
        place = f"--directory={spec.directory or home}"
        answer = self._run("oarsub", "--scanscript", *wished, place, f"{home}/{options.FOLDER}/{name}")
        made = MADE.search(answer.output.decode(errors="replace"))
        if made and answer.code in (0, SERVER_AWAY):
            return made[1]
        self._checked("oarsub", answer)
        raise failures.torn("oarsub", answer.output.decode(errors="replace"))

    def cancel(self, job_id: str) -> None:
        """It is also no error that it ends already."""
        answer = self._run("oardel", f"--sql=({_one(job_id)}) AND NOT {ENDED}")
        said = f"{answer.error}\n{answer.output.decode(errors='replace')}"
        if answer.code and not (failures.KILLED_ALREADY in said and failures.NOT_YOURS not in said):
            raise failures.failure(answer.error or said, code=answer.code)

    def hold(self, job_id: str) -> None:
        if self._asked("oarhold", job_id):
            return
        states = {native["state"] for native in self.known([job_id])} - records.FINAL
        if states - {"Hold"} or not states:
            raise Rejected("Only a job that waits can be held; this one has begun or ended.")

    def release(self, job_id: str) -> None:
        """One that is not held goes on anyway."""
        self._asked("oarresume", job_id)

    def _asked(self, command: str, job_id: str) -> bool:
        """Whether all was in the state for it; raises Gone, Rejected where it is somebody else's."""
        answer = self._run(command, f"--sql={_one(job_id)}")
        if answer.code == failures.NOT_FOUND:
            raise failures.missing(command)
        said = answer.error.strip()
        if not said and not answer.output.strip():
            raise Gone(f"OAR knows no job {job_id}.")
        wrong = [line for line in said.splitlines() if not any(words in line for words in failures.OTHERWISE)]
        if wrong:
            raise failures.failure("\n".join(wrong), code=answer.code)
        return not said

    def _before(self, spec: JobSpec) -> list[int]:
        """The numbers of the jobs it is to wait for: of an array all its tasks."""
        for job_id in spec.after:
            options.identified(job_id)
        found = self._jobs(_among(spec.after) if spec.after else "job_id = 0")
        known = {name for native in found for name in (records.identity(native), str(native["array_id"]))}
        if missing := set(spec.after) - known - {str(native["Job_Id"]) for native in found}:
            raise Gone(f"There is no job {min(missing)} to wait for.", field="after")
        return sorted(native["Job_Id"] for native in found if _is_among(native, spec.after))

    # -- asking --------------------------------------------------------------------------------------------

    def _jobs(self, where: str, *options_: str) -> list[Json]:
        """Those that fit, and the newest one."""
        found = self._document("oarstat", *options_, f"--sql=({where}) OR {NEWEST}")
        if not found and not self.states():
            raise Busy("oarstat told nothing, and oarnodes neither: OAR's database may not answer.")
        return list(found.values())

    def _document(self, command: str, *arguments: str) -> dict[str, Any]:
        said = self._said(command, "--json", *arguments)
        if not said.strip():
            return {}
        try:
            found = orjson.loads(said)
        except orjson.JSONDecodeError as error:
            raise failures.torn(command, said) from error
        if not isinstance(found, dict):
            raise failures.torn(command, said)
        return found

    def _said(self, command: str, *arguments: str) -> str:
        return self._checked(command, self._run(command, *arguments))

    def _run(self, command: str, *arguments: str) -> Answer:
        return self._shell(f"{self.folder}/{command}" if self.folder else command, *arguments)

    def _shell(self, *command: str, given: bytes = b"") -> Answer:
        if any("\0" in part for part in command):
            raise Rejected("There is a NUL character in what is to be said to OAR, which no command takes.")
        try:
            return self.shell.run(*command, given=given, timeout=self.timeout)
        except Busy as error:
            if type(error) is not Busy:
                raise
            raise Busy(f"{error.message} OAR's database may not answer.", **error.facts) from error

    def _checked(self, command: str, answer: Answer) -> str:
        """What was said, unless the command failed, or says nothing but that something did."""
        if answer.code == failures.NOT_FOUND:
            raise failures.missing(command)
        said = _text(answer.output)
        if answer.code or (answer.error.strip() and not said.strip()):
            raise failures.failure(answer.error or said, code=answer.code)
        return said


def _text(output: bytes) -> str:
    """Perl writes Latin-1 as long as it fits, and UTF-8 when it does not."""
    try:
        return output.decode()
    except UnicodeDecodeError:
        return output.decode("latin-1")


def _one(job_id: str) -> str:
    options.identified(job_id)
    return _among([job_id])


def _among(ids: Collection[str]) -> str:
    """In SQL, of nothing but digits."""
    pairs = [options.identified(job_id) for job_id in ids]
    plain = ", ".join(str(number) for number, task in pairs if not task)
    parts = [f"job_id IN ({plain})", f"(array_id IN ({plain}) AND {OURS})"] if plain else []
    parts += [f"(array_id = {number} AND array_index = {task} AND {OURS})" for number, task in pairs if task]
    return " OR ".join(parts)


def _is_among(native: Json, ids: Collection[str]) -> bool:
    names = {records.identity(native), str(native["Job_Id"])}
    return bool(names & set(ids)) or bool(records.tasks_of(native) and str(native["array_id"]) in ids)


def _queues(said: str) -> Iterator[Json]:
    """A name, and below it what it has, as `key = value` after a tab."""
    queue: dict[str, Any] = {}
    for line in said.splitlines():
        if not line.startswith("\t") and line.strip():
            if queue:
                yield queue
            queue = {"name": line.strip()}
        elif " = " in line and queue:
            key, _, value = line.strip().partition(" = ")
            queue[key] = value
    if queue:
        yield queue
