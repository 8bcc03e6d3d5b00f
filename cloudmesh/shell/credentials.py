"""A cloud's credential, gathered from options, files and questions; secrets never need to be on the command line."""

import itertools
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

import click

from cloudmesh.client import Client
from cloudmesh.errors import Invalid, near
from cloudmesh.shell import talk

if TYPE_CHECKING:
    from cloudmesh.types import Json


def gather(
    client: Client,
    *,
    driver: str | None,
    fields: Iterable[str],
    secret_file: TextIO | None,
    clouds_yaml: TextIO | None,
    entry: str | None,
    openrc: TextIO | None,
) -> "Json":
    """What `Client.register` needs beside the name; raises UsageError for what is missing or contradicts itself."""
    if sum(source is not None for source in (driver, clouds_yaml, openrc)) != 1:
        raise click.UsageError("Say where the cloud is: one of --driver, --clouds-yaml or --openrc.")
    password = secret_file.read().strip() if secret_file and not driver else None
    if clouds_yaml:
        return {"clouds_yaml": clouds_yaml.read(), "cloud": entry, "password": password}
    if openrc:
        return {"openrc": openrc.read(), "password": password}
    declared = _fields_of(client, driver or "")
    return {"driver": driver, "credential": fill(declared, list(fields), secret_file)}


def password_for(refused: Invalid) -> str:
    """The password that a file does not hold, where the person can be asked for it; else raises `refused`."""
    if refused.facts.get("field") != "password":
        raise refused
    if not talk.can_ask():
        refused.facts["hint"] = "Give it with --secret-file."
        raise refused
    return talk.ask("Password", secret=True)


def _fields_of(client: Client, driver: str) -> "dict[str, Json]":
    drivers = {known["name"]: known["fields"] for known in client.drivers()}
    if driver not in drivers:
        raise click.UsageError(f"There is no driver {driver}.{near(driver, drivers)} Drivers: {', '.join(drivers)}.")
    return {field["name"]: field for field in drivers[driver]}


def fill(declared: "dict[str, Json]", given: list[str], secret_file: TextIO | None) -> dict[str, str]:
    """The fields that are declared, as given, from a file or asked for. Raises UsageError."""
    credential = _pairs(declared, given)
    if exposed := [name for name in credential if declared[name]["secret"]]:
        talk.warn(
            f"others on this machine can see {', '.join(exposed)} on the command line; "
            "better use --secret-file, or leave it out and be asked."
        )
    if secret_file:
        credential |= _pairs(declared, [line for line in secret_file.read().splitlines() if line.strip()])
    for name, field in declared.items():
        if name not in credential and field["required"] and not field["default"]:
            credential[name] = _ask(field)
    return credential | _optional_secret(declared, credential)


def _optional_secret(declared: "dict[str, Json]", credential: dict[str, str]) -> dict[str, str]:
    """Where a driver takes one of several secrets and none is given yet: the first that the person has."""
    secrets = {name: field["label"] for name, field in declared.items() if field["secret"]}
    if not talk.can_ask() or credential.keys() & secrets.keys():
        return {}
    answers = (
        (name, talk.ask(f"{label} (Enter for none)", secret=True, default="")) for name, label in secrets.items()
    )
    return dict(itertools.islice(((name, answer) for name, answer in answers if answer), 1))


def _pairs(declared: "dict[str, Json]", lines: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals:
            raise click.UsageError("A field is written KEY=VALUE.")  # without the line: it may be a secret
        if name.strip() not in declared:
            raise click.UsageError(f"There is no field {name}.{near(name, declared)} Fields: {', '.join(declared)}.")
        is_file = declared[name.strip()]["type"] == "file"
        pairs[name.strip()] = _content(os.path.expanduser(value.strip())) if is_file else value.strip()
    return pairs


def _content(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeError) as error:
        raise click.UsageError(f"{path} cannot be read: {error}.") from error


def _ask(field: "Json") -> str:
    if not talk.can_ask():
        how = "--secret-file" if field["secret"] else f"--field {field['name']}=…"
        raise click.UsageError(f"{field['label']} ({field['name']}) is missing: give it with {how}.")
    return talk.ask(field["label"], secret=field["secret"])
