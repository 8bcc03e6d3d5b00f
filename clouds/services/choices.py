"""What is used when nothing is said, for a next boot and for whoever asks."""

import dataclasses
import uuid
from collections.abc import Iterable, Mapping, Sequence

from accounts.models import SshKey, User
from cloudmesh.errors import NotFound
from clouds import defaults
from clouds.models import CloudAccount, Default, Held
from projects import access
from projects.models import Project

FORMATS = ("table", "json", "yaml", "csv", "plain")
FOR_PORTAL = ("cloud", "key", "security_group", "group", "prefix", "schema", "width", "format")  # of no cloud
Said = tuple[str, str, str]  # the value, its source, and the id behind it


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
    return Next(name=defaults.next_names(project, choice.naming, 1)[0], choice=choice)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NextName:
    """The name that the next boot gives, and what it is made of."""

    name: str
    number: int
    prefix: str
    width: str
    schema: str
    sources: Mapping[str, str]


def next_naming(*, actor: User, project: Project) -> NextName:
    """How the next name looks when nothing is said; nothing is taken."""
    access.require(actor, "server.create", project)
    values = defaults.Values(actor, project)
    naming = defaults.usual_naming(actor, project, values)
    [number] = defaults.next_numbers(project, naming, 1)
    texts = {name: said for name, said in defaults.usual_texts(actor, values, {}).items() if name != "group"}
    return NextName(
        name=naming.name(number),
        number=number,
        sources={name: source for name, (_, source) in texts.items()},
        **{name: text for name, (text, _) in texts.items()},
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class InForce:
    """A default as it is now, and where it comes from."""

    key: str
    cloud: str | None  # None: for all clouds
    value: str  # as people say it
    id: str  # the provider's id of an image, flavor or network, ours of a server
    source: str


def defaults_in_force(*, actor: User, project: Project, scope: str = defaults.OWN) -> list[InForce]:
    """What is used in `project` when `actor` says nothing: once, and for each cloud that can be used.

    With the `scope` of the project without what is nearer to `actor`. A constant number of questions, however many
    clouds.
    """
    access.require(actor, "project.view", project)
    values = defaults.Values(actor, project, scope)
    visible = access.visible(CloudAccount, actor).filter(project=project).select_related("cloud", "project")
    accounts = [account for account in visible.defer("credential", "pending") if account.is_usable]
    found = [_in_force(key, None, said) for key, said in _plain(actor, project, values).items()]
    return found + _of_clouds(actor, dict.fromkeys(accounts, values))


def portal_defaults() -> list[InForce]:
    """What the portal says, for all clouds and for single ones."""
    said = Default.objects.filter(user=None, project=None)
    found = {(row.key, row.cloud or None): row.value for row in said.order_by("cloud", "key")}
    known: dict[tuple[str, str | None], str] = {(key, None): "" for key in FOR_PORTAL}
    return [
        InForce(key=key, cloud=cloud, value=value, id="", source=defaults.PORTAL if value else defaults.NONE)
        for (key, cloud), value in (known | found).items()
    ]


def output_format(actor: User) -> str:
    """How `actor` wants to see lists, where they work now."""
    places = access.workplaces(actor)
    return (defaults.Values(actor, places[0]).get(Default.Key.FORMAT)[0] if places else "") or FORMATS[0]


def favourites(*, actor: User, accounts: Sequence[CloudAccount]) -> dict[uuid.UUID, dict[str, str]]:
    """Account → the provider's id by kind of what `actor` boots with when nothing is said; the name of its rules."""
    known = {project: defaults.Values(actor, project) for project in {account.project for account in accounts}}
    values = {account: known[account.project] for account in accounts}
    images = defaults.usual_images(values)
    flavors = defaults.usual_flavors(values, images)
    networks = defaults.usual_networks(values)
    return {
        account.pk: {
            "image": _id_of(images.get(account.pk)),
            "flavor": _id_of(flavors.get(account.pk)),
            "network": _id_of(networks.get(account.pk)),
            "securitygroup": defaults.usual_rules(values[account], account)[0],
        }
        for account in accounts
    }


def _id_of(record: Held | None) -> str:
    return record.provider_id if record else ""


def usual_cloud(actor: User, accounts: Iterable[CloudAccount]) -> CloudAccount | None:
    """Which of `accounts` `actor` boots on when nothing is said, where they work now."""
    for place in access.workplaces(actor)[:1]:
        here = [account for account in accounts if account.project_id == place.pk]
        return defaults.usual_cloud(here, defaults.Values(actor, place))[0]
    return None


def usual_key(actor: User, project: Project | None) -> SshKey | None:
    """The key that `actor` boots with in `project` when nothing is said."""
    return defaults.usual_key(actor, defaults.Values(actor, project))[0] if project else None


def _plain(actor: User, project: Project, values: defaults.Values) -> dict[str, Said]:
    """Defaults that belong to no cloud."""
    key, source = defaults.usual_key(actor, values)
    found: dict[str, tuple[str, str]] = {
        "cloud": _usual_cloud(actor, project, values),
        "key": (key.name if key else "", source),
        "security_group": defaults.usual_rules(values),
        **defaults.usual_texts(actor, values, {}),
        "format": next(iter(values.all(Default.Key.FORMAT)), (FORMATS[0], defaults.FIRST)),
    }
    server, source = defaults.last_server(actor, project, values)
    last = (server.name, source, str(server.pk)) if server else ("", source, "")
    return {key: (*said, "") for key, said in found.items()} | {"last_server": last}


def _usual_cloud(actor: User, project: Project, values: defaults.Values) -> tuple[str, str]:
    try:
        account, source = defaults.choose_cloud(actor, project, "", values)
    except NotFound:
        return "", defaults.NONE
    return account.cloud.name, source


def _of_clouds(actor: User, values: Mapping[CloudAccount, defaults.Values]) -> list[InForce]:
    """Defaults of each cloud; of what is the same for all clouds only where it is another here."""
    images = defaults.usual_images(values)
    flavors = defaults.usual_flavors(values, images)
    networks = defaults.usual_networks(values)
    found = []
    for account, known in values.items():
        image = images.get(account.pk)
        records = {"image": image, "flavor": flavors.get(account.pk), "network": networks.get(account.pk)}
        for key, record in records.items():
            source = defaults.source_of(record, known, key, account)
            found.append(
                _in_force(key, account, (record.name, source, record.provider_id) if record else ("", source, ""))
            )
        found.append(_in_force("login", account, (*defaults.usual_login(known, account, image), "")))
        if known.is_of(account, Default.Key.SECURITY_GROUP):
            found.append(_in_force("security_group", account, (*defaults.usual_rules(known, account), "")))
        if known.is_of(account, Default.Key.KEY):
            chosen, source = defaults.usual_key(actor, known, account)
            found.append(_in_force("key", account, (chosen.name if chosen else "", source, "")))
    return found


def _in_force(key: str, account: CloudAccount | None, said: Said) -> InForce:
    value, source, id = said
    return InForce(key=key, cloud=str(account) if account else None, value=value, id=id, source=source)
