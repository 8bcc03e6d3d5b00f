"""Verifying the credentials of schedulers and of the people there."""

import datetime

from django.db import transaction

from activity import lifecycle
from cloudmesh.errors import Refused
from hpc.backends.keys import generate_key
from hpc.models import Login, Scheduler
from hpc.sync import connect, schedule
from operations.engine import Done, Outcome, handles
from operations.models import CredentialState, Health, Operation

MINUTE = datetime.timedelta(minutes=1)


def _drop_pending(operation: Operation, reason: str) -> None:
    """Nothing of a credential that did not work is kept; nor of a scheduler that never worked."""
    scheduler: Scheduler | None = operation.target  # type: ignore[assignment]
    if scheduler is None:
        return
    if scheduler.credential:
        lifecycle.change(scheduler, verb="refused", pending="")
        return
    lifecycle.note(
        kind=Scheduler.KIND, verb="removed", topic=scheduler.topic, object_id=scheduler.pk, name=str(scheduler),
        project_id=scheduler.project_id, reason=reason,
    )  # fmt: skip
    scheduler.delete()


@handles("scheduler.verify", deadline=MINUTE, ended=_drop_pending, is_repeatable=False)
def verify_scheduler(operation: Operation) -> Outcome:
    """Reach the scheduler with the pending credential; only one that worked becomes its own."""
    scheduler: Scheduler | None = operation.target  # type: ignore[assignment]
    if scheduler is None:
        raise Refused("The scheduler was removed meanwhile.")
    if not scheduler.pending:
        return Done(step="verified already")
    facts = connect.pinned(scheduler, operation.params["facts"])
    whom = connect.try_pending(scheduler, facts)
    with transaction.atomic():
        lifecycle.transition(
            scheduler, CredentialState.ACTIVE, verb="verified", credential=scheduler.pending, pending="", facts=facts,
            credential_version=scheduler.credential_version + 1, product=whom[:120], health=Health.OK, health_reason="",
            failures=0, retry_at=None,
        )  # fmt: skip
        schedule.plan(scheduler)
    return Done(step=f"reached {whom}", result={"as": whom, "host_key": facts.get("host_key", "")})


def _login_ended(operation: Operation, reason: str) -> None:
    login: Login | None = operation.target  # type: ignore[assignment]
    if login is not None and login.credential and login.pending:
        lifecycle.change(login, verb="refused", pending="")


@handles("login.verify", deadline=MINUTE, ended=_login_ended)
def verify_login(operation: Operation) -> Outcome:
    """Reach the scheduler as somebody; what did not work yet is kept where the portal made the key itself."""
    login: Login | None = operation.target  # type: ignore[assignment]
    if login is None:
        raise Refused("The login was removed meanwhile.")
    whom = connect.try_login(login)
    sealed = login.pending or login.credential
    lifecycle.transition(
        login, CredentialState.ACTIVE, verb="verified", credential=sealed, pending="",
        credential_version=login.credential_version + 1,
    )  # fmt: skip
    return Done(step=f"reached {whom}", result={"as": whom})


def new_key() -> tuple[str, str]:
    """A key for somebody who has none: the private half and the public line."""
    return generate_key()
