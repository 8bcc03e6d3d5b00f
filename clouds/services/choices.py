"""Promises about defaults: what the next boot would use, and changing that."""

import dataclasses
from collections.abc import Mapping

from django.db import transaction

from accounts.models import SshKey, User
from activity import lifecycle
from cloudmesh.errors import Invalid, near
from clouds import defaults
from clouds.models import CloudAccount, Default
from projects import access
from projects.models import Project

PER_CLOUD = (Default.Key.IMAGE, Default.Key.FLAVOR, Default.Key.NETWORK, Default.Key.LOGIN)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Next:
    """What a boot would do now."""

    name: str
    choice: defaults.Choice


def next_boot(*, actor: User, project: Project, wanted: Mapping[str, str]) -> Next:
    """What a boot with these options would use and what its server would be named; nothing is taken.

    Raises what `boot_servers` would.
    """
    access.require(actor, "server.create", project)
    choice = defaults.resolve(actor=actor, project=project, wanted=wanted)
    return Next(name=defaults.next_names(project, choice.prefix, 1)[0], choice=choice)


@transaction.atomic
def set_default(
    *, actor: User, project: Project, key: str, value: str, cloud: str = "", for_project: bool = False
) -> None:
    """Set one default of the actor, or of the whole project; an empty value removes it.

    Raises Invalid, NotFound with near names, NotAllowed.
    """
    access.require(actor, "project.manage" if for_project else "project.view", project)
    if key not in Default.Key.values or key == Default.Key.LAST_SERVER:
        known = [name for name in Default.Key.values if name != Default.Key.LAST_SERVER]
        raise Invalid(
            f"There is no default {key[:40]!r}; there are: {', '.join(known)}.{near(key, known)}", field="key"
        )
    account = _account(actor, project, cloud) if key in PER_CLOUD else None
    value = _checked(actor, project, account, key, value) if value else ""
    defaults.store(user=None if for_project else actor, project=project, account=account, key=key, value=value)
    topic = f"project:{project.pk}" if for_project else actor.topic
    facts = {"key": key, "value": value, "cloud": str(account or "")}
    lifecycle.note(kind="default", verb="set", topic=topic, name=key, project_id=project.pk, actor=actor, data=facts)


def _account(actor: User, project: Project, cloud: str) -> CloudAccount:
    return defaults.choose_cloud(actor, project, cloud, defaults.Values(actor, project))[0]


def _checked(actor: User, project: Project, account: CloudAccount | None, key: str, value: str) -> str:
    """The value as it is stored, if it means something."""
    if key == Default.Key.CLOUD:
        return _account(actor, project, value).cloud.name
    if key == Default.Key.KEY:
        return access.first_named(SshKey.objects.filter(user=actor), value, kind="key").name
    if account and key == Default.Key.IMAGE:
        return defaults.find_image(account, value).provider_id
    if account and key == Default.Key.FLAVOR:
        return defaults.find_flavor(account, value).provider_id
    if not defaults.NAME.match(value):
        raise Invalid(
            f"{value[:40]!r} cannot be a {key}: use up to 63 letters, digits, dots, dashes and underscores.",
            field="value",
        )
    return value
