"""Runs each wish once at a time, whatever dies meanwhile.

PostgreSQL holds the truth; a Celery message is a doorbell with an id. A doorbell makes its worker claim the
wish whose project waited longest in that lane, so a batch of 500 does not hold up another project's one.
A claim is a lease: its worker renews it while the handler runs, and when it dies another takes the wish over.
"""

import dataclasses
import datetime
import itertools
import logging
import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import kombu.exceptions
from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from activity import lifecycle
from cloudmesh.errors import Busy, CloudmeshError, Unreachable
from operations.engine import failures, lease
from operations.models import OPEN, RUNNABLE, Operation, OperationState, Patience

LANE_LIMIT = 8  # concurrent requests to one back-end account
BACKOFF = (1.0, 60.0)  # seconds: the first and the longest pause after a failure
SLACK = 1.0  # seconds: what a doorbell may take before the sweep rings again

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Done:
    """The wish is fulfilled."""

    step: str = "done"
    result: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Again:
    """Asked, and to be asked again: the back-end works on it."""

    after: float  # seconds
    step: str
    progress: int | None = None


class TakenOver(CloudmeshError):
    """Another worker has the wish by now; whatever this one would do is not wanted any more."""


Outcome = Done | Again
Handler = Callable[[Operation], Outcome]
Ending = Callable[[Operation, str], None]
Beginning = Callable[[Operation], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Handling:
    """How operations of one kind are run, undone and ended."""

    run: Handler
    deadline: datetime.timedelta
    cancel: Handler | None  # undoes what a cancelled run may have done
    ended: Ending | None  # told in the same transaction that a wish failed, was cancelled or was rejected
    again: Beginning | None  # told in the same transaction that a failed wish is tried once more
    is_repeatable: bool  # whether a failed wish can be tried once more as it is


HANDLING: dict[str, Handling] = {}


def handles(
    kind: str,
    *,
    deadline: datetime.timedelta,
    cancel: Handler | None = None,
    ended: Ending | None = None,
    again: Beginning | None = None,
    is_repeatable: bool = True,
) -> Callable[[Handler], Handler]:
    """Register the handler of a kind of operation; used by the apps' `tasks`."""

    def register(run: Handler) -> Handler:
        HANDLING[kind] = Handling(
            run=run, deadline=deadline, cancel=cancel, ended=ended, again=again, is_repeatable=is_repeatable
        )
        return run

    return register


# -- doorbells -----------------------------------------------------------------------------------------------


def ring(ids: Iterable[uuid.UUID], *, after: float = 0) -> None:
    """Send a doorbell for each id; a lost one is sent again by `sweep`."""
    try:
        for pk in ids:
            current_app.send_task("operations.tasks.run", args=[str(pk)], countdown=after or None)
    except (kombu.exceptions.OperationalError, OSError) as error:
        log.warning("No doorbell, the sweep will ring: %s", error)


def ring_first(wishes: Iterable[Operation]) -> None:
    """Ring for new wishes, in each lane for as many as may run there at once: each that ends rings for the next.

    More would only stand in line before other lanes' doorbells.
    """
    first: defaultdict[str, list[uuid.UUID]] = defaultdict(list)
    for wish in wishes:
        if len(first[wish.lane]) < LANE_LIMIT:
            first[wish.lane].append(wish.pk)
    ring(itertools.chain.from_iterable(first.values()))


def sweep() -> int:
    """Ring for what is due and in nobody's hands; at most as many in a lane as may run there at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM (
                SELECT id, row_number() OVER (PARTITION BY lane ORDER BY not_before) AS place
                FROM operations_operation
                WHERE state = ANY(%s) AND NOT is_batch
                  AND not_before < statement_timestamp() - make_interval(secs => %s)
                  AND (lease_until IS NULL OR lease_until < statement_timestamp())
            ) AS due WHERE place <= %s
            """,
            [list(RUNNABLE), SLACK, LANE_LIMIT],
        )
        ids = [row[0] for row in cursor.fetchall()]
    ring(ids)
    return len(ids)


@transaction.atomic
def report(operation: Operation, *, step: str, progress: int, **changes: Any) -> None:
    """Say what a handler is about to do, or has just done, while it runs. Raises TakenOver."""
    confirm(operation)
    lifecycle.transition(
        operation, OperationState.RUNNING, verb="progress", step=step[:200], progress=progress, **changes
    )


def confirm(operation: Operation) -> None:
    """Have the whole length of a lease for what comes next and must not be done twice. Raises TakenOver."""
    if not _mine(operation).update(lease_until=Now() + lease.length()):
        raise TakenOver(f"{operation} was taken over by another worker, since this one was silent for too long.")


# -- running -------------------------------------------------------------------------------------------------


def run(operation_id: uuid.UUID | str) -> None:
    """Answer a doorbell: claim the next wish of its lane, do one attempt, write down what came of it."""
    operation = claim(operation_id)
    if operation is None:
        return
    with lease.held(_mine(operation), "lease_until"):
        outcome = _attempt(operation)
    _settle(operation, outcome)
    _ring_next(operation.lane)


@transaction.atomic
def claim(operation_id: uuid.UUID | str) -> Operation | None:
    """The due operation of the lane of `operation_id` whose project waited longest, leased to the caller."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lane, pg_advisory_xact_lock(hashtext(lane)) FROM operations_operation WHERE id = %s", [operation_id]
        )
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.execute(
            """
            WITH next AS (
                SELECT wish.id, wish.project_id FROM operations_operation AS wish
                LEFT JOIN operations_turn AS turn ON turn.lane = wish.lane AND turn.project_id = wish.project_id
                WHERE wish.lane = %(lane)s AND wish.state = ANY(%(runnable)s) AND NOT wish.is_batch
                  AND wish.not_before <= statement_timestamp()
                  AND (wish.lease_until IS NULL OR wish.lease_until < statement_timestamp())
                  AND (SELECT count(*) FROM operations_operation
                       WHERE lane = %(lane)s AND lease_until > statement_timestamp()) < %(limit)s
                ORDER BY turn.served_at NULLS FIRST, wish.not_before, wish.id
                LIMIT 1 FOR UPDATE OF wish SKIP LOCKED
            ), served AS (
                INSERT INTO operations_turn (lane, project_id, served_at)
                SELECT %(lane)s, project_id, clock_timestamp() FROM next
                ON CONFLICT (lane, project_id) DO UPDATE SET served_at = clock_timestamp()
            )
            UPDATE operations_operation AS wish
            SET lease_until = statement_timestamp() + make_interval(secs => %(lease)s), claim = %(claim)s,
                attempts = attempts + 1
            FROM next WHERE wish.id = next.id RETURNING wish.id
            """,
            {
                "lane": row[0],
                "runnable": list(RUNNABLE),
                "limit": LANE_LIMIT,
                "lease": settings.OPERATION_LEASE,
                "claim": uuid.uuid4(),
            },
        )
        found = cursor.fetchone()
    if found is None:
        return None
    operation = Operation.objects.select_related("project", "owner").get(pk=found[0])
    if operation.state == OperationState.QUEUED:
        lifecycle.transition(operation, OperationState.RUNNING, started_at=timezone.now())
    return operation


def _mine(operation: Operation) -> models.QuerySet[Operation]:
    """The row of an operation as long as nobody else has taken it over."""
    return Operation.objects.filter(pk=operation.pk, claim=operation.claim, state=OperationState.RUNNING)


def _attempt(operation: Operation) -> Outcome | CloudmeshError:
    handling = HANDLING.get(operation.kind)
    if handling is None:
        return CloudmeshError(f"No handler is registered for {operation.kind}: the worker is older than the portal.")
    cancelling = operation.cancel_requested_at is not None
    try:
        if not cancelling:
            return handling.run(operation)
        return handling.cancel(operation) if handling.cancel else Done(step="cancelled")
    except CloudmeshError as error:
        return error
    except (OperationalError, InterfaceError) as error:  # our own database went away; the wish is as good as before
        log.warning("The database failed during %s: %s", operation, error)
        connection.close_if_unusable_or_obsolete()
        return Busy("The portal's own database did not answer.")
    except Exception:  # a handler's bug ends its wish, not its worker
        log.exception("Handler of %s %s", operation.kind, operation.pk)
        return CloudmeshError(
            "The portal itself failed here. Its log has the details; try again or tell the operators."
        )


@transaction.atomic
def _settle(operation: Operation, outcome: Outcome | CloudmeshError) -> None:
    """Write down what an attempt brought, unless somebody else has taken the wish over meanwhile."""
    current = _mine(operation).select_for_update(no_key=True).first()
    if current is None:
        log.warning("%s was taken over; its late answer is dropped: %s", operation, outcome)
        return
    if current.cancel_requested_at and not operation.cancel_requested_at:
        _postpone(current, 0, step="cancelling")  # the wish to cancel came during this attempt
    elif isinstance(outcome, Done):
        _finish(current, outcome)
    elif isinstance(outcome, Again):
        if timezone.now() >= current.deadline_at:
            end(current, OperationState.FAILED, reason=_too_late(current, outcome.step))
        else:
            _postpone(current, outcome.after, step=outcome.step, progress=outcome.progress)
    else:
        _trouble(current, outcome)


def _finish(operation: Operation, outcome: Done) -> None:
    if operation.cancel_requested_at:
        end(operation, OperationState.CANCELLED, reason="cancelled on request", step=outcome.step)
    else:
        end(operation, OperationState.SUCCEEDED, step=outcome.step, progress=100, result=dict(outcome.result))


def _postpone(operation: Operation, after: float, *, step: str, progress: int | None = None) -> None:
    lifecycle.transition(
        operation,
        OperationState.RUNNING,
        verb="progress",
        step=step[:200],
        progress=operation.progress if progress is None else progress,
        troubles=0,
        lease_until=None,
        not_before=timezone.now() + datetime.timedelta(seconds=after),
    )
    transaction.on_commit(lambda: ring([operation.pk], after=after), robust=True)


def _trouble(operation: Operation, error: CloudmeshError) -> None:
    """Busy is asked again inside the deadline; anything else ends the wish in the provider's own words."""
    impatient = isinstance(error, Unreachable) and operation.patience == Patience.FAIL and not operation.step
    pause = backoff(operation.troubles)
    late = timezone.now() + datetime.timedelta(seconds=pause) >= operation.deadline_at
    if not isinstance(error, Busy) or late or impatient:
        reason = _too_late(operation, error.message) if isinstance(error, Busy) and late else error.message
        end(
            operation,
            OperationState.FAILED,
            reason=reason,
            result={"error": type(error).__name__, **_jsonable(error.facts)},
        )
        return
    lifecycle.transition(
        operation,
        OperationState.RUNNING,
        verb="waiting",
        reason=error.message,
        troubles=operation.troubles + 1,
        lease_until=None,
        not_before=timezone.now() + datetime.timedelta(seconds=pause),
    )
    transaction.on_commit(lambda: ring([operation.pk], after=pause), robust=True)


@transaction.atomic
def end(
    operation: Operation, state: str, *, reason: str = "", actor: lifecycle.Actor | None = None, **changes: Any
) -> None:
    """Bring an operation to an end state and tell its kind and its batch."""
    lifecycle.transition(
        operation, state, actor=actor, reason=reason, lease_until=None, finished_at=timezone.now(), **changes
    )
    handling = HANDLING.get(operation.kind)
    if state != OperationState.SUCCEEDED and handling and handling.ended:
        handling.ended(operation, reason)
    failures.tell_owner(operation)
    if operation.parent_id:
        _tell_batch(operation.parent_id)


def _tell_batch(parent_id: uuid.UUID) -> None:
    """Bring a batch up to date with its children; it ends with the last of them."""
    parent = Operation.objects.select_for_update(no_key=True).get(pk=parent_id)
    count = dict(parent.children.order_by().values_list("state").annotate(models.Count("pk")))
    total, open_ = sum(count.values()), sum(count.get(state, 0) for state in OPEN)
    good, bad = count.get(OperationState.SUCCEEDED, 0), count.get(OperationState.FAILED, 0)
    step, progress = f"{good} of {total} done", 100 * (total - open_) // total
    if open_:
        state = OperationState.RUNNING if parent.state != OperationState.WAITING else parent.state
        lifecycle.transition(parent, state, verb="progress", step=step, progress=progress)
        return
    state = OperationState.FAILED if bad else OperationState.SUCCEEDED if good else OperationState.CANCELLED
    reason = f"{bad} of {total} failed; open each to see why." if bad else ""
    lifecycle.transition(parent, state, reason=reason, step=step, progress=100, finished_at=timezone.now())
    failures.tell_owner(parent)


def _ring_next(lane: str) -> None:
    """A slot came free: ring once for the lane if somebody waits in it."""
    waiting = Operation.objects.filter(lane=lane, state__in=RUNNABLE, is_batch=False, not_before__lte=timezone.now())
    free = waiting.filter(lease_until=None).order_by("not_before").values_list("pk", flat=True).first()
    if free:
        ring([free])


def backoff(troubles: int) -> float:
    """Seconds to pause after so many failures in a row: doubling, with jitter against herds."""
    first, longest = BACKOFF
    return random.uniform(0.5, 1.0) * min(longest, first * 2.0 ** min(troubles, 10))  # noqa: S311


def _too_late(operation: Operation, last: str) -> str:
    minutes = round((operation.deadline_at - operation.created_at).total_seconds() / 60)
    return f"Not done within {minutes} min. The last word was: {last}"


def _jsonable(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if isinstance(value, str | int | float | list | None)}
