"""Promises about jobs to come: planned in one place, whether it is then submitted or only shown; nothing waits."""

import dataclasses
import functools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotFound, near
from cloudmesh.types import JobState
from hpc import quota as taking
from hpc.models import Cluster, Job, Queue
from hpc.services import experiments, logins
from hpc.sync import connect
from operations import services as operations
from operations.models import Operation, Patience, new_token
from projects import access, policy, quota
from projects.models import Project

SUBMITS, WAITS, REFUSED = "submits", "waits", "refused"
LARGEST_SCRIPT = 2**20  # bytes
MOST = {"nodes": 100_000, "tasks": 1_000_000, "cores": 10_000, "gpus": 1024, "memory": 2**31, "walltime": 366 * 86_400}
ARRAY = re.compile(r"\d{1,7}(-\d{1,7}(:\d{1,5})?)?(,\d{1,7}(-\d{1,7}(:\d{1,5})?)?)*(%\d{1,5})?\Z")
LONGEST_ARRAY = 100_000
MOST_AFTER = 1000
TEXTS = ("queue", "account", "qos")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+/-]{0,254}\Z")


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobPlan:
    """What a submission comes to: what it may use, what policies say of it and how it fits the quotas."""

    cluster: Cluster
    project: Project
    login: str  # as whom it would run
    spec: Mapping[str, Any]
    resources: Mapping[str, int]
    decision: policy.Decision
    rooms: Sequence[quota.Room]

    @property
    def refusal(self) -> str:
        """Why it would be refused; empty when it would not."""
        if self.decision.effect is policy.Effect.DENY:
            return " ".join(filter(None, (*self.decision.reasons, self.decision.next)))
        return next((quota.passed(room) for room in self.rooms if not room.fits), "")

    @property
    def outcome(self) -> str:
        if self.refusal:
            return REFUSED
        return WAITS if self.decision.effect is policy.Effect.ASK else SUBMITS

    @property
    def met(self) -> Sequence[quota.Room]:
        """The limits of what it takes."""
        return [room for room in self.rooms if room.wanted]


@transaction.atomic
def submit_job(
    *, actor: User, project: Project, cluster: Cluster, if_down: str = Patience.WAIT, **wanted: Any
) -> Operation:
    """Submit a job. `wanted` is what JobSpec has: script, name, queue, account, qos, nodes, tasks, cores (of each

    task), gpus and memory (MiB; both of each node), walltime (seconds), array, after (jobs), is_held; and experiment,
    whether it gets a numbered directory, files that go there, and command, what people call it.

    Raises NotAllowed, PolicyDenied, QuotaExceeded, Invalid, Conflict.
    """
    operations.check_patience(if_down)
    plan = _plan(actor, project, cluster, wanted, is_meant=True)
    decision = plan.decision.require()
    quota.check(plan.rooms)
    [job] = lifecycle.begin([_job(plan, actor)], actor=actor, verb="requested")
    files = wanted.get("files") or ()
    if wanted.get("experiment", True):
        experiments.add_experiment(job=job, actor=actor, command=str(wanted.get("command", "")), files=files)
    elif files:
        raise Invalid("Files go to the directory of an experiment; this job would have none.", field="files")
    return operations.request(
        "job.submit",
        targets=[job],
        tokens=[job.token],
        project=project,
        actor=actor,
        lanes=[cluster.scheduler.lane],
        decision=decision,
        params={name: plan.spec[name] for name in ("cores", "gpus", "memory", "after", "is_held")},
        patience=if_down,
    )


def plan_job(*, actor: User, project: Project, cluster: Cluster, **wanted: Any) -> JobPlan:
    """What `submit_job` would come to now; nothing is recorded. Raises what it would, but for what is told."""
    return _plan(actor, project, cluster, wanted)


def forecast_job(*, actor: User, project: Project, cluster: Cluster, **wanted: Any) -> Operation:
    """Ask the scheduler what would become of a job. Raises NotAllowed, Invalid, Conflict."""
    plan = _plan(actor, project, cluster, wanted)
    reason = connect.drivers.named(cluster.scheduler.driver).abilities.reason("forecast")
    if reason:
        raise Conflict(reason)
    return operations.request(
        "job.forecast",
        targets=[cluster],
        project=project,
        actor=actor,
        lanes=[cluster.scheduler.lane],
        params={"spec": {**plan.spec, "directory": "", "output": "", "error": ""}},
        patience=Patience.FAIL,
    )


# -- planning --------------------------------------------------------------------------------------------------


def _plan(
    actor: User, project: Project, cluster: Cluster, wanted: Mapping[str, Any], *, is_meant: bool = False
) -> JobPlan:
    access.require(actor, "job.submit", project)
    scheduler = cluster.scheduler
    if not scheduler.is_usable:
        what = scheduler.state if scheduler.is_enabled else "switched off"
        raise Conflict(f"The scheduler of {cluster} is {what}; nothing can be submitted there.")
    login = connect.acts_as(scheduler, logins.login_of(actor=actor, scheduler=scheduler))
    spec, queue = _checked(cluster, actor, wanted)
    if is_meant:
        quota.hold(project)
    taken = functools.cache(lambda: taking.taken_by(project))
    resources, scope = _resources(spec, _walltime(spec, queue)), scheduler.lane

    def used() -> policy.Used:
        here = taking.taken_by(project, cluster=cluster, queue=spec["queue"])
        return policy.Used(
            project=quota.amounts(here, resources, scope=scope),
            member=quota.amounts(here, resources, scope=scope, owner_id=actor.pk),
        )

    wish = policy.Wish(service=f"queue:{cluster.name}/{spec['queue']}", resources=resources, used=used)
    return JobPlan(
        cluster=cluster,
        project=project,
        login=login,
        spec=spec,
        resources=resources,
        decision=policy.decide(actor=actor, project=project, wish=wish),
        rooms=quota.rooms(project, member=actor, scope=scope, label=str(cluster), wanted=resources, taken=taken),
    )


def _checked(cluster: Cluster, actor: User, wanted: Mapping[str, Any]) -> tuple[dict[str, Any], Queue | None]:
    """What JobSpec wants, each value in its bounds, and the queue. Raises Invalid with the field."""
    script = str(wanted.get("script", ""))
    if not script.strip():
        raise Invalid("There is no script and no command to run.", field="script")
    if len(script.encode()) > LARGEST_SCRIPT:
        raise Invalid(f"A script has at most {LARGEST_SCRIPT} bytes. Put data into files.", field="script")
    own = connect.drivers.named(cluster.scheduler.driver).directives(script)  # counted by policies and quotas, too
    wanted = {**wanted, **{name: value for name, value in own.items() if not wanted.get(name)}}
    spec: dict[str, Any] = {name: _number_of(name, wanted.get(name)) for name in MOST}
    spec |= {name: _word(name, str(wanted.get(name) or "")) for name in TEXTS}
    queue = _queue(cluster, spec["queue"])
    spec["queue"] = queue.name if queue else spec["queue"]
    _check_fits(queue, spec)
    spec |= {
        "name": _name(str(wanted.get("name") or ""), actor),
        "script": script if script.startswith("#!") else f"#!/bin/bash\n{script}\n",
        "array": _array(str(wanted.get("array") or "")),
        "after": _after(cluster, actor, list(wanted.get("after") or ())),
        "is_held": bool(wanted.get("is_held")),
    }
    return spec, queue


def _queue(cluster: Cluster, name: str) -> Queue | None:
    """The queue of that name, or the one that jobs without a queue get; None while none was read yet."""
    queues = {queue.name: queue for queue in cluster.queues.defer("native")}
    if name and queues and name not in queues:
        raise Invalid(
            f"{cluster} has no queue {name[:60]!r}; there are: {', '.join(queues)}.{near(name, queues)}", field="queue"
        )
    usual = next((queue for queue in queues.values() if queue.is_default), None)
    return queues.get(name) or usual or next(iter(queues.values()), None)


def _check_fits(queue: Queue | None, spec: Mapping[str, Any]) -> None:
    if queue is None:
        return
    if queue.max_walltime and spec["walltime"] and spec["walltime"] > queue.max_walltime:
        raise Invalid(
            f"The queue {queue} allows {queue.max_walltime // 60} minutes at most, not {spec['walltime'] // 60}.",
            field="walltime",
        )
    if queue.max_nodes and spec["nodes"] > queue.max_nodes:
        raise Invalid(f"The queue {queue} allows {queue.max_nodes} nodes at most, not {spec['nodes']}.", field="nodes")


def _number_of(name: str, value: Any) -> int | None:
    """A whole number in its bounds; what is not said is one, or nothing."""
    usual = {"nodes": 1, "tasks": 1, "cores": 1, "walltime": None}.get(name, 0)
    if value in (None, ""):
        return usual
    if type(value) is not int or not (1 if usual != 0 else 0) <= value <= MOST[name]:
        raise Invalid(f"{name} is a whole number up to {MOST[name]}, not {str(value)[:40]!r}.", field=name)
    return value


def _word(name: str, value: str) -> str:
    if value and not WORD.match(value):
        raise Invalid(f"{value[:60]!r} cannot be a {name}.", field=name)
    return value


def _name(name: str, actor: User) -> str:
    """Any text without line breaks; the driver makes of it what its scheduler takes."""
    shown = " ".join(name.split())[:255]
    return shown or f"{actor.username}-job"


def _array(text: str) -> str:
    if text and not ARRAY.match(text):
        raise Invalid(f"{text[:60]!r} is no array: write 1-10, 1-10:2, 1,3,7 or 1-100%5.", field="array")
    if _tasks_of(text) > LONGEST_ARRAY:
        raise Invalid(f"An array has at most {LONGEST_ARRAY} tasks.", field="array")
    return text


def _after(cluster: Cluster, actor: User, ids: list[str]) -> list[str]:
    """The scheduler's ids of jobs that `actor` sees there. Raises NotFound."""
    seen = access.visible(Job, actor).filter(scheduler=cluster.scheduler_id, provider_id__in=ids[:MOST_AFTER])
    known = set(seen.values_list("provider_id", flat=True)) if ids else set()
    if unknown := [text for text in ids if text not in known]:
        raise NotFound(f"{cluster} has no job {', '.join(unknown)[:80]} that you may see.", field="after")
    return ids


def _tasks_of(array: str) -> int:
    count = 0
    for part in array.partition("%")[0].split(",") if array else ("1",):
        first, _, rest = part.partition("-")
        last, _, step = rest.partition(":")
        count += max(0, int(last or first) - int(first)) // max(1, int(step or 1)) + 1
    return count


def _walltime(spec: Mapping[str, Any], queue: Queue | None) -> int:
    """Seconds that it may run: where nothing is said, what the queue gives."""
    given = (queue.default_walltime or queue.max_walltime) if queue else None
    return spec["walltime"] or given or 0


def _resources(spec: Mapping[str, Any], walltime: int) -> dict[str, int]:
    """What it takes, as policies and quotas count it."""
    tasks = _tasks_of(spec["array"])
    cores = spec["tasks"] * spec["cores"] * tasks
    return {
        "jobs": tasks,
        "cores": cores,
        "nodes": spec["nodes"] * tasks,
        "walltime_hours": math.ceil(walltime / 3600),
        "core_hours": math.ceil(cores * walltime / 3600),
    }


def _job(plan: JobPlan, actor: User) -> Job:
    spec = plan.spec
    return Job(
        state=JobState.REQUESTED,
        scheduler=plan.cluster.scheduler,
        cluster=plan.cluster,
        project=plan.project,
        owner=actor,
        token=new_token(),
        login=plan.login,
        cores=plan.resources["cores"],
        **{name: spec[name] for name in ("name", "script", "nodes", "tasks", "gpus", "walltime", "array", *TEXTS)},
    )
