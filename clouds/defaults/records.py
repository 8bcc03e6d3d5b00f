"""Images, flavors and networks: by name, and those that are taken where none is named."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import BooleanField, Case, ExpressionWrapper, F, OrderBy, Q, QuerySet, When

from cloudmesh.errors import NotFound
from cloudmesh.types import ImageState
from clouds.defaults.values import FIRST, NONE, Values
from clouds.models import CloudAccount, Default, Flavor, Held, Image, Network
from projects import access

SMALL_RAM = 512  # MiB: the least that a flavor chosen for somebody should have
FRIENDLY = "ubuntu"  # the images to prefer when nobody chose one
UNCHOSEN = 9  # ranks below every choice


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
    return image, source_of(image, values, Default.Key.IMAGE, account)


def usual_flavor(account: CloudAccount, values: Values, image: Image | None) -> tuple[Flavor | None, str]:
    """The flavor that a boot without options takes there, for that image."""
    flavor = usual_flavors({account: values}, {account.pk: image} if image else {}).get(account.pk)
    return flavor, source_of(flavor, values, Default.Key.FLAVOR, account)


def usual_networks(values: Mapping[CloudAccount, Values]) -> dict[uuid.UUID, Network]:
    """For each account where somebody chose a network that network; the driver chooses sensibly on the others."""
    chosen = _chosen(values, Default.Key.NETWORK)
    if not chosen:
        return {}
    networks = Network.objects.filter(account__in=list(values), usable=True).alias(rank=Case(*chosen))
    found = networks.exclude(rank=None).order_by("account_id", "-rank", "name").distinct("account_id")
    return {network.account_id: network for network in found}


def usual_network(account: CloudAccount, values: Values) -> tuple[Network | None, str]:
    """The network that a boot without options takes there; None leaves it to the driver."""
    network = usual_networks({account: values}).get(account.pk)
    return network, source_of(network, values, Default.Key.NETWORK, account)


def source_of(record: Held | None, values: Values, key: str, account: CloudAccount) -> str:
    """Who said that it is this one."""
    if record is None:
        return NONE
    known = (record.provider_id, record.name)
    return next((source for value, source in values.all(key, account) if value in known), FIRST)


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


def _chosen(values: Mapping[CloudAccount, Values], key: str) -> list[When]:
    """What was made the default, by the provider's id or by name: the nearer the choice the higher it ranks."""
    return [
        When(Q(account=account) & _means(value), then=-rank)
        for account, each in values.items()
        for rank, (value, _) in enumerate(each.all(key, account), 1)
    ]


def _chosen_first(values: Mapping[CloudAccount, Values], key: str) -> list[OrderBy]:
    chosen = _chosen(values, key)
    return [Case(*chosen, default=-UNCHOSEN).desc()] if chosen else []


def _means(value: str) -> Q:
    return Q(provider_id=value) | Q(name=value)


def _true_first(condition: Q) -> OrderBy:
    return ExpressionWrapper(condition, output_field=BooleanField()).desc()
