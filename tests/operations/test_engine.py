"""The engine on a kind of its own: what a handler says, what comes of it, and who is next."""

import base64
import datetime
import json
import threading
import uuid
from collections.abc import Callable, Iterator

import pytest
import redis
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from accounts import services as accounts
from accounts.models import User
from cloudmesh.errors import Busy, Conflict, Rejected, Unreachable
from operations import engine, services
from operations.engine import Again, Done, Handling, Outcome, TakenOver
from operations.engine.lease import Lease
from operations.models import Operation, OperationState
from projects import services as projects
from projects.models import Project

pytestmark = pytest.mark.django_db(transaction=True)

Say = Callable[[Operation], Outcome]


class Script:
    """A handler that says what the test wants next, and remembers who asked."""

    def __init__(self) -> None:
        self.lines: list[Outcome | Exception | Say] = []
        self.asked: list[uuid.UUID] = []
        self.ended: list[str] = []
        self.undone = 0

    def run(self, operation: Operation) -> Outcome:
        self.asked.append(operation.pk)
        line = self.lines.pop(0) if self.lines else Done()
        if isinstance(line, Exception):
            raise line
        return line(operation) if callable(line) else line

    def cancel(self, operation: Operation) -> Outcome:
        self.undone += 1
        return Done(step="undone")

    def end(self, operation: Operation, reason: str) -> None:
        self.ended.append(f"{operation.state}: {reason}")


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    engine.HANDLING["test.wish"] = Handling(
        run=script.run,
        deadline=datetime.timedelta(minutes=5),
        cancel=script.cancel,
        ended=script.end,
        again=None,
        is_repeatable=True,
    )
    yield script
    del engine.HANDLING["test.wish"]


@pytest.fixture
def user() -> User:
    return accounts.create_user(username="gregor", email="gregor@example.org")


@pytest.fixture
def project(user: User) -> Project:
    return projects.create_project(name="fg82", lead=user)


def wish(user: User, project: Project, *, count: int = 1, lane: str = "lane", patience: str = "wait") -> Operation:
    """A wish about the project itself: any record can be a target."""
    return services.request(
        "test.wish", targets=[project] * count, project=project, actor=user, lanes=[lane] * count, patience=patience
    )


def now(operation: Operation) -> Operation:
    """The operation as it is, and due at once."""
    Operation.objects.filter(pk=operation.pk).update(not_before=timezone.now())
    return Operation.objects.get(pk=operation.pk)


def test_a_wish_is_run_to_its_end(script: Script, user: User, project: Project) -> None:
    script.lines = [Again(after=1, step="building", progress=40), Done(step="ready", result={"address": "10.0.0.1"})]
    operation = wish(user, project)
    engine.run(operation.pk)
    halfway = now(operation)
    assert (halfway.state, halfway.step, halfway.progress, halfway.lease_until) == ("running", "building", 40, None)
    engine.run(operation.pk)
    done = now(operation)
    assert (done.state, done.step, done.progress, done.result) == ("succeeded", "ready", 100, {"address": "10.0.0.1"})


def test_a_second_doorbell_does_nothing_twice(script: Script, user: User, project: Project) -> None:
    operation = wish(user, project)
    for _ in range(3):
        engine.run(operation.pk)
    assert script.asked == [operation.pk]


def test_a_wish_is_not_asked_before_its_time(script: Script, user: User, project: Project) -> None:
    script.lines = [Again(after=60, step="building")]
    operation = wish(user, project)
    engine.run(operation.pk)
    engine.run(operation.pk)
    assert len(script.asked) == 1


def test_two_workers_never_have_the_same_wish(script: Script, user: User, project: Project) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(_: Operation) -> Outcome:
        entered.set()
        assert leave.wait(10)
        return Done()

    script.lines = [slow]
    operation = wish(user, project)
    worker = threading.Thread(target=_run_and_close, args=[operation.pk])
    worker.start()
    assert entered.wait(10)
    engine.run(operation.pk)
    leave.set()
    worker.join(10)
    assert len(script.asked) == 1
    assert now(operation).state == OperationState.SUCCEEDED


def test_a_dead_workers_wish_is_taken_over(script: Script, user: User, project: Project) -> None:
    operation = wish(user, project)
    first = engine.claim(operation.pk)
    assert first is not None
    assert engine.claim(operation.pk) is None
    Operation.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    engine.run(operation.pk)
    assert now(operation).state == OperationState.SUCCEEDED
    engine._settle(first, Done(step="too late"))
    assert now(operation).step == "done"


def test_a_worker_that_was_silent_for_too_long_is_told_before_it_does_anything(
    script: Script, user: User, project: Project
) -> None:
    operation = wish(user, project)
    silent = engine.claim(operation.pk)
    assert silent
    engine.confirm(silent)
    Operation.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    script.lines = [Again(after=60, step="building")]
    engine.run(operation.pk)
    for late in (engine.confirm, lambda wish: engine.report(wish, step="asked", progress=1)):
        with pytest.raises(TakenOver):
            late(silent)
    assert (now(operation).step, now(operation).lease_until) == ("building", None)


def test_a_lease_is_renewed_while_it_is_held_and_not_once_it_is_given_back(
    script: Script, user: User, project: Project
) -> None:
    operation = engine.claim(wish(user, project).pk)
    assert operation
    held = Lease(engine._mine(operation), "lease_until")
    Operation.objects.update(lease_until=timezone.now())
    held.renew()
    renewed = now(operation).lease_until
    assert renewed
    assert renewed > timezone.now()
    engine._settle(operation, Again(after=60, step="building"))
    held.renew()
    assert now(operation).lease_until is None


def test_busy_is_asked_again_and_tells_why(script: Script, user: User, project: Project) -> None:
    script.lines = [Busy("429 Too Many Requests"), Done()]
    operation = wish(user, project)
    engine.run(operation.pk)
    waiting = now(operation)
    assert (waiting.state, waiting.state_reason, waiting.troubles) == ("running", "429 Too Many Requests", 1)
    engine.run(operation.pk)
    assert now(operation).state == OperationState.SUCCEEDED


def test_a_database_that_goes_away_during_an_attempt_fails_no_wish(
    script: Script, user: User, project: Project
) -> None:
    script.lines = [OperationalError("terminating connection due to administrator command"), Done()]
    operation = wish(user, project)
    engine.run(operation.pk)
    assert now(operation).state == OperationState.RUNNING
    engine.run(operation.pk)
    assert now(operation).state == OperationState.SUCCEEDED


def test_busy_beyond_the_deadline_fails_with_the_last_word(script: Script, user: User, project: Project) -> None:
    script.lines = [Busy("503 Service Unavailable")]
    operation = wish(user, project)
    Operation.objects.update(deadline_at=timezone.now())
    engine.run(operation.pk)
    failed = now(operation)
    assert failed.state == OperationState.FAILED
    assert "503 Service Unavailable" in failed.state_reason


def test_anything_else_fails_in_the_providers_words(script: Script, user: User, project: Project) -> None:
    script.lines = [Rejected("No valid host was found.", code=500)]
    operation = wish(user, project)
    engine.run(operation.pk)
    failed = now(operation)
    assert (failed.state, failed.state_reason) == (OperationState.FAILED, "No valid host was found.")
    assert failed.result == {"error": "Rejected", "code": 500}
    assert script.ended == ["failed: No valid host was found."]


def test_a_bug_in_a_handler_ends_its_wish_and_shows_nothing_inside(
    script: Script, user: User, project: Project
) -> None:
    script.lines = [KeyError("the admin password")]
    operation = wish(user, project)
    engine.run(operation.pk)
    failed = now(operation)
    assert failed.state == OperationState.FAILED
    assert "password" not in failed.state_reason


@pytest.mark.parametrize(("patience", "state"), [("wait", "running"), ("fail", "failed")])
def test_an_unreachable_back_end_is_waited_for_or_not_as_the_user_chose(
    script: Script, user: User, project: Project, patience: str, state: str
) -> None:
    script.lines = [Unreachable("Connection refused")]
    operation = wish(user, project, patience=patience)
    engine.run(operation.pk)
    assert now(operation).state == state


def test_cancelling_what_was_not_begun_ends_it_at_once(script: Script, user: User, project: Project) -> None:
    operation = wish(user, project)
    services.cancel(actor=user, operation=operation)
    engine.run(operation.pk)
    assert now(operation).state == OperationState.CANCELLED
    assert not script.asked
    with pytest.raises(Conflict, match="cancelled already"):
        services.cancel(actor=user, operation=operation)


def test_cancelling_what_runs_undoes_it(script: Script, user: User, project: Project) -> None:
    script.lines = [Again(after=60, step="building")]
    operation = wish(user, project)
    engine.run(operation.pk)
    services.cancel(actor=user, operation=now(operation))
    engine.run(operation.pk)
    assert (script.undone, now(operation).state) == (1, OperationState.CANCELLED)


def test_a_wish_to_cancel_that_comes_during_an_attempt_is_heard_after_it(
    script: Script, user: User, project: Project
) -> None:
    def cancelled_meanwhile(operation: Operation) -> Outcome:
        services.cancel(actor=user, operation=now(operation))
        return Done()

    script.lines = [cancelled_meanwhile]
    operation = wish(user, project)
    engine.run(operation.pk)
    assert now(operation).state == OperationState.RUNNING
    engine.run(operation.pk)
    assert (script.undone, now(operation).state) == (1, OperationState.CANCELLED)


def test_a_batch_ends_with_its_last_child_and_counts(script: Script, user: User, project: Project) -> None:
    script.lines = [Done(), Rejected("no"), Done()]
    batch = wish(user, project, count=3)
    for child in batch.children.all():
        engine.run(child.pk)
    ended = now(batch)
    assert (ended.state, ended.step, ended.progress) == (OperationState.FAILED, "2 of 3 done", 100)
    assert ended.state_reason == "1 of 3 failed; open each to see why."
    services.retry(actor=user, operation=ended)
    engine.run(batch.children.get(state="queued").pk)
    assert now(batch).state == OperationState.SUCCEEDED


def test_cancelling_a_batch_cancels_what_is_open_in_it(script: Script, user: User, project: Project) -> None:
    batch = wish(user, project, count=3)
    engine.run(batch.children.last().pk)  # type: ignore[union-attr]
    services.cancel(actor=user, operation=now(batch))
    assert sorted(batch.children.values_list("state", flat=True)) == ["cancelled", "cancelled", "succeeded"]
    assert now(batch).state == OperationState.SUCCEEDED


def test_projects_take_turns(script: Script, user: User, project: Project) -> None:
    other = projects.create_project(name="fg355", lead=user)
    many, one = wish(user, project, count=5), wish(user, other)
    for _ in range(2):
        engine.run(many.children.first().pk)  # type: ignore[union-attr]
    assert script.asked[1] == one.pk


def test_a_lane_runs_only_so_many_at_once(script: Script, user: User, project: Project) -> None:
    batch = wish(user, project, count=engine.LANE_LIMIT + 1)
    elsewhere = wish(user, project, lane="another")
    ids = list(batch.children.values_list("pk", flat=True))
    claimed = [engine.claim(pk) for pk in ids]
    assert sum(1 for operation in claimed if operation) == engine.LANE_LIMIT
    assert engine.claim(elsewhere.pk) is not None


def test_a_batch_stands_in_line_with_as_many_doorbells_as_its_lane_answers(
    script: Script, user: User, project: Project
) -> None:
    queue = redis.Redis.from_url(settings.REDIS_URL)
    queue.delete("celery")
    wish(user, project, count=engine.LANE_LIMIT + 5)
    wish(user, project, lane="another")
    ours = {str(pk) for pk in Operation.objects.values_list("pk", flat=True)}
    rung = [json.loads(base64.b64decode(json.loads(each)["body"]))[0] for each in queue.lrange("celery", 0, -1)]
    assert len([pk for pk, *_ in rung if pk in ours]) == engine.LANE_LIMIT + 1


def test_whoever_is_silent_in_a_transaction_loses_its_locks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("30s",)


def test_the_sweep_rings_for_what_nobody_has_in_hand(script: Script, user: User, project: Project) -> None:
    wish(user, project, count=engine.LANE_LIMIT + 5)
    long_ago = timezone.now() - datetime.timedelta(minutes=1)
    Operation.objects.update(not_before=long_ago)
    assert engine.sweep() == engine.LANE_LIMIT
    Operation.objects.update(lease_until=timezone.now() + datetime.timedelta(minutes=1))
    assert engine.sweep() == 0


def test_pauses_grow_and_end_at_a_minute() -> None:
    assert engine.backoff(0) <= 1.0
    assert 4.0 <= engine.backoff(3) <= 8.0
    assert 30.0 <= engine.backoff(50) <= 60.0


def _run_and_close(pk: uuid.UUID) -> None:
    try:
        engine.run(pk)
    finally:
        connection.close()
