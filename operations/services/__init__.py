"""Asking for things, and changing one's mind."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.utils import timezone

from accounts.models import NoticeKind, User
from accounts.services import notify
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, near
from cloudmesh.types import Json
from operations import engine
from operations.models import OPEN, Operation, OperationState, Patience, new_token
from projects import access
from projects.models import Project
from projects.policy import Decision, Effect
from projects.services import on_leave

#: What can be done about a wish that failed, by the kind of its error.
ADVICE = {
    "Refused": "Give a credential that works, on the page of the cloud or the cluster; then try again.",
    "Unreachable": "See on top of the page how the provider is; when it answers again, try again.",
    "Busy": "See on top of the page how the provider is; when it answers again, try again.",
    "Full": "The provider itself is full: delete something there, choose something smaller or another provider.",
    "Gone": "It is not at the provider any more; ask for a new one.",
    "Rejected": "Change what the provider's words name, and ask anew; or try again if they name nothing of yours.",
}
PENDING = (OperationState.WAITING, OperationState.QUEUED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperationFacts:
    """An operation and, for a batch, how many of its children are in which state."""

    operation: Operation
    counts: Mapping[str, int]
    result: Json = dataclasses.field(default_factory=dict)  # for whoever may read it

    @property
    def decision(self) -> Json | None:
        """What policies said, where somebody had to be asked."""
        decision: Json | None = self.operation.params.get("decision")
        return decision

    @property
    def next(self) -> str:
        """What can be done about it now; empty where nothing needs to be done."""
        return advice(self.operation)


def operation_facts(operations: Sequence[Operation]) -> list[OperationFacts]:
    """The facts of a page of operations, with one question to the database."""
    batches = [operation.pk for operation in operations if operation.is_batch]
    counts: dict[Any, dict[str, int]] = {pk: {} for pk in batches}
    children = Operation.objects.filter(parent__in=batches).order_by() if batches else Operation.objects.none()
    for parent, state, count in children.values_list("parent", "state").annotate(models.Count("pk")):
        counts[parent][state] = count
    return [OperationFacts(operation=operation, counts=counts.get(operation.pk, {})) for operation in operations]


def result_of(operation: Operation, *, actor: User) -> Json:
    """What came of a wish: for whoever asked alone, since it may be what others may not read; empty for them."""
    brought: Json = operation.result
    return dict(brought) if operation.owner_id == actor.pk else {}


def check_patience(if_down: str) -> None:
    """Raises Invalid for what is no Patience."""
    if if_down not in Patience.values:
        hint = near(if_down, Patience.values)
        raise Invalid(f"if_down is wait or fail, not {if_down[:40]!r}.{hint}", field="if_down")


@transaction.atomic
def request(
    kind: str,
    *,
    targets: Sequence[models.Model],
    project: Project,
    actor: User | None,
    lanes: Sequence[str],
    decision: Decision | None = None,
    params: Mapping[str, Any] | None = None,
    patience: str = Patience.WAIT,
    tokens: Sequence[str] = (),
) -> Operation:
    """Record a wish for each target, with a parent when there are several, and ring for it after commit.

    `lanes` are as many as targets, and so are `tokens` where the targets know theirs.
    """
    if actor is not None:
        access.hold(actor, project)
    ask = decision is not None and decision.effect is Effect.ASK
    told = {"decision": decision.facts()} if ask and decision else {}
    wish: dict[str, Any] = {
        "kind": kind,
        "project": project,
        "owner": actor,
        "state": OperationState.WAITING if ask else OperationState.QUEUED,
        "state_reason": " ".join(decision.reasons) if ask and decision else "",
        "params": {**(params or {}), **told},
        "patience": patience,
        "deadline_at": timezone.now() + engine.HANDLING[kind].deadline,
    }
    head: list[Operation] = []
    if len(targets) != 1:
        batch = Operation(**wish, lane="batch", is_batch=True)
        batch.target_name = f"{len(targets)} {targets[0]._meta.verbose_name_plural if targets else 'targets'}"
        head = lifecycle.begin([batch], actor=actor)
    children = [
        Operation(
            **wish,
            lane=lane,
            target_type=ContentType.objects.get_for_model(target),
            target_id=target.pk,
            target_name=str(target),
            parent=head[0] if head else None,
            token=token,
        )
        for target, lane, token in zip(targets, lanes, tokens or [new_token() for _ in targets], strict=True)
    ]
    lifecycle.begin(children, actor=actor)
    wished = (head or children)[0]
    if ask:
        _tell_approvers(wished, wished.state_reason)
    else:
        transaction.on_commit(lambda: engine.ring_first(children), robust=True)
    return wished


def cancel(*, actor: User, operation: Operation) -> Operation:
    """Take a wish back: at once while nothing ran, else what was done is undone. Raises NotAllowed, Conflict."""
    access.require(actor, "operation.cancel", operation.project, owner_id=operation.owner_id)
    if operation.state not in OPEN:
        raise Conflict(f"{operation} is {operation.state} already; there is nothing to cancel.")
    for child in operation.children.filter(state__in=OPEN) if operation.is_batch else [operation]:
        _cancel_one(child, actor)
    operation.refresh_from_db()
    return operation


@on_leave
def cancel_pending(project: Project, user: User, actor: User | None) -> None:
    """Take back what somebody who leaves `project` asked for there and nothing has been done about yet."""
    theirs = Operation.objects.filter(project=project, owner=user, state__in=PENDING, is_batch=False)
    for operation in theirs.order_by("pk"):
        _cancel_one(operation, actor, reason=f"{user} does not work in {project} any more")


@transaction.atomic
def _cancel_one(
    operation: Operation, actor: User | None, *, reason: str = "cancelled before anything was done"
) -> None:
    current = Operation.objects.select_for_update(no_key=True).get(pk=operation.pk)
    if current.state in PENDING:
        engine.end(current, OperationState.CANCELLED, actor=actor, reason=reason)
    elif current.state == OperationState.RUNNING and current.cancel_requested_at is None:
        now = timezone.now()
        lifecycle.change(
            current, actor=actor, verb="cancelling", cancel_requested_at=now, not_before=now, step="cancelling"
        )
        transaction.on_commit(lambda: engine.ring([current.pk]), robust=True)


def advice(operation: Operation) -> str:
    """The next step of a wish that waits for somebody or was not fulfilled."""
    if operation.state == OperationState.WAITING:
        return str((operation.params.get("decision") or {}).get("next", "Somebody who may has to approve it."))
    if operation.state == OperationState.REJECTED:
        return "Ask anew with what the reason names, or talk to whoever decided."
    if operation.state != OperationState.FAILED:
        return ""
    if operation.is_batch:
        return "Open each part that failed to see why; trying again repeats those alone."
    again = "Try it again" if is_repeatable(operation) else "Ask anew"
    usual = f"{again}; if it fails in the same way, tell the portal's operators what stands here."
    return ADVICE.get(str(operation.result.get("error", "")), usual)


def is_repeatable(operation: Operation) -> bool:
    """Whether a wish failed in a way that trying it again as it is makes sense."""
    handling = engine.HANDLING.get(operation.kind)
    return operation.state == OperationState.FAILED and handling is not None and handling.is_repeatable


@transaction.atomic
def retry(*, actor: User, operation: Operation) -> Operation:
    """Try a failed wish once more, with the same token, so that nothing is made twice. Raises NotAllowed, Conflict."""
    access.require(actor, "operation.retry", operation.project, owner_id=operation.owner_id)
    if operation.kind in engine.HANDLING and not engine.HANDLING[operation.kind].is_repeatable:
        raise Conflict(f"{operation} cannot be tried again as it is: what it was asked with is not kept. Ask anew.")
    if operation.state != OperationState.FAILED:
        raise Conflict(f"{operation} is {operation.state}; only what failed can be tried again.", state=operation.state)
    children = operation.children.filter(state=OperationState.FAILED).order_by("pk")
    failed = list(children) if operation.is_batch else [operation]
    deadline = timezone.now() + engine.HANDLING[operation.kind].deadline
    for wish in failed:
        lifecycle.transition(
            wish, OperationState.QUEUED, actor=actor, verb="retried", troubles=0, step="", not_before=timezone.now(),
            deadline_at=deadline, finished_at=None, cancel_requested_at=None, result={},
        )  # fmt: skip
        handling = engine.HANDLING[wish.kind]
        if handling.again:
            handling.again(wish)
    if operation.is_batch:
        lifecycle.transition(operation, OperationState.RUNNING, actor=actor, verb="retried", finished_at=None)
    transaction.on_commit(lambda: engine.ring_first(failed), robust=True)
    return operation


@transaction.atomic
def approve(*, actor: User, operation: Operation) -> Operation:
    """Let a waiting wish go ahead; whoever made it may not approve it. Raises NotAllowed, Conflict."""
    waiting = _hold_waiting(actor, operation)
    wishes = [waiting, *waiting.children.filter(state=OperationState.WAITING).order_by("pk")]
    now = timezone.now()
    deadline = now + engine.HANDLING[waiting.kind].deadline
    for wish in wishes:
        lifecycle.transition(
            wish, OperationState.QUEUED, actor=actor, verb="approved", approved_by=actor, not_before=now,
            deadline_at=deadline,
        )  # fmt: skip
    transaction.on_commit(lambda: engine.ring_first(wish for wish in wishes if not wish.is_batch), robust=True)
    _tell_owner(waiting, f"{actor.username} approved {waiting}")
    return waiting


@transaction.atomic
def reject(*, actor: User, operation: Operation, reason: str) -> Operation:
    """Refuse a waiting wish with a reason. Raises NotAllowed, Conflict, Invalid."""
    if not reason.strip():
        raise Invalid("Say why, so that whoever asked knows what to do.", field="reason")
    waiting = _hold_waiting(actor, operation)
    for wish in [*waiting.children.filter(state=OperationState.WAITING).order_by("pk"), waiting]:
        lifecycle.transition(
            wish, OperationState.REJECTED, actor=actor, reason=reason.strip()[:1000], finished_at=timezone.now()
        )
        ended = engine.HANDLING[wish.kind].ended
        if ended and not wish.is_batch:
            ended(wish, reason)
    _tell_owner(waiting, f"{actor.username} rejected {waiting}", text=reason)
    return waiting


def approvers(project: Project, *, but: User | None) -> list[User]:
    """Who could approve a wish of somebody in `project`; administrators only where there is nobody else."""
    for holders in (access.holders(project, "operation.approve"), access.staff("wish.approve")):
        if others := [user for user in holders.order_by("username") if user != but]:
            return others
    return []


def waiting_for(actor: User) -> models.QuerySet[Operation]:
    """The wishes that `actor` may approve: in the projects where they have a say, and not their own."""
    places = access.places(actor, "operation.approve").values("pk")
    waiting = Operation.objects.filter(state=OperationState.WAITING, parent=None, project__in=places)
    return waiting.exclude(owner=actor.pk).select_related("project", "owner")


def _hold_waiting(actor: User, operation: Operation) -> Operation:
    """The wish as it is now, which nobody else decides about until the transaction ends."""
    current = Operation.objects.select_for_update(no_key=True).get(pk=operation.pk)
    access.require(actor, "operation.approve", current.project)
    if current.owner_id == actor.pk:
        raise Conflict("Whoever made a wish cannot decide about it; ask somebody else who may.")
    if current.parent_id:
        raise Conflict(f"{current} is a part of a batch; decide about the whole.", parent=str(current.parent_id))
    if current.state != OperationState.WAITING:
        raise Conflict(f"{current} is {current.state}; there is nothing to decide.", state=current.state)
    return current


def _tell_approvers(wish: Operation, reason: str) -> None:
    """Those who could approve it: not the one who made it."""
    others = approvers(wish.project, but=wish.owner)
    title = f"{wish.owner} asks for approval: {wish}"
    notify(others, kind=NoticeKind.APPROVAL, title=title, text=reason, url=_page(wish))


def _tell_owner(wish: Operation, title: str, *, text: str = "") -> None:
    if wish.owner:
        notify([wish.owner], kind=NoticeKind.APPROVAL, title=title, text=text, url=_page(wish))


def _page(wish: Operation) -> str:
    return f"/operations/{wish.pk}/"
