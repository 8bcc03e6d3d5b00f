"""Promises about clouds: registering, verifying, switching, forgetting."""

import re
import uuid
from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction

from accounts import secrets
from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid
from clouds.models import Cloud, CloudAccount
from clouds.sync import connect, schedule
from operations import services as operations
from operations.models import OPEN, CredentialState, Operation, Patience
from operations.services import credentials
from projects import access
from projects.lifecycle import end_spans
from projects.models import Project

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}\Z")


def drivers() -> Mapping[str, connect.Driver]:
    """The cloud drivers there are: label, fields and abilities are declared on each."""
    return connect.drivers.all


def driver_named(name: str) -> connect.Driver:
    """One of them. Raises Invalid."""
    return connect.drivers.named(name)


def check_name(name: str) -> None:
    """Raises Invalid for what no cloud can be called."""
    if not NAME.match(name):
        raise Invalid(
            f"{name[:40]!r} cannot be a cloud's name: use up to 40 lower-case letters, digits, dashes and underscores.",
            field="name",
        )


@transaction.atomic
def register_account(
    *,
    actor: User,
    project: Project,
    name: str,
    driver: str,
    credential: Mapping[str, str],
    label: str = "",
    shared: bool = False,
) -> tuple[CloudAccount, Operation]:
    """Register a cloud for a project; it becomes usable once an operation has logged in with the credential.

    A refused credential is not kept, and then nothing of the registration is. `shared` makes the cloud known to
    the whole portal, for administrators. Raises NotAllowed, Invalid, Conflict.
    """
    access.require(actor, "cloud.register", project)
    check_name(name)
    facts, plain = credentials.split(connect.drivers.named(driver).fields, credential)
    cloud = _cloud(actor, project, name, driver, label, shared)
    account = CloudAccount(
        cloud=cloud,
        project=project,
        owner=actor,
        state=CredentialState.VERIFYING,
        facts=facts,
        may_go_private=access.is_admin(actor),
    )
    account.pending = secrets.seal(secrets.ring(), plain, **account.place)
    try:
        with transaction.atomic():
            lifecycle.begin([account], actor=actor, verb="registered")
    except IntegrityError as error:
        raise Conflict(
            f"The project {project} has a cloud named {name} already. Choose another name, or remove that one.",
            field="name",
        ) from error
    return account, _verify(account, actor, facts)


@transaction.atomic
def replace_credential(*, actor: User, account: CloudAccount, credential: Mapping[str, str]) -> Operation:
    """Verify another credential; until it has worked the old one stays in use. Raises NotAllowed, Invalid."""
    access.permitted(account, actor=actor, permission="cloud.manage")
    facts, plain = credentials.split(connect.drivers.named(account.cloud.driver).fields, credential)
    pending = secrets.seal(secrets.ring(), plain, **account.place)
    lifecycle.change(account, actor=actor, verb="credential", pending=pending)
    return _verify(account, actor, facts)


def switch_account(*, actor: User, account: CloudAccount, on: bool) -> None:
    """Use a cloud, or leave it alone for a while. Raises NotAllowed."""
    access.permitted(account, actor=actor, permission="cloud.manage")
    lifecycle.change(account, actor=actor, verb="switched on" if on else "switched off", is_enabled=on)
    if on:
        schedule.hurry(account)


@transaction.atomic
def remove_account(*, actor: User, account: CloudAccount) -> None:
    """Forget a cloud and its credential; what runs there goes on running. Raises NotAllowed, Conflict."""
    access.permitted(account, actor=actor, permission="cloud.manage")
    if Operation.objects.filter(lane=account.lane, state__in=OPEN).exists():
        raise Conflict(f"Something is still being done on {account}. Wait for it or cancel it, then remove the cloud.")
    cloud = account.cloud
    lifecycle.note(
        kind="cloud",
        verb="removed",
        topic=account.topic,
        object_id=account.pk,
        name=str(account),
        project_id=account.project_id,
        actor=actor,
    )
    end_spans(account.lane)
    account.delete()
    if cloud.owner_project_id and not cloud.accounts.exists():
        cloud.delete()


def refresh_account(*, actor: User, account: CloudAccount) -> None:
    """Read everything of a cloud again, now. Raises NotAllowed, Conflict."""
    access.permitted(account, actor=actor, permission="cloud.refresh")
    if not account.is_usable:
        raise Conflict(
            f"The cloud {account} is {account.state if account.is_enabled else 'switched off'}; it cannot be read."
        )
    CloudAccount.objects.filter(pk=account.pk).update(retry_at=None)
    account.syncs.update(full_at=None)
    schedule.plan(account)
    schedule.ring(account)


def watch(*, project_ids: Iterable[uuid.UUID | str]) -> None:
    """Somebody looks at these projects: read their clouds more often for a while."""
    for project_id in project_ids:
        schedule.watch(project_id)


def _verify(account: CloudAccount, actor: User, facts: Mapping[str, str]) -> Operation:
    return operations.request(
        "cloud.verify",
        targets=[account],
        project=account.project,
        actor=actor,
        lanes=[account.lane],
        params={"facts": dict(facts), "driver": account.cloud.driver, "label": account.cloud.label},
        patience=Patience.FAIL,
    )


def _cloud(actor: User, project: Project, name: str, driver: str, label: str, shared: bool) -> Cloud:
    """The cloud of that name that the project may use, or a new one."""
    if shared:
        access.require_admin(actor, "share a cloud with the whole portal")
    known = Cloud.objects.filter(name=name, driver=driver, owner_project=None).first()
    if known:
        return known
    owner = None if shared else project
    if Cloud.objects.filter(name=name, owner_project=owner).exists():
        raise Conflict(
            f"The project {project} has a cloud named {name} already. Choose another name, or remove that one.",
            field="name",
        )
    return Cloud.objects.create(name=name, driver=driver, label=label or name, owner_project=owner)
