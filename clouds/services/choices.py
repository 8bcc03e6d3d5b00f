"""Promises about defaults: what the next boot would use, and changing that."""

import dataclasses
import uuid
from collections.abc import Mapping, Sequence

from django.db import transaction

from accounts.models import SshKey, User
from activity import lifecycle
from cloudmesh.errors import Invalid, NotFound, near
from clouds import defaults
from clouds.models import CloudAccount, Default, Held
from projects import access
from projects.models import Project

PER_CLOUD = (Default.Key.IMAGE, Default.Key.FLAVOR, Default.Key.NETWORK, Default.Key.LOGIN)
FORMATS = ("table", "json", "yaml", "csv")


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class InForce:
    """A default as it is now, and where it comes from."""

    key: str
    account: CloudAccount | None
    value: str  # as people say it
    id: str  # the provider's id of an image, flavor or network
    source: str


def defaults_in_force(*, actor: User, project: Project) -> list[InForce]:
    """What is used in `project` when `actor` says nothing: once, and for each cloud that can be used."""
    access.require(actor, "project.view", project)
    values = defaults.Values(actor, project)
    found = [_in_force(key, None, *pair) for key, pair in _plain(actor, project, values).items()]
    accounts = access.visible(CloudAccount, actor).filter(project=project).select_related("cloud", "project")
    for account in accounts:
        if account.is_usable:
            found += [_in_force(key, account, *pair) for key, pair in _of_cloud(account, values).items()]
    return found


def favourites(*, actor: User, accounts: Sequence[CloudAccount]) -> dict[uuid.UUID, dict[str, str]]:
    """Account → the provider's ids of the image and the flavor that `actor` boots with when nothing is said."""
    known = {project: defaults.Values(actor, project) for project in {account.project for account in accounts}}
    values = {account: known[account.project] for account in accounts}
    images = defaults.usual_images(values)
    flavors = defaults.usual_flavors(values, images)
    return {
        account.pk: {
            kind: record.provider_id
            for kind, record in (("image", images.get(account.pk)), ("flavor", flavors.get(account.pk)))
            if record
        }
        for account in accounts
    }


def usual_key(actor: User, project: Project | None) -> SshKey | None:
    """The key that `actor` boots with in `project` when nothing is said."""
    return defaults.usual_key(actor, defaults.Values(actor, project))[0] if project else None


@transaction.atomic
def set_defaults(
    *, actor: User, project: Project, values: Sequence[tuple[str, str, str]], for_project: bool = False
) -> None:
    """Set several defaults, each as key, value and cloud, or none of them. Raises what `set_default` does."""
    for key, value, cloud in values:
        set_default(actor=actor, project=project, key=key, value=value, cloud=cloud, for_project=for_project)


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
    if account and key == Default.Key.NETWORK:
        return defaults.find_network(account, value).provider_id
    if key == Default.Key.FORMAT and value not in FORMATS:
        raise Invalid(f"format is one of {', '.join(FORMATS)}; not {value[:40]!r}.", field="format")
    if not defaults.NAME.match(value):
        raise Invalid(
            f"{value[:40]!r} cannot be a {key}: use up to 63 letters, digits, dots, dashes and underscores.",
            field="value",
        )
    return value


def _plain(actor: User, project: Project, values: defaults.Values) -> dict[str, tuple[str, str]]:
    """Defaults that belong to no cloud: the value and its source."""
    found = {"cloud": _usual_cloud(actor, project, values)}
    key, source = defaults.usual_key(actor, values)
    found["key"] = (key.name if key else "", source)
    found |= defaults.usual_texts(actor, values)
    form, source = values.get(Default.Key.FORMAT)
    found["format"] = (form or FORMATS[0], source or defaults.FIRST)
    last, source = values.get(Default.Key.LAST_SERVER)
    return found | {"last_server": (last, source or defaults.NONE)}


def _usual_cloud(actor: User, project: Project, values: defaults.Values) -> tuple[str, str]:
    try:
        account, source = defaults.choose_cloud(actor, project, "", values)
    except NotFound:
        return "", defaults.NONE
    return account.cloud.name, source


def _of_cloud(account: CloudAccount, values: defaults.Values) -> dict[str, tuple[str, str, str]]:
    """Defaults of one cloud: the value, its source and the provider's id."""
    image, image_source = defaults.usual_image(account, values)
    flavor, flavor_source = defaults.usual_flavor(account, values, image)
    network, network_source = defaults.usual_network(account, values)
    login, login_source = values.get(Default.Key.LOGIN, account)
    return {
        "image": _chosen(image, image_source),
        "flavor": _chosen(flavor, flavor_source),
        "network": _chosen(network, network_source),
        "login": (login or (image.login if image else ""), login_source or defaults.FIRST, ""),
    }


def _chosen(record: Held | None, source: str) -> tuple[str, str, str]:
    return (record.name, source, record.provider_id) if record else ("", source, "")


def _in_force(key: str, account: CloudAccount | None, value: str, source: str, id: str = "") -> InForce:
    return InForce(key=key, account=account, value=value, id=id, source=source)
