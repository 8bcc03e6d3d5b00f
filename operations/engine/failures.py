"""Telling people of wishes that failed: each wish once, a batch once as a whole."""

from django.urls import reverse

from accounts import services as accounts
from accounts.models import NoticeKind
from operations.models import Operation, OperationState


def tell_owner(operation: Operation) -> None:
    """Tell whoever made a wish that it failed; of a batch's children only the batch is told."""
    owner = operation.owner
    if operation.state != OperationState.FAILED or operation.parent_id or owner is None:
        return
    what = operation.kind.replace(".", " ").replace("_", " ")
    accounts.notify(
        [owner],
        kind=NoticeKind.OPERATION,
        title=f"{operation.target_name or operation.project}: {what} failed",
        text=operation.state_reason,
        url=reverse("operations:detail", args=[operation.pk]),
    )
