"""`cm limits`: how much the clouds allow, and how much of it is used."""

import itertools
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, in_cloud, in_project, listing, pass_client

if TYPE_CHECKING:
    from cloudmesh.types import Json

TOTAL = "total"
UNITS = {"ram": "MiB", "disk": "GiB"}


@click.command()
@in_cloud
@in_project
@click.option("--resource", help="Only of this, such as cores; several with commas between.")
@listing("resource", "cloud", "used", "limit", "left", "unit", "project")
@pass_client
def limits(client: Client, /, show: Show, **filters: str | None) -> None:
    """What each cloud allows you and what is used there, and the sum over all clouds; no limit is left empty.

    These are the clouds' own limits. What the portal allows your project is told by: cm quota list

    \b
    cm limits
    cm limits --cloud india --resource cores,ram
    """
    rows = sorted(client.limits(**filters), key=itemgetter("resource", "cloud"))
    told: Iterable[Json] = with_totals(rows) if show.form in ("table", "plain") and not show.sort else rows
    show(
        ({**row, "unit": UNITS.get(row["resource"])} for row in told),
        empty="No cloud has told its limits yet. Which clouds there are tells: cm cloud list",
    )


def with_totals(rows: "Iterable[Json]") -> "Iterator[Json]":
    """The rows, and after those of a resource that several clouds have their sum; a sum with no limit has none."""
    for resource, group in itertools.groupby(rows, key=itemgetter("resource")):
        found = list(group)
        yield from found
        if len(found) > 1:
            total = {"resource": resource, "cloud": TOTAL, "project": "", "used": sum(row["used"] for row in found)}
            for name in ("limit", "left"):
                parts = [row[name] for row in found]
                total[name] = None if None in parts else sum(parts)
            yield total
