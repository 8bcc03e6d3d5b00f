"""Taking over what changes seldom: images, flavors, networks, security groups, addresses, the provider's limits."""

import dataclasses
import datetime
import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from activity import lifecycle
from cloudmesh import types
from clouds.drivers import CloudDriver
from clouds.models import CloudAccount, Flavor, FloatingIp, Held, Image, KeyPair, Network, SecurityGroup, Sync
from clouds.sync.limits import store_limits
from operations.models import Operation
from projects import quota


@dataclasses.dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Where one kind comes from, where it goes, and how a record becomes a row."""

    model: type[Held]
    read: Callable[[CloudDriver], Iterable[Any]]
    row: Callable[[Any], dict[str, Any]]
    ability: str = ""  # what a driver must be able to do for it


def _image(image: types.Image) -> dict[str, Any]:
    return {
        "name": image.name,
        "state": image.state.value,
        "login": image.login,
        "own": image.own,
        "min_disk": image.min_disk,
        "min_ram": image.min_ram,
        "size": image.size,
        "created": image.created,
    }


def _flavor(flavor: types.Flavor) -> dict[str, Any]:
    return {"name": flavor.name, "cores": flavor.cores, "ram": flavor.ram, "disk": flavor.disk}


def _network(network: types.Network) -> dict[str, Any]:
    facts = {"external": network.external, "shared": network.shared, "usable": network.usable}
    return {"name": network.name, **facts, "subnets": list(network.subnets)}


def _group(group: types.SecurityGroup) -> dict[str, Any]:
    rules = [dataclasses.asdict(rule) for rule in group.rules]
    return {"name": group.name, "rules": rules, "network": group.network}


def _address(address: types.FloatingIp) -> dict[str, Any]:
    return {"name": address.address, "server_provider_id": address.server}


CATALOGUES: Mapping[str, Catalogue] = {
    Sync.Kind.IMAGES: Catalogue(model=Image, read=lambda driver: driver.images(), row=_image),
    Sync.Kind.FLAVORS: Catalogue(model=Flavor, read=lambda driver: driver.flavors(), row=_flavor),
    Sync.Kind.NETWORKS: Catalogue(
        model=Network, read=lambda driver: driver.networks(), row=_network, ability="networks"
    ),
    Sync.Kind.FLOATING_IPS: Catalogue(
        model=FloatingIp, read=lambda driver: driver.floating_ips(), row=_address, ability="floating_ips"
    ),
    Sync.Kind.SECURITY_GROUPS: Catalogue(
        model=SecurityGroup, read=lambda driver: driver.security_groups(), row=_group, ability="security_groups"
    ),
}


def read(account: CloudAccount, driver: CloudDriver, kind: str, began: datetime.datetime) -> tuple[int, int]:
    """Bring one kind up to date; answers how many there are and how many changed."""
    if kind == Sync.Kind.LIMITS:
        limits = list(driver.limits()) if driver.abilities["limits"] else []
        quota.store_limits(account.project, scope=account.lane, limits=limits)
        return len(limits), store_limits(account, limits)
    catalogue = CATALOGUES[kind]
    if catalogue.ability and not driver.abilities[catalogue.ability]:
        return 0, 0
    seen = list(catalogue.read(driver))
    return len(seen), merge(account, catalogue, seen, began)


@transaction.atomic
def merge(account: CloudAccount, catalogue: Catalogue, seen: Iterable[Any], began: datetime.datetime) -> int:
    """Write what is new or different, remove what is gone; answers how many changed.

    What an operation learned after the reading `began` is newer than it, and stays.
    """
    model = catalogue.model
    held = model._default_manager.filter(account=account).values_list("provider_id", "native_hash", "told_at")
    known = {key: digest for key, digest, _ in held}
    newer = {key for key, _, told_at in held if told_at and told_at >= began}
    rows = {record.id: _row(account, catalogue, record) for record in seen}
    fresh = [row for key, row in rows.items() if known.get(key) != row.native_hash and key not in newer]
    gone = known.keys() - rows.keys() - newer
    if fresh:
        columns = [name for name in catalogue.row(_any(seen)) if name] + ["native", "native_hash"]
        model._default_manager.bulk_create(
            fresh,
            batch_size=1000,
            update_conflicts=True,
            unique_fields=["account", "provider_id"],
            update_fields=columns,
        )
    if gone:
        model._default_manager.filter(account=account, provider_id__in=gone).delete()
    if fresh or gone:
        lifecycle.note(
            kind=str(model._meta.model_name),
            verb="synced",
            topic=account.topic,
            object_id=account.pk,
            name=str(account),
            project_id=account.project_id,
        )
    return len(fresh) + len(gone)


def _row(account: CloudAccount, catalogue: Catalogue, record: Any) -> Any:
    told = catalogue.row(record)
    native = orjson.dumps([record.native, told], option=orjson.OPT_SORT_KEYS, default=str)
    digest = hashlib.blake2b(native, digest_size=16).hexdigest()
    return catalogue.model(
        account=account, provider_id=record.id, native=orjson.loads(native)[0], native_hash=digest, **told
    )


def _any(seen: Iterable[Any]) -> Any:
    return next(iter(seen))


def remember_key(account: CloudAccount, key: types.KeyPair) -> None:
    """Note that a key is at the cloud, so that the next boot need not ask."""
    KeyPair.objects.update_or_create(
        account=account, provider_id=key.name, defaults={"name": key.name, "fingerprint": key.fingerprint[:100]}
    )


def remember_group(
    account: CloudAccount, group: types.SecurityGroup, *, by: Operation | None = None, owner: uuid.UUID | None = None
) -> SecurityGroup:
    """Note that a security group is at the cloud, so that the next boot need not ask."""
    kept: SecurityGroup = _remember(account, Sync.Kind.SECURITY_GROUPS, group, by, owner)
    return kept


def remember_address(
    account: CloudAccount, address: types.FloatingIp, *, by: Operation | None = None, owner: uuid.UUID | None = None
) -> FloatingIp:
    """Note that the account has an address, and which server has it."""
    kept: FloatingIp = _remember(account, Sync.Kind.FLOATING_IPS, address, by, owner)
    return kept


def remember_image(account: CloudAccount, image: types.Image, *, by: Operation) -> Image:
    """Note that there is an image, and who made it."""
    kept: Image = _remember(account, Sync.Kind.IMAGES, image, by, by.owner_id)
    return kept


def freed(address: FloatingIp, *, by: Operation) -> None:
    """Note that no server has an address any more."""
    FloatingIp.objects.filter(pk=address.pk).update(server_provider_id="", native_hash="", told_at=timezone.now())
    _note(FloatingIp, address.account, "changed", address, by)


def forget(held: Held, *, by: Operation) -> None:
    """Note that something is at the cloud no more."""
    type(held)._default_manager.filter(pk=held.pk).delete()
    _note(type(held), held.account, "deleted", held, by)


@transaction.atomic
def _remember(account: CloudAccount, kind: str, record: Any, by: Operation | None, owner: uuid.UUID | None) -> Any:
    """One record as an operation saw it: under the id that the operation is about where it is a new one."""
    catalogue = CATALOGUES[kind]
    row = _row(account, catalogue, record)
    told = {name: getattr(row, name) for name in (*catalogue.row(record), "native", "native_hash")}
    new = {"owner_id": owner, **({"pk": by.target_id} if by and by.target_kind == row._meta.model_name else {})}
    kept, is_new = catalogue.model._default_manager.update_or_create(
        account=account,
        provider_id=record.id,
        defaults={**told, **({"owner_id": owner} if owner else {}), "told_at": timezone.now()},
        create_defaults={**told, **new, "told_at": timezone.now()},
    )
    _note(catalogue.model, account, "created" if is_new else "changed", kept, by)
    return kept


def _note(model: type[Held], account: CloudAccount, verb: str, held: Held, by: Operation | None) -> None:
    lifecycle.note(
        kind=str(model._meta.model_name),
        verb=verb,
        topic=account.topic,
        object_id=held.pk,
        name=held.name,
        project_id=account.project_id,
        actor=by.owner if by else None,
    )
