"""What people give for a credential, against what a driver declares."""

import re
from collections.abc import Mapping, Sequence

from cloudmesh.errors import Invalid
from cloudmesh.types import Field

LONGEST = 65_536  # characters of one field: a bundle of certificates fits


def split(fields: Sequence[Field], given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The facts and the secrets of a credential, checked. Raises Invalid with the field."""
    known = {field.name: field for field in fields}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Invalid(f"Unknown field {unknown[0][:40]!r}; there are: {', '.join(known)}.", field=unknown[0][:40])
    values = {name: str(given.get(name) or field.default).strip() for name, field in known.items()}
    missing = [name for name, field in known.items() if field.required and not values[name]]
    if missing:
        raise Invalid(f"{known[missing[0]].label} is missing.", field=missing[0], missing=missing)
    for name, field in known.items():
        _check_field(field, values[name])
    facts = {name: value for name, value in values.items() if value and not known[name].secret}
    return facts, {name: value for name, value in values.items() if value and known[name].secret}


def _check_field(field: Field, value: str) -> None:
    if len(value) > LONGEST:
        raise Invalid(f"{field.label} is longer than {LONGEST} characters.", field=field.name)
    if value and field.type == "url" and not re.match(r"https?://[^/\s@]+(/\S*)?\Z", value):
        raise Invalid(
            f"{field.label} should be a URL such as https://cloud.example.org:5000/v3, without a user name in it.",
            field=field.name,
        )
    if value and field.choices and value not in field.choices:
        raise Invalid(f"{field.label} is one of {', '.join(field.choices)}.", field=field.name)
