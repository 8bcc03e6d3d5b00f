"""The security groups of Neutron and their rules."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import Rule, SecurityGroup
from clouds.drivers.openstack import records
from clouds.drivers.openstack.failures import understood

if TYPE_CHECKING:
    from clouds.drivers.openstack.connection import Cloud


def listing(cloud: "Cloud", *query: tuple[str, str]) -> Iterator[SecurityGroup]:
    own = ("project_id", cloud.project)
    return cloud.pages(
        "network", "security-groups", key="security_groups", translate=records.security_group, query=(own, *query)
    )


def ensure(cloud: "Cloud", name: str, rules: Iterable[Rule]) -> SecurityGroup:
    """By one at a time: Neutron lets two make the same group or rule at the same instant."""
    wanted = tuple(dict.fromkeys(rules))
    group = _group(cloud, name)
    if group and not _missing(group, wanted):
        return group
    with cloud.alone(is_patient=True):
        group = _group(cloud, name) or _made_group(cloud, name)
        missing = _missing(group, wanted)
        for rule in missing:
            _add_rule(cloud, group, rule)
        return (_group(cloud, name) or group) if missing else group


def change(cloud: "Cloud", group_id: str, add: Iterable[Rule], remove: Iterable[Rule]) -> SecurityGroup:
    """By one at a time, as `ensure`."""
    unwanted = set(remove)
    with cloud.alone(is_patient=True):
        group = _read(cloud, group_id)
        natives = group.native.get("security_group_rules") or ()
        for native in natives:
            if records.lets_a_network_in(native) and records.rule(native) in unwanted:
                with contextlib.suppress(Gone):
                    cloud.ask("DELETE", "network", "security-group-rules", native["id"])
        for rule in _missing(group, dict.fromkeys(add)):
            _add_rule(cloud, group, rule)
        return _read(cloud, group_id)


def delete(cloud: "Cloud", group_id: str) -> None:
    with contextlib.suppress(Gone):
        cloud.ask("DELETE", "network", "security-groups", group_id)


def _read(cloud: "Cloud", group_id: str) -> SecurityGroup:
    return cloud.read("network", "security-groups", group_id, key="security_group", translate=records.security_group)


def _missing(group: SecurityGroup, wanted: Iterable[Rule]) -> list[Rule]:
    return [rule for rule in wanted if rule not in group.rules]


def _group(cloud: "Cloud", name: str) -> SecurityGroup | None:
    """The first group of that name; Neutron allows several."""
    return min(listing(cloud, ("name", name)), key=_age, default=None)


def _age(group: SecurityGroup) -> tuple[str, str]:
    return str(group.native.get("created_at")), group.id


def _made_group(cloud: "Cloud", name: str) -> SecurityGroup:
    wish = {"security_group": {"name": name, "description": "Made by Cloudmesh"}}
    answer = cloud.ask("POST", "network", "security-groups", body=wish)
    with understood("network"):
        made = records.security_group(answer["security_group"])
    first = _group(cloud, name) or made
    if first.id != made.id:  # made at once by somebody on another machine
        cloud.ask("DELETE", "network", "security-groups", made.id)
    return first


def _add_rule(cloud: "Cloud", group: SecurityGroup, rule: Rule) -> None:
    wish = {"security_group_rule": records.asked_rule(rule, group.id)}
    try:
        cloud.ask("POST", "network", "security-group-rules", body=wish)
    except Rejected as reason:
        if reason.facts.get("code") != "SecurityGroupRuleExists":
            raise
