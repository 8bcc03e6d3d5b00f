"""Accounts that end by themselves."""

import uuid

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from accounts.lifecycle import move
from accounts.models import AccountState, User
from accounts.tasks.mail import post_mail

PORTION = 200  # accounts in one go


@shared_task(name="accounts.tasks.expire_accounts")
def expire_accounts() -> None:
    """End the accounts whose day has come, and tell their users."""
    due = User.objects.filter(state=AccountState.ACTIVE, expires_at__lte=timezone.now())
    for pk in list(due.values_list("pk", flat=True)[:PORTION]):
        _expire(pk)


@transaction.atomic
def _expire(pk: uuid.UUID) -> None:
    due = User.objects.select_for_update(no_key=True, skip_locked=True)
    user = due.filter(pk=pk, state=AccountState.ACTIVE, expires_at__lte=timezone.now()).first()
    if user is None:
        return
    move(user, AccountState.EXPIRED, reason="The account ended on the day that was set for it.")
    context = {
        "name": user.full_name,
        "username": user.username,
        "state": "expired",
        "reason": user.state_reason,
        "advice": "Your things are kept. Ask the portal's staff if you need the account longer.",
    }
    post_mail(to=user.email, template="account_state", context=context)
