"""What is used when nothing is said: option → own → project → portal → first usable; each with its source."""

import dataclasses
import functools
import operator
import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, Case, ExpressionWrapper, F, OrderBy, Q, QuerySet, When

from accounts.models import SshKey, User
from cloudmesh.errors import Conflict, Invalid, NotFound
from cloudmesh.types import ImageState, ServerState, expand_names
from clouds.models import CloudAccount, Default, Flavor, Health, Held, Image, NameCounter, Network, Server
from projects import access
from projects.models import Project

MAX_COUNT = 1000
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")
OPTION, OWN, PROJECT, PORTAL, FIRST, NONE = "option", "own", "project", "portal", "first", "none"
SMALL_RAM = 512  # MiB: the least that a flavor chosen for somebody should have
FRIENDLY = "ubuntu"  # the images to prefer when nobody chose one


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
    """What a boot will use, and for each part where it comes from."""

    account: CloudAccount
    image: Image
    flavor: Flavor
    key: SshKey | None
    network: Network | None
    security_group: str
    group: str
    prefix: str
    sources: Mapping[str, str]

    def resources(self, count: int) -> dict[str, int]:
        """What `count` such servers take: instances, cores, ram in MiB."""
        return {"instances": count, "cores": count * self.flavor.cores, "ram": count * self.flavor.ram}


class Values:
    """The defaults that apply to a user in a project, read with one query."""

    def __init__(self, actor: User, project: Project) -> None:
        mine = Q(user=actor, project=project) | Q(user=None, project=project) | Q(user=None, project=None)
        self.known: dict[tuple[str, Any, str], str] = {}
        for row in Default.objects.filter(mine):
            source = OWN if row.user_id else PROJECT if row.project_id else PORTAL
            self.known[row.key, row.account_id, source] = row.value

    def get(self, key: str, account: CloudAccount | None = None) -> tuple[str, str]:
        """The value and its source; two empty strings when there is none."""
        for source in (OWN, PROJECT, PORTAL):
            value = self.known.get((key, account.pk if account else None, source))
            if value:
                return value, source
        return "", ""


def resolve(*, actor: User, project: Project, wanted: Mapping[str, str]) -> Choice:
    """What a boot uses with these options. Raises NotFound with near names, Ambiguous, Conflict, Invalid."""
    values, sources = Values(actor, project), {}
    account, sources["cloud"] = choose_cloud(actor, project, wanted.get("cloud", ""), values)
    image, sources["image"] = _image(account, wanted.get("image", ""), values)
    flavor, sources["flavor"] = _flavor(account, wanted.get("flavor", ""), values, image)
    key, sources["key"] = _key(actor, wanted.get("key", ""), values)
    network, sources["network"] = _network(account, wanted.get("network", ""), values)
    text = {name: _text(name, wanted.get(name, ""), values, fallback) for name, fallback in _texts(actor).items()}
    sources |= {name: source for name, (_, source) in text.items()}
    _fits(image, flavor)
    return Choice(
        account=account, image=image, flavor=flavor, key=key, network=network,
        security_group=text["security_group"][0], group=text["group"][0], prefix=text["prefix"][0], sources=sources,
    )  # fmt: skip


def choose_cloud(actor: User, project: Project, wanted: str, values: Values) -> tuple[CloudAccount, str]:
    accounts = access.visible(CloudAccount, actor).filter(project=project).select_related("cloud", "project")
    if wanted:
        account = access.find(accounts, wanted, actor=actor, permission="cloud.view", field="cloud__name", kind="cloud")
        if not account.is_usable:
            why = "switched off" if not account.is_enabled else account.state
            raise Conflict(
                f"The cloud {account} is {why}; switch it on, or give it a credential that works, under Clouds."
            )
        return account, OPTION
    usable = [account for account in accounts if account.is_usable]
    named, source = values.get(Default.Key.CLOUD)
    chosen = next((account for account in usable if account.cloud.name == named), None)
    if chosen:
        return chosen, source
    if not usable:
        raise NotFound(
            f"The project {project} has no cloud that can be used. Register one under Clouds, or: cm cloud register"
        )
    return min(usable, key=lambda account: (account.health == Health.DOWN, account.cloud.name)), FIRST


def usual_images(values: Mapping[CloudAccount, Values]) -> dict[uuid.UUID, Image]:
    """For each account the image that a boot without options takes there: of the plain friendly ones the newest.

    One question, however many accounts; one whose cloud has shown no image yet is left out.
    """
    friendly = Q(name__istartswith=FRIENDLY)
    order: tuple[OrderBy | Case | str, ...] = (
        *_chosen_first(values, Default.Key.IMAGE),
        _true_first(friendly),
        Case(When(friendly, then=F("min_ram")), default=0),
        Case(When(friendly, then=F("name"))).desc(),
        "name",
    )
    images = Image.objects.filter(account__in=list(values), state=ImageState.ACTIVE)
    return {image.account_id: image for image in images.order_by("account_id", *order).distinct("account_id")}


def usual_flavors(values: Mapping[CloudAccount, Values], images: Mapping[uuid.UUID, Image]) -> dict[uuid.UUID, Flavor]:
    """For each account the flavor that a boot without options takes there: the smallest that fits, else the largest."""
    fits = Q(pk=None)
    for account in values:
        image = images.get(account.pk) or Image()
        enough = Q(account=account, ram__gte=max(SMALL_RAM, image.min_ram))
        fits |= enough & (Q(disk__gte=image.min_disk) | Q(disk=0))
    order: tuple[OrderBy | Case | str, ...] = (
        *_chosen_first(values, Default.Key.FLAVOR),
        _true_first(fits),
        Case(When(fits, then=F("ram")), default=-F("ram")),
        "cores",
        "name",
    )
    flavors = Flavor.objects.filter(account__in=list(values))
    return {flavor.account_id: flavor for flavor in flavors.order_by("account_id", *order).distinct("account_id")}


def usual_image(account: CloudAccount, values: Values) -> tuple[Image | None, str]:
    """The image that a boot without options takes there; None while the cloud has shown none."""
    image = usual_images({account: values}).get(account.pk)
    return image, _source(image, values, Default.Key.IMAGE, account)


def usual_flavor(account: CloudAccount, values: Values, image: Image | None) -> tuple[Flavor | None, str]:
    """The flavor that a boot without options takes there, for that image."""
    flavor = usual_flavors({account: values}, {account.pk: image} if image else {}).get(account.pk)
    return flavor, _source(flavor, values, Default.Key.FLAVOR, account)


def usual_network(account: CloudAccount, values: Values) -> tuple[Network | None, str]:
    """The network that a boot without options takes there; None leaves it to the driver."""
    return _network(account, "", values)


def usual_key(actor: User, values: Values) -> tuple[SshKey | None, str]:
    """The key that a boot without options takes."""
    return _key(actor, "", values)


def usual_texts(actor: User, values: Values) -> dict[str, tuple[str, str]]:
    """Security group, group and name prefix that a boot without options takes, each with its source."""
    return {name: _text(name, "", values, fallback) for name, fallback in _texts(actor).items()}


def next_names(project: Project, prefix: str, count: int) -> list[str]:
    """The names that the next boot would get; nothing is taken."""
    counter = NameCounter.objects.filter(project=project, prefix=prefix).first()
    return _free_names(project, prefix, counter.next if counter else 1, count)[0]


@transaction.atomic
def take_names(project: Project, prefix: str, count: int) -> list[str]:
    """Hand out the next names of a prefix; whoever asks at the same instant waits and gets the following ones."""
    NameCounter.objects.bulk_create([NameCounter(project=project, prefix=prefix)], ignore_conflicts=True)
    counter = NameCounter.objects.select_for_update(no_key=True).get(project=project, prefix=prefix)
    names, counter.next = _free_names(project, prefix, counter.next, count)
    counter.save(update_fields=["next"])
    return names


def check_names(project: Project, text: str) -> list[str]:
    """The names a person gave, as a hostlist; raises Invalid for impossible, Conflict for taken ones."""
    names = expand_names(text, limit=MAX_COUNT)
    for name in names:
        if not NAME.match(name):
            raise Invalid(
                f"{name[:40]!r} cannot be a server's name: use 1 to 63 letters (a–z), digits, dots, dashes and "
                "underscores, beginning and ending with a letter or digit.",
                field="name",
            )
    taken = sorted(_live(project).filter(name__in=names).values_list("name", flat=True)[:5])
    if taken or len(set(names)) < len(names):
        raise Conflict(
            f"There is a server named {', '.join(taken) or 'like this twice'} already. Choose another name.",
            field="name",
        )
    return names


def check_count(count: int) -> int:
    if not 1 <= count <= MAX_COUNT:
        raise Invalid(f"count must be between 1 and {MAX_COUNT}, not {count}.", field="count")
    return count


def store(*, user: User | None, project: Project | None, account: CloudAccount | None, key: str, value: str) -> None:
    """Set one default; an empty value removes it."""
    place: dict[str, Any] = {"user": user, "project": project, "account": account, "key": key}
    if value:
        default = Default(**place, value=value[:255])
        Default.objects.bulk_create([default], update_conflicts=True, unique_fields=[*place], update_fields=["value"])
    else:
        Default.objects.filter(**place).delete()


def find_image(account: CloudAccount, wanted: str) -> Image:
    """An image by name, the provider's id or ours. Raises NotFound with near names, Ambiguous."""
    images = Image.objects.filter(account=account).exclude(state=ImageState.DELETED)
    image: Image = _named(images, wanted, "image", account)
    return image


def find_flavor(account: CloudAccount, wanted: str) -> Flavor:
    """A flavor by name, the provider's id or ours. Raises NotFound with near names, Ambiguous."""
    flavor: Flavor = _named(Flavor.objects.filter(account=account), wanted, "flavor", account)
    return flavor


def find_network(account: CloudAccount, wanted: str) -> Network:
    """A network by name, the provider's id or ours. Raises NotFound with near names, Ambiguous."""
    network: Network = _named(Network.objects.filter(account=account, usable=True), wanted, "network", account)
    return network


def _named(records: QuerySet[Any], wanted: str, kind: str, account: CloudAccount) -> Any:
    by_id = records.filter(provider_id=wanted).first()
    if by_id:
        return by_id
    try:
        return access.first_named(records, wanted, kind=f"{kind} on {account}")
    except NotFound as error:
        raise NotFound(error.message + f" See: cm {kind} list --cloud {account}", **error.facts, field=kind) from None


def _image(account: CloudAccount, wanted: str, values: Values) -> tuple[Image, str]:
    if wanted:
        return find_image(account, wanted), OPTION
    image, source = usual_image(account, values)
    if image is None:
        raise NotFound(
            f"The cloud {account} has shown no image yet. Wait for its first reading, or: cm cloud refresh {account}"
        )
    return image, source


def _flavor(account: CloudAccount, wanted: str, values: Values, image: Image) -> tuple[Flavor, str]:
    if wanted:
        return find_flavor(account, wanted), OPTION
    flavor, source = usual_flavor(account, values, image)
    if flavor is None:
        raise NotFound(
            f"The cloud {account} has shown no flavor yet. Wait for its first reading, or: cm cloud refresh {account}"
        )
    return flavor, source


def _chosen_first(values: Mapping[CloudAccount, Values], key: str) -> list[OrderBy]:
    """What somebody made the default, by the provider's id or by name; nothing where nobody did."""
    named = {account: each.get(key, account)[0] for account, each in values.items()}
    chosen = [Q(account=account) & _means(value) for account, value in named.items() if value]
    return [_true_first(functools.reduce(operator.or_, chosen))] if chosen else []


def _source(record: Held | None, values: Values, key: str, account: CloudAccount) -> str:
    value, source = values.get(key, account)
    if record is None:
        return NONE
    return source if value and value in (record.provider_id, record.name) else FIRST


def _means(value: str) -> Q:
    return Q(provider_id=value) | Q(name=value)


def _true_first(condition: Q) -> OrderBy:
    return ExpressionWrapper(condition, output_field=BooleanField()).desc()


def _key(actor: User, wanted: str, values: Values) -> tuple[SshKey | None, str]:
    keys = SshKey.objects.filter(user=actor)
    if wanted:
        return access.first_named(keys, wanted, kind="key"), OPTION
    value, source = values.get(Default.Key.KEY)
    chosen = keys.filter(name=value).first() if value else None
    if chosen:
        return chosen, source
    first = keys.first()
    return first, FIRST if first else NONE


def _network(account: CloudAccount, wanted: str, values: Values) -> tuple[Network | None, str]:
    if wanted:
        return find_network(account, wanted), OPTION
    networks = Network.objects.filter(account=account, usable=True)
    value, source = values.get(Default.Key.NETWORK, account)
    chosen = networks.filter(_means(value)).first() if value else None
    return (chosen, source) if chosen else (None, NONE)  # the driver chooses sensibly


def _texts(actor: User) -> dict[str, str]:
    prefix = re.sub(r"[^A-Za-z0-9-]+", "-", actor.username).strip("-")[:40] or "vm"
    return {"security_group": "cloudmesh", "group": "default", "prefix": prefix}


def _text(name: str, wanted: str, values: Values, fallback: str) -> tuple[str, str]:
    if wanted:
        if not NAME.match(wanted):
            raise Invalid(
                f"{wanted[:40]!r} cannot be a {name.replace('_', ' ')}: use up to 63 letters, digits, dots and dashes.",
                field=name,
            )
        return wanted, OPTION
    value, source = values.get(name)
    return (value, source) if value else (fallback, FIRST)


def _fits(image: Image, flavor: Flavor) -> None:
    if flavor.ram < image.min_ram or 0 < flavor.disk < image.min_disk:
        raise Conflict(
            f"The image {image} needs {image.min_ram} MiB of memory and {image.min_disk} GiB of disk; the flavor "
            f"{flavor} has {flavor.ram} MiB and {flavor.disk} GiB. Choose a larger flavor.",
            field="flavor",
        )


def _live(project: Project) -> QuerySet[Server]:
    return Server.objects.filter(project=project).exclude(state=ServerState.DELETED)


def _free_names(project: Project, prefix: str, start: int, count: int) -> tuple[list[str], int]:
    """The next `count` unused names from number `start`, and the number after them."""
    taken = set(_live(project).filter(name__startswith=f"{prefix}_").values_list("name", flat=True))
    names: list[str] = []
    number = start
    while len(names) < count:
        name = f"{prefix}_{number}"
        names += [] if name in taken else [name]
        number += 1
    return names, number
