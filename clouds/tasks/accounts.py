"""Verifying the credentials of cloud accounts."""

import datetime

from django.db import transaction

from activity import lifecycle
from cloudmesh.errors import Refused
from clouds.models import Cloud, CloudAccount
from clouds.sync import connect, schedule
from operations.engine import Done, Outcome, handles
from operations.models import CredentialState, Health, Operation


def _drop_pending(operation: Operation, reason: str) -> None:
    """Nothing of a credential that did not work is kept; nor of an account that never worked."""
    account: CloudAccount | None = operation.target  # type: ignore[assignment]
    if account is None:
        return
    if account.credential:
        lifecycle.change(account, verb="refused", pending="")
        return
    cloud = account.cloud
    lifecycle.note(
        kind="cloud",
        verb="removed",
        topic=account.topic,
        object_id=account.pk,
        name=str(account),
        project_id=account.project_id,
        reason=reason,
    )
    account.delete()
    if cloud.owner_project_id and not cloud.accounts.exists():
        Cloud.objects.filter(pk=cloud.pk).delete()


@handles("cloud.verify", deadline=datetime.timedelta(seconds=60), ended=_drop_pending, is_repeatable=False)
def verify_account(operation: Operation) -> Outcome:
    """Log in with the pending credential; only one that worked becomes the account's."""
    account: CloudAccount | None = operation.target  # type: ignore[assignment]
    if account is None:
        raise Refused("The cloud was removed meanwhile.")
    if not account.pending:
        return Done(step="verified already")
    facts = operation.params["facts"]
    whom = connect.try_pending(account, facts)
    with transaction.atomic():
        lifecycle.transition(
            account,
            CredentialState.ACTIVE,
            verb="verified",
            credential=account.pending,
            pending="",
            facts=facts,
            credential_version=account.credential_version + 1,
            health=Health.OK,
            health_reason="",
            failures=0,
            retry_at=None,
        )
        schedule.plan(account)
    return Done(step=f"signed in as {whom}" if whom else "signed in", result={"as": whom})
