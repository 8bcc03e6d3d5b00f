"""What a scheduler or a login asks to be told: from options, a file, or questions."""

from typing import TYPE_CHECKING, TextIO

import click

from cloudmesh.client import Client
from cloudmesh.errors import near
from cloudmesh.shell.credentials import fill
from cloudmesh.shell.options import Command

if TYPE_CHECKING:
    from cloudmesh.types import Json

    Declared = dict[str, Json]


def in_fields(command: Command) -> Command:
    """Gives a command the options for `given_fields`."""
    field = click.option("--field", "fields", multiple=True, metavar="KEY=VALUE", help="A field of it; repeatable.")
    file = click.option(
        "--secret-file", type=click.File(), help="Secret fields, a line KEY=VALUE each; - for standard input."
    )
    return field(file(command))


def fields_of(client: Client, driver: str, way: str | None, key: str = "fields") -> "tuple[str, Declared]":
    """The way to reach a queue manager, its usual one if none is said, and what that needs. Raises UsageError.

    With the key "own" what somebody's own login needs there.
    """
    drivers = {known["name"]: known["ways"] for known in client.scheduler_drivers()}
    if driver not in drivers:
        raise click.UsageError(f"There is no driver {driver}.{near(driver, drivers)} Drivers: {', '.join(drivers)}.")
    ways = {each["name"]: each[key] for each in drivers[driver]}
    way = way or next(iter(ways))
    if way not in ways:
        raise click.UsageError(f"A {driver} is reached by {' or '.join(ways)}, not by {way}.{near(way, ways)}")
    return way, {field["name"]: field for field in ways[way]}


def given_fields(declared: "Declared", fields: tuple[str, ...], secret_file: TextIO | None) -> dict[str, str]:
    """What was said of the fields that are declared; what is missing is asked for. Raises UsageError."""
    return fill(declared, list(fields), secret_file)
