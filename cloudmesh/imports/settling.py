"""What a draft comes to with the drivers that a portal has: the one table of names, kinds and reasons."""

import dataclasses
import re
from collections.abc import Callable, Mapping

from cloudmesh.errors import near
from cloudmesh.imports.found import Draft, is_given
from cloudmesh.imports.openstack_entry import entry
from cloudmesh.types import Json

Drivers = Mapping[str, Mapping[str, Json]]  # name → its fields by name, as the portal declares them

#: What files call a kind of cloud → the driver that speaks with it.
KINDS = {
    "openstack": "openstack",
    "chameleon": "openstack",
    "ec2": "ec2",
    "aws": "ec2",
    "amazon": "ec2",
    "eucalyptus": "ec2",
    "nimbus": "ec2",
}
#: What files call a field of EC2 → the driver's name of it.
EC2 = {
    "ec2_access_key": "access_key_id",
    "ec2_access_id": "access_key_id",
    "ec2_access_key_id": "access_key_id",
    "aws_access_key_id": "access_key_id",
    "access_key": "access_key_id",
    "ec2_secret_key": "secret_access_key",
    "ec2_secret_access_key": "secret_access_key",
    "aws_secret_access_key": "secret_access_key",
    "secret_key": "secret_access_key",
    "ec2_url": "endpoint_url",
    "ec2_region": "region",
    "region_name": "region",
    "os_region": "region",
    "ec2_cacert": "ca_bundle",
    "os_cacert": "ca_bundle",
}
AMAZON = re.compile(r"https?://(?:ec2\.)?(?:([a-z]{2}(?:-[a-z]+)+-\d)\.)?(?:ec2\.)?amazonaws\.com\b")
FILES = ("cacert", "ca_bundle")  # fields for which a file of the older Cloudmesh has a path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cloud:
    """A cloud as it would be registered. `missing` are fields that have to be asked for, `reason` is why it is not."""

    name: str
    called: str
    driver: str
    credential: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    missing: tuple[str, ...] = ()
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)  # fields whose value is in a file here
    label: str = ""
    reason: str = ""

    @property
    def endpoint(self) -> str:
        return next((self.credential[key] for key in ("auth_url", "endpoint_url", "region", "world")
                     if self.credential.get(key)), "")  # fmt: skip

    @property
    def user(self) -> str:
        names = ("username", "application_credential_id", "access_key_id")
        return next((self.credential[key] for key in names if self.credential.get(key)), "")

    @property
    def project(self) -> str:
        return self.credential.get("project_name") or self.credential.get("project_id", "")


def settle(draft: Draft, drivers: Drivers) -> Cloud:
    """Make of a draft what can be registered, or say why it cannot."""
    said = {key.lower().replace("-", "_"): value.strip() for key, value in draft.said.items() if is_given(value)}
    kind = draft.kind or _guess(said)
    driver = KINDS.get(kind, kind)
    name = re.sub(r"[^a-z0-9_-]+", "-", draft.name.lower()).strip("-_")[:40]
    cloud = Cloud(name=name or "cloud", called=draft.name, driver=driver, label=draft.label)
    if driver not in drivers:
        return dataclasses.replace(cloud, driver=kind, reason=_no_driver(kind, drivers))
    if reason := _too_old(kind, draft.version):
        return dataclasses.replace(cloud, reason=reason)
    settled = FILLS.get(driver, _plain)(cloud, said, drivers[driver])
    if draft.is_idle and settled.missing and not settled.reason:
        return dataclasses.replace(
            settled, reason=f"Its file does not use it. Take it all the same with: --only {name}"
        )
    return settled


def _openstack(cloud: Cloud, said: Mapping[str, str], fields: Mapping[str, Json]) -> Cloud:
    """By the same rules as a clouds.yaml; a user name that the file leaves open is asked for, too."""
    plain = {key.removeprefix("os_"): value for key, value in said.items()}
    plain = {key: value for key, value in plain.items() if key != "version"}
    plain |= {"region_name": plain["region"]} if "region" in plain and "region_name" not in plain else {}
    is_open = not plain.keys() & {"username", "application_credential_id", "auth_type"}
    found = entry(cloud.called, plain | ({"username": "?"} if is_open else {}))
    files = {"cacert": plain["cacert"]} if "cacert" in found.missing else {}
    missing = [name for name in found.missing if name != "cacert"]
    return dataclasses.replace(
        cloud,
        credential={key: value for key, value in found.credential.items() if not (is_open and key == "username")},
        missing=(*(["username"] if is_open else []), *missing),
        files=files,
        reason=found.problem and found.problem + _advice(said),
    )


def _advice(said: Mapping[str, str]) -> str:
    if "os_auth_url" in said or "auth_url" in said:
        return ""
    if "cm_openrc" in said:
        return f" It is in an openrc file: cm config import {said['cm_openrc']}"
    return " A me.yaml has no addresses: give the cloudmesh.yaml beside it."


def _ec2(cloud: Cloud, said: Mapping[str, str], fields: Mapping[str, Json]) -> Cloud:
    """Amazon's own endpoints are known by their region."""
    given = {EC2.get(key, key): value for key, value in said.items()}
    if amazon := AMAZON.match(given.get("endpoint_url", "")):
        del given["endpoint_url"]
        given |= {"region": amazon[1]} if amazon[1] and "region" not in given else {}
    return _plain(cloud, given, fields)


def _plain(cloud: Cloud, said: Mapping[str, str], fields: Mapping[str, Json]) -> Cloud:
    """A driver of whose names no file has others: those are taken that it declares."""
    credential = {key: value for key, value in said.items() if key in fields}
    files = {key: credential.pop(key) for key in FILES if key in credential and "-----BEGIN" not in credential[key]}
    missing = [name for name, field in fields.items()
               if field["required"] and not field["default"] and name not in credential]  # fmt: skip
    return dataclasses.replace(cloud, credential=credential, missing=tuple(missing), files=files)


def _guess(said: Mapping[str, str]) -> str:
    """The kind of a cloud of which a file says none, by the names in its credential."""
    if any(key.startswith("os_") for key in said):
        return "openstack"
    if said.keys() & {*EC2, "access_key_id"}:
        return "aws"
    return "azure" if "subscriptionid" in said else "unknown"


def _no_driver(kind: str, drivers: Drivers) -> str:
    if kind == "unknown":
        return f"The file does not say which kind of cloud it is. Kinds here are: {', '.join(drivers)}."
    return f"There is no driver for {kind} here, but for {', '.join(drivers)}.{near(kind, drivers)}"


def _too_old(kind: str, version: str) -> str:
    first = re.match(r"\d+", version)
    if kind == "eucalyptus" and first and int(first[0]) < 3:
        return f"Eucalyptus {version} signs requests in a way that is not spoken any more; version 3 is."
    return ""


Fill = Callable[[Cloud, Mapping[str, str], Mapping[str, Json]], Cloud]
FILLS: Mapping[str, Fill] = {"openstack": _openstack, "ec2": _ec2}
