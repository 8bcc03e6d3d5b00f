"""What a boot uses, each part with where it comes from."""

import dataclasses
from collections.abc import Iterable, Mapping

from accounts.models import SshKey, User
from cloudmesh.errors import Conflict, Invalid, NotFound
from cloudmesh.types import ServerState
from clouds.defaults import naming, records
from clouds.defaults.naming import Naming
from clouds.defaults.values import FIRST, NONE, OPTION, Values
from clouds.models import CloudAccount, Default, Flavor, Image, Network, Server
from operations.models import Health
from projects import access
from projects.models import Project

TEXTS = ("group", "prefix", "schema", "width")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
    """What a boot will use, and for each part where it comes from."""

    account: CloudAccount
    image: Image
    flavor: Flavor
    key: SshKey | None
    network: Network | None
    security_group: str
    login: str
    group: str
    naming: Naming
    sources: Mapping[str, str]

    def resources(self, count: int) -> dict[str, int]:
        """What `count` such servers take: instances, cores, ram in MiB."""
        return {"instances": count, "cores": count * self.flavor.cores, "ram": count * self.flavor.ram}


def resolve(*, actor: User, project: Project, wanted: Mapping[str, str]) -> Choice:
    """What a boot uses with these options. Raises NotFound with near names, Ambiguous, Conflict, Invalid."""
    values, sources = Values(actor, project), {}
    account, sources["cloud"] = choose_cloud(actor, project, wanted.get("cloud", ""), values)
    image, sources["image"] = _image(account, wanted.get("image", ""), values)
    flavor, sources["flavor"] = _flavor(account, wanted.get("flavor", ""), values, image)
    key, sources["key"] = _key(actor, wanted.get("key", ""), values, account)
    network, sources["network"] = _network(account, wanted.get("network", ""), values)
    rules, sources["security_group"] = usual_rules(values, account, wanted.get("security_group", ""))
    login, sources["login"] = usual_login(values, account, image)
    text = usual_texts(actor, values, wanted)
    sources |= {name: source for name, (_, source) in text.items()}
    _fits(image, flavor)
    return Choice(
        account=account, image=image, flavor=flavor, key=key, network=network, security_group=rules, login=login,
        group=text["group"][0], naming=_naming(actor, project, str(account), text), sources=sources,
    )  # fmt: skip


def choose_cloud(actor: User, project: Project, wanted: str, values: Values) -> tuple[CloudAccount, str]:
    """The account at the cloud that is meant, and who says so."""
    accounts = access.visible(CloudAccount, actor).filter(project=project).select_related("cloud", "project")
    if wanted:
        account = access.find(accounts, wanted, actor=actor, permission="cloud.view", field="cloud__name", kind="cloud")
        if not account.is_usable:
            why = "switched off" if not account.is_enabled else account.state
            raise Conflict(
                f"The cloud {account} is {why}; switch it on, or give it a credential that works, under Clouds."
            )
        return account, OPTION
    usual, source = usual_cloud(accounts, values)
    if usual is None:
        raise NotFound(
            f"The project {project} has no cloud that can be used. Register one under Clouds, or: cm cloud register"
        )
    return usual, source


def usual_cloud(accounts: Iterable[CloudAccount], values: Values) -> tuple[CloudAccount | None, str]:
    """Which of the accounts of a project a boot without options takes."""
    usable = {account.cloud.name: account for account in accounts if account.is_usable}
    for named, source in values.all(Default.Key.CLOUD):
        if named in usable:
            return usable[named], source
    first = min(usable.values(), key=lambda each: (each.health == Health.DOWN, each.cloud.name), default=None)
    return first, FIRST if first else NONE


def usual_key(actor: User, values: Values, account: CloudAccount | None = None) -> tuple[SshKey | None, str]:
    """The key that a boot without options takes."""
    keys = list(SshKey.objects.filter(user=actor))
    named = {key.name: key for key in keys}
    for name, source in values.all(Default.Key.KEY, account):
        if name in named:
            return named[name], source
    return (keys[0], FIRST) if keys else (None, NONE)


def usual_rules(values: Values, account: CloudAccount | None = None, wanted: str = "") -> tuple[str, str]:
    """The security group of a boot."""
    if wanted:
        return _named("security_group", wanted), OPTION
    value, source = values.get(Default.Key.SECURITY_GROUP, account)
    return (value, source) if value else ("cloudmesh", FIRST)


def usual_login(values: Values, account: CloudAccount, image: Image | None) -> tuple[str, str]:
    """Who logs in to what is booted there."""
    login, source = values.get(Default.Key.LOGIN, account)
    return (login, source) if login else (image.login if image else "", FIRST if image and image.login else NONE)


def usual_texts(actor: User, values: Values, wanted: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """The group, and what names are made of, each with its source."""
    found = {name: values.get(name) for name in TEXTS}
    if group := wanted.get("group", ""):
        found["group"] = _named("group", group), OPTION
    if prefix := wanted.get("prefix", ""):  # whoever names one means it, whatever the schema is otherwise
        found["prefix"] = naming.check_prefix(prefix), OPTION
        found["schema"] = found["schema"] if "{prefix}" in found["schema"][0] else ("", "")
    found["prefix"] = found["prefix"] if found["prefix"][0] else (naming.plain(actor.username) or "vm", FIRST)
    usual = {"group": "default", "width": "1", "schema": naming.usual_schema(found["prefix"][0])}
    return found | {name: (text, FIRST) for name, text in usual.items() if not found[name][0]}


def usual_naming(actor: User, project: Project, values: Values) -> Naming:
    """How the names look that a boot without options gives; the cloud is asked for only where they have it."""
    text = usual_texts(actor, values, {})
    cloud = str(choose_cloud(actor, project, "", values)[0]) if "{cloud}" in text["schema"][0] else ""
    return _naming(actor, project, cloud, text)


def last_server(actor: User, project: Project, values: Values) -> tuple[Server | None, str]:
    """The server that verbs mean where none is named: the one booted or chosen last, or else the newest there is."""
    mine = Server.objects.filter(project=project, owner=actor).exclude(state=ServerState.DELETED)
    chosen, source = values.get(Default.Key.LAST_SERVER)
    seen = access.visible(Server, actor).filter(project=project).exclude(state=ServerState.DELETED)
    last = seen.filter(pk=chosen).first() if chosen else None
    if last:
        return last, source
    last = mine.order_by("-created_at", "-pk").first()
    return last, FIRST if last else NONE


def _naming(actor: User, project: Project, cloud: str, text: Mapping[str, tuple[str, str]]) -> Naming:
    words = {name: value for name, (value, _) in text.items() if name in ("prefix", "group")}
    words |= {"user": actor.username, "project": project.name, "cloud": cloud}
    return Naming(pattern=naming.fill(text["schema"][0], words), width=int(text["width"][0]))


def _image(account: CloudAccount, wanted: str, values: Values) -> tuple[Image, str]:
    if wanted:
        return records.find_image(account, wanted), OPTION
    image, source = records.usual_image(account, values)
    if image is None:
        raise NotFound(
            f"The cloud {account} has shown no image yet. Wait for its first reading, or: cm cloud refresh {account}"
        )
    return image, source


def _flavor(account: CloudAccount, wanted: str, values: Values, image: Image) -> tuple[Flavor, str]:
    if wanted:
        return records.find_flavor(account, wanted), OPTION
    flavor, source = records.usual_flavor(account, values, image)
    if flavor is None:
        raise NotFound(
            f"The cloud {account} has shown no flavor yet. Wait for its first reading, or: cm cloud refresh {account}"
        )
    return flavor, source


def _key(actor: User, wanted: str, values: Values, account: CloudAccount) -> tuple[SshKey | None, str]:
    if wanted:
        return access.first_named(SshKey.objects.filter(user=actor), wanted, kind="key"), OPTION
    return usual_key(actor, values, account)


def _network(account: CloudAccount, wanted: str, values: Values) -> tuple[Network | None, str]:
    return (records.find_network(account, wanted), OPTION) if wanted else records.usual_network(account, values)


def _named(what: str, text: str) -> str:
    if not naming.NAME.match(text):
        raise Invalid(
            f"{text[:40]!r} cannot be a {what.replace('_', ' ')}: use up to 63 letters, digits, dots and dashes.",
            field=what,
        )
    return text


def _fits(image: Image, flavor: Flavor) -> None:
    if flavor.ram < image.min_ram or 0 < flavor.disk < image.min_disk:
        raise Conflict(
            f"The image {image} needs {image.min_ram} MiB of memory and {image.min_disk} GiB of disk; the flavor "
            f"{flavor} has {flavor.ram} MiB and {flavor.disk} GiB. Choose a larger flavor.",
            field="flavor",
        )
