"""Labels of servers: people's own words on them, kept at their clouds."""

import re
from collections.abc import Collection, Mapping, Sequence

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from cloudmesh.errors import Invalid
from clouds.models import Server
from clouds.services.servers import ask, require_able, why_not
from clouds.sync import connect
from clouds.sync.servers import OUR_LABELS
from operations.models import Operation

NAME = "Name"  # a server's, at EC2
SHOWN = 60  # characters of a wrong key that are told back


@transaction.atomic
def label_servers(
    *, actor: User, servers: Sequence[Server], labels: Mapping[str, str], remove: Collection[str] = ()
) -> Operation:
    """Set some labels of servers and remove others, here and at their clouds; the rest stays.

    Raises NotAllowed, Conflict, Invalid.
    """
    if not labels and not remove:
        raise Invalid("Say at least one label: KEY=VALUE to set it, KEY- to remove it.", field="labels")
    if both := sorted(labels.keys() & {*remove}):
        raise Invalid(f"The label {both[0]} is to be set and to be removed. Leave one of the two out.", field="remove")
    for key in remove:
        _check_ours(key)
    for server in servers:
        require_able(server, "label")
        kept = {key: value for key, value in server.labels.items() if key not in remove}
        check_labels(server.account.cloud.driver, labels, kept=kept)
    params = {"labels": dict(labels), "remove": list(remove)}
    return ask("server.label", servers, actor=actor, permission="server.change", params=params)


@transaction.atomic
def mark_servers(*, actor: User, servers: Sequence[Server], marks: Mapping[str, str]) -> Operation | None:
    """Write what the portal knows of servers to their clouds: `cloudmesh_group`, `cloudmesh_owner`.

    Those that are not at their cloud, or at one that keeps no labels, are left out; None when that are all.
    """
    odd = sorted(key for key in marks if not key.startswith(OUR_LABELS))
    if odd:
        raise ValueError(f"{odd} are people's labels, not the portal's.")
    able = [server for server in servers if not why_not(server, "label")]
    params = {"labels": dict(marks), "remove": []}
    return ask("server.label", able, actor=actor, permission="server.change", params=params) if able else None


def check_labels(driver: str, labels: Mapping[str, str], *, kept: Mapping[str, str] | None = None) -> None:
    """Raises Invalid for a label that a cloud of this driver would not keep beside those `kept`."""
    known = connect.drivers.named(driver)
    rules = known.labelling
    for key, value in labels.items():
        _check_ours(key)
        _check_text(key, value)
        if strange := re.search(f"[^A-Za-z0-9{re.escape(rules.signs)}]", key) if rules.signs else None:
            raise Invalid(
                f"The key of a label has letters, digits and any of {rules.signs!r} at {known.label}; {key[:SHOWN]!r} "
                f"has {strange[0]!r}.",
                field="labels",
            )
        if key.lower().startswith(rules.reserved):
            raise Invalid(f"Only {known.label} itself writes labels such as {key[:SHOWN]}.", field="labels")
        for what, text, most in (("key", key, rules.key), ("value", value, rules.value)):
            if len(text) > most:
                raise Invalid(
                    f"The {what} of the label {key[:SHOWN]} has {len(text)} characters; {known.label} keeps {most}.",
                    field="labels",
                )
    count = len({*labels, *(kept or {})})
    if count > rules.most:
        raise Invalid(
            f"That would be {count} labels on one server; {known.label} keeps {rules.most}. Remove some first.",
            field="labels",
        )


def labelled(text: str) -> Q:
    """The servers that `KEY=VALUE` means, or `KEY` whatever its value; several with commas between. Raises Invalid."""
    wanted = Q()
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, given, value = part.partition("=")
        if not key:
            raise Invalid(f"{part[:SHOWN]!r} has no key; write KEY=VALUE, or KEY for any value.", field="label")
        wanted &= Q(labels__contains={key: value}) if given else Q(labels__has_key=key)
    return wanted


def _check_ours(key: str) -> None:
    if key.lower().startswith(OUR_LABELS):
        raise Invalid(f"The portal itself writes the label {key[:SHOWN]}; choose another key.", field="labels")
    if key == NAME:
        raise Invalid(
            f"The label {key} is the server's name at some clouds; rename the server instead.", field="labels"
        )


def _check_text(key: str, value: str) -> None:
    if not key or key != key.strip() or "=" in key:
        raise Invalid(
            f"{key[:SHOWN]!r} cannot be the key of a label: it is not empty, has no blank at its ends and no =.",
            field="labels",
        )
    if not key.isprintable() or not value.isprintable():
        raise Invalid(f"The label {key[:SHOWN]!r} has characters that cannot be shown.", field="labels")
