"""Jobs that are there, from `qstat` and `qstat -j`, as the records of `cloudmesh.types`.

qstat tells each node of a job on its own (`-g t`), the tasks of an array that wait as one, and each that runs.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree.ElementTree import Element

from cloudmesh.types import Job, JobState, Json
from hpc.drivers.gridengine import answers, values, words
from hpc.drivers.gridengine.options import PREFIX, Resources

COUNTS_UP = ("JAT_prio", "JAT_ntix", "binding", "queue_name", "master", "slots")
LEFT_OUT = ("JB_env_list", "JAT_scaled_usage_list", "JB_binding", "JB_nurg", "JB_version", "JAT_ntix", "JB_mail_list")
NO_QUEUE = frozenset("*?[!|&(")
ZOMBIE = "z"


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """A job, or a task of an array, as qstat has it."""

    id: str
    letters: str
    native: Json
    hosts: tuple[str, ...] = ()
    array: str = ""

    @property
    def number(self) -> str:
        return self.id.partition(".")[0]


def listed(document: Element) -> list[Listed]:
    """Each once: what several lines tell of one is put together."""
    found: dict[str, list[Json]] = {}
    for element in document.iter("job_list"):
        native = {**answers.table(element), "place": element.get("state", "")}
        found.setdefault(_id(native), []).append(native)
    return [_gathered(job_id, natives) for job_id, natives in found.items()]


def _id(native: Json) -> str:
    task = native.get("tasks", "")
    own = task and native["place"] == "running"
    return f"{native['JB_job_number']}.{task}" if own else str(native["JB_job_number"])


def _gathered(job_id: str, natives: list[Json]) -> Listed:
    first = min(natives, key=lambda native: "h" in native.get("state", "") or native.get("master") == "SLAVE")
    hosts = [str(native.get("queue_name", "")).partition("@")[2] for native in natives]
    waits = "" if "." in job_id else values.ranges([native["tasks"] for native in natives if native.get("tasks")])
    return Listed(job_id, first.get("state", ""), first, tuple(dict.fromkeys(filter(None, hosts))), waits)


class Details:
    """What `qstat -j '*'` tells of jobs by their number, and why they wait."""

    def __init__(self, document: Element | None = None) -> None:
        self.jobs: dict[str, Json] = {}
        self.messages: dict[str, list[str]] = {}
        if document is None:
            return
        for element in document.iterfind("djob_info/element"):
            self.jobs[element.findtext("JB_job_number", "")] = answers.table(element, *LEFT_OUT)
        for message in document.iterfind("messages/element/SME_message_list/element"):
            text = message.findtext("MES_message", "")
            for number in message.iterfind("MES_job_number_list/*/ULNG_value"):
                self.messages.setdefault(number.text or "", []).append(text)

    def with_token(self, token: str) -> str:
        account = PREFIX + token
        return next((number for number, native in self.jobs.items() if native.get("JB_account") == account), "")


def jobs(found: Iterable[Listed], details: Details, names: Resources) -> Iterator[Job]:
    for each in found:
        more = details.jobs.get(each.number, {})
        yield _job(each, more, _reason(each, more, details.messages.get(each.number, [])), names)


def _job(listed: Listed, more: Json, reason: str, names: Resources) -> Job:
    native = listed.native
    state, has_begun = _state(listed), bool(listed.hosts)
    requests, cores = native.get("hard_request", {}), _cores(native)
    output, error = _outputs(listed, more)
    account = str(more.get("JB_account", ""))
    return Job(
        id=listed.id,
        name=_name(native),
        state=state,
        reason=reason,
        login=native.get("JB_owner", ""),
        queue=_queue(native),
        account=_text(more.get("JB_project")),
        token=account.removeprefix(PREFIX) if account.startswith(PREFIX) else "",
        nodes=len(listed.hosts) or int("requested_pe" not in native),
        cores=cores,
        gpus=values.number(requests.get(names.gpus)) or 0,
        memory=values.mebibytes(requests.get(names.memory)) * cores,
        walltime=values.seconds(requests.get("h_rt")),
        submitted=values.moment(more.get("JB_submission_time") or native.get("JB_submission_time")),
        started=values.moment(native.get("JAT_start_time")) if has_begun else None,
        hosts=listed.hosts,
        directory=_text(more.get("JB_cwd")),
        output=output,
        error=error,
        array=listed.array,
        dependency=_joined(native.get("predecessor_jobs_req")),
        native={**{name: value for name, value in native.items() if name not in COUNTS_UP}, "job": more},
    )


def _state(listed: Listed) -> JobState:
    """A hold for other jobs is told by the same letter as one by its owner."""
    state = words.job_state(listed.letters)
    waits = state is JobState.HELD and "E" not in listed.letters and listed.native.get("predecessor_jobs")
    return JobState.QUEUED if waits else state


def _reason(listed: Listed, more: Json, messages: list[str]) -> str:
    state = _state(listed)
    if "E" in listed.letters:
        return " ".join(filter(None, [words.BROKEN, _error(more)]))
    if state is JobState.SUSPENDED:
        return words.told(listed.letters, words.SUSPENDED)
    if state is JobState.HELD:
        return words.HELD
    if state is JobState.QUEUED and "h" in listed.letters:
        return words.DEPENDS
    return words.waits(messages) if state is JobState.QUEUED else ""


def _error(more: Json) -> str:
    """What a node said, after the time and the numbers of processes."""
    for tasks in _each(more.get("JB_ja_tasks")):
        for task in _each(tasks.get("ulong_sublist")):
            for message in _each(_table(task.get("JAT_message_list")).get("ulong_sublist")):
                said = _text(_table(message).get("QIM_message")).partition("]: ")[2].removeprefix("error: ")
                if said:
                    return f"Grid Engine says: {said.rstrip('.')}."
    return ""


def _cores(native: Json) -> int:
    granted = native.get("granted_pe") or native.get("requested_pe") or {}
    asked = next((values.number(str(value).partition("-")[0]) for value in granted.values()), None)
    return asked or values.number(native.get("slots")) or 1


def _queue(native: Json) -> str:
    """Where it runs, or where it shall; what is a pattern or a host's is none."""
    if on := str(native.get("queue_name") or ""):
        return on.partition("@")[0]
    asked = {str(each).partition("@")[0] for each in _each(native.get("hard_req_queue"))}
    return ",".join(sorted(name for name in asked if name and not NO_QUEUE & set(name)))


def _outputs(listed: Listed, more: Json) -> tuple[str, str]:
    name, directory = _name(listed.native), _text(more.get("JB_cwd"))
    number, _, task = listed.id.partition(".")
    meanings = {"$JOB_ID": number, "$JOB_NAME": name, "$USER": listed.native.get("JB_owner", "")}
    if task:
        meanings["$TASK_ID"] = task

    def path(field: str, letter: str) -> str:
        given = _text(_table(_table(more.get(field)).get("path_list")).get("PN_path"))
        if not given:
            return f"{directory}/{name}.{letter}{number}" + (f".{task}" if task else "") if directory else ""
        for sign, meaning in meanings.items():
            given = given.replace(sign, meaning)
        return given if given.startswith("/") or not directory else f"{directory}/{given}"

    output = path("JB_stdout_path_list", "o")
    return output, output if more.get("JB_merge_stderr") == "true" else path("JB_stderr_path_list", "e")


def _name(native: Json) -> str:
    return _text(native.get("full_job_name")) or _text(native.get("JB_name"))


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _joined(value: Any) -> str:
    return ",".join(map(str, _each(value)))


def _table(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
