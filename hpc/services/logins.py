"""Promises about who people are at a scheduler."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts import secrets
from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotAllowed
from cloudmesh.types import Field
from hpc.models import Identity, Login, Scheduler, Way
from hpc.sync import connect
from hpc.tasks.schedulers import new_key
from operations import services as operations
from operations.models import CredentialState, Operation, Patience
from operations.services import credentials
from projects import access

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]{0,63}\Z")


def login_of(*, actor: User, scheduler: Scheduler) -> Login | None:
    """Who `actor` is at a scheduler; where it maps people by their names that needs no asking."""
    found = Login.objects.filter(scheduler=scheduler, user=actor.pk).select_related("scheduler").first()
    if found is None and scheduler.identity == Identity.MAPPED and NAME.match(actor.username):
        return _keep(Login(scheduler=scheduler, user=actor, name=actor.username, is_mapped=True), actor=actor)
    return found


def own_fields(way: str) -> tuple[Field, ...]:
    """What a login of one's own needs on a way beside its name; where the portal can make a key none of it."""
    return connect.OWN_FIELDS[way]


@transaction.atomic
def make_login(
    *, actor: User, scheduler: Scheduler, name: str, credential: Mapping[str, str] | None = None
) -> tuple[Login, Operation | None]:
    """Say who one is at a scheduler, with a credential of one's own, which is then verified.

    Without one the portal makes a key, whose public half is to be allowed there before `verify_login`. What was there
    before is replaced. Raises NotAllowed, Invalid.
    """
    _check(actor, scheduler, name)
    needed = own_fields(scheduler.way)
    own: dict[str, Any] = {"name": name, "is_mapped": False, "public_key": ""}
    if not credential and scheduler.way == Way.SSH:
        private, own["public_key"] = new_key()
        plain = {"key": private}
    else:
        _, plain = credentials.split(needed, credential or {})
    login = Login.objects.filter(scheduler=scheduler, user=actor.pk).first() or Login(scheduler=scheduler, user=actor)
    pending = secrets.seal(secrets.ring(), plain, **login.place)
    if login.state:
        lifecycle.change(login, actor=actor, pending=pending, **own)
    else:
        for field, value in {**own, "pending": pending, "state": CredentialState.VERIFYING}.items():
            setattr(login, field, value)
        lifecycle.begin([login], actor=actor)
    return login, None if own["public_key"] else verify_login(actor=actor, login=login)


def verify_login(*, actor: User, login: Login) -> Operation:
    """Try whether a login works. Raises Conflict."""
    if not (login.pending or login.credential):
        raise Conflict(f"{login} goes with the scheduler's own credential; there is nothing to try.")
    return operations.request(
        "login.verify",
        targets=[login],
        project=access.default_project(actor),
        actor=actor,
        lanes=[login.scheduler.lane],
        patience=Patience.FAIL,
    )


@transaction.atomic
def remove_login(*, actor: User, login: Login) -> None:
    """Forget who somebody is at a scheduler, and the credential; their jobs there go on."""
    if login.user_id != actor.pk:
        access.require_admin(actor, "remove somebody else's login")
    lifecycle.note(kind=Login.KIND, verb="removed", topic=login.topic, object_id=login.pk, name=str(login), actor=actor)
    login.delete()


@transaction.atomic
def map_login(*, actor: User, scheduler: Scheduler, user: User, name: str) -> Login:
    """Say as whom somebody's jobs run, with the scheduler's own credential. Raises NotAllowed, Invalid."""
    access.require_admin(actor, "say as whom others' jobs run")
    _check_name(name)
    Login.objects.filter(scheduler=scheduler, user=user).delete()
    return _keep(Login(scheduler=scheduler, user=user, name=name, is_mapped=True), actor=actor)


def _keep(login: Login, *, actor: User) -> Login:
    login.state = CredentialState.ACTIVE
    return lifecycle.begin([login], actor=actor, verb="mapped")[0]


def _check(actor: User, scheduler: Scheduler, name: str) -> None:
    _check_name(name)
    if not access.visible(Scheduler, actor).filter(pk=scheduler.pk).exists():
        raise NotAllowed(f"You do not see the scheduler {scheduler}.")
    if scheduler.identity != Identity.OWN:
        raise Conflict(f"At {scheduler} an administrator says as whom people's jobs run; ask one to change yours.")


def _check_name(name: str) -> None:
    if not NAME.match(name):
        raise Invalid(f"{name[:64]!r} cannot be a login: letters, digits and . _ - @, at most 64.", field="name")
