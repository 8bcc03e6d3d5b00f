"""Promises about defaults: set and removed, for oneself, for a project, for the portal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Model

from accounts.models import SshKey, User
from activity import lifecycle
from cloudmesh.errors import Invalid, NotFound, near
from cloudmesh.types import ServerState
from clouds import defaults
from clouds.models import CloudAccount, Default, Flavor, Image, Network, Server
from clouds.services.choices import FORMATS
from projects import access
from projects.models import Project

PER_CLOUD = (Default.Key.IMAGE, Default.Key.FLAVOR, Default.Key.NETWORK, Default.Key.LOGIN)
EITHER = (Default.Key.KEY, Default.Key.SECURITY_GROUP)  # for all clouds, or for one
PERSONAL = (Default.Key.LAST_SERVER,)
#: Of what a cloud offers: where it is looked for.
OFFERED: Mapping[str, tuple[type[Model], Callable[[CloudAccount, str], Any]]] = {
    Default.Key.IMAGE: (Image, defaults.find_image),
    Default.Key.FLAVOR: (Flavor, defaults.find_flavor),
    Default.Key.NETWORK: (Network, defaults.find_network),
}


@transaction.atomic
def set_defaults(
    *, actor: User, project: Project | None, values: Sequence[tuple[str, str, str]], scope: str = defaults.OWN
) -> None:
    """Set several defaults, each as key, value and cloud, or none of them. Raises what `set_default` does."""
    for key, value, cloud in values:
        set_default(actor=actor, project=project, key=key, value=value, cloud=cloud, scope=scope)


@transaction.atomic
def set_default(
    *, actor: User, project: Project | None, key: str, value: str, cloud: str = "", scope: str = defaults.OWN
) -> None:
    """Set one default of the actor in the project, of the whole project, or of the portal; an empty value removes it.

    Raises Invalid, NotFound with near names, NotAllowed.
    """
    _require(actor, project, scope)
    _check_key(key, cloud, scope)
    if project is None or scope == defaults.PORTAL:
        value = _checked_for_all(actor, key, value, cloud) if value else ""
        defaults.store(user=None, project=None, cloud=cloud, key=key, value=value)
        _tell(actor, "portal", None, key, value, cloud)
        return
    account = _account(actor, project, cloud) if key in PER_CLOUD or cloud else None
    value = _checked(actor, project, account, key, value, scope) if value else ""
    owner = actor if scope == defaults.OWN else None
    defaults.store(user=owner, project=project, account=account, key=key, value=value)
    _tell(actor, owner.topic if owner else project.topic, project, key, value, str(account or ""))


@transaction.atomic
def set_naming(*, actor: User, project: Project, number: int | None = None, **texts: str) -> None:
    """Set any of the prefix, schema and width of one's names, and the number that the next boot counts on from."""
    set_defaults(actor=actor, project=project, values=[(key, text, "") for key, text in texts.items()])
    if number is not None:
        access.require(actor, "server.create", project)
        naming = defaults.usual_naming(actor, project, defaults.Values(actor, project))
        defaults.set_number(project, naming, number)
        _tell(actor, project.topic, project, "number", str(number), "")


def _require(actor: User, project: Project | None, scope: str) -> None:
    if scope == defaults.PORTAL:
        access.require_portal(actor, "default.manage")
    elif project is None:
        raise Invalid("Say in which project.", field="project")
    else:
        access.require(actor, "project.manage" if scope == defaults.PROJECT else "project.view", project)


def _check_key(key: str, cloud: str, scope: str) -> None:
    known = list(Default.Key.values)
    if key not in known:
        raise Invalid(
            f"There is no default {key[:40]!r}; there are: {', '.join(known)}.{near(key[:40], known)}", field="key"
        )
    if cloud and key not in (*PER_CLOUD, *EITHER):
        raise Invalid(f"The default {key} is the same for all clouds; leave the cloud out.", field="cloud")
    if scope != defaults.OWN and key in PERSONAL:
        raise Invalid(f"{key} is each person's own; it cannot be set for others.", field="key")
    if scope == defaults.PORTAL and key in PER_CLOUD and not cloud:
        raise Invalid(f"Say for which cloud: the portal's default {key} is for one.", field="cloud")


def _tell(actor: User, topic: str, project: Project | None, key: str, value: str, cloud: str) -> None:
    facts = {"key": key, "value": value, "cloud": cloud}
    place = project.pk if project else None
    lifecycle.note(kind="default", verb="set", topic=topic, name=key, project_id=place, actor=actor, data=facts)


def _account(actor: User, project: Project, cloud: str) -> CloudAccount:
    return defaults.choose_cloud(actor, project, cloud, defaults.Values(actor, project))[0]


def _checked(actor: User, project: Project, account: CloudAccount | None, key: str, value: str, scope: str) -> str:
    """The value as it is stored, if it means something."""
    if account and key in OFFERED:
        return str(OFFERED[key][1](account, value).provider_id)
    if key == Default.Key.CLOUD:
        return _account(actor, project, value).cloud.name
    if key == Default.Key.KEY and scope == defaults.OWN:
        return access.first_named(SshKey.objects.filter(user=actor), value, kind="key").name
    if key == Default.Key.LAST_SERVER:
        live = access.visible(Server, actor).filter(project=project).exclude(state=ServerState.DELETED)
        return str(access.first_named(live, value, kind="server").pk)
    return _text(key, value)


def _checked_for_all(actor: User, key: str, value: str, cloud: str) -> str:
    """A default of the portal: it has no account, so clouds and what they offer are kept by name."""
    clouds = access.visible(CloudAccount, actor)
    if cloud or key == Default.Key.CLOUD:
        _require_known(cloud or value, clouds.values_list("cloud__name", flat=True), "cloud")
    if key in OFFERED:
        held: Any = OFFERED[key][0]
        names = held.objects.filter(account__in=clouds.filter(cloud__name=cloud)).values_list("name", flat=True)
        return _require_known(value, names, f"{key} on {cloud}")
    return value if key == Default.Key.CLOUD else _text(key, value)


def _require_known(name: str, known: Any, kind: str) -> str:
    if name not in (names := set(known)):
        raise NotFound(f"There is no {kind} named {name[:40]!r}.{near(name[:40], names)}")
    return name


def _text(key: str, value: str) -> str:
    checks = {
        Default.Key.PREFIX: defaults.check_prefix,
        Default.Key.SCHEMA: defaults.check_schema,
        Default.Key.WIDTH: defaults.check_width,
    }
    if key in checks:
        return checks[Default.Key(key)](value)
    if key == Default.Key.FORMAT and value not in FORMATS:
        raise Invalid(f"format is one of {', '.join(FORMATS)}; not {value[:40]!r}.", field="format")
    if not defaults.NAME.match(value):
        raise Invalid(
            f"{value[:40]!r} cannot be a {key}: use up to 63 letters, digits, dots, dashes and underscores.",
            field="value",
        )
    return value
