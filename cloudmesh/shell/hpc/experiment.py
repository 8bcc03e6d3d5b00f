"""`cm hpc experiment`: the numbered directories that jobs leave."""

from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.errors import NotFound
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.hpc.choice import in_cluster
from cloudmesh.shell.hpc.output import reading, tell
from cloudmesh.shell.options import Show, listing, pass_client, preview, sure, waiting

if TYPE_CHECKING:
    from cloudmesh.types import Json

COLUMNS = ("number", "command", "state", "cluster", "submitted", "ended", "exit:exit_code")


@click.group()
def experiment() -> None:
    """Experiments, the numbered directories of your jobs: list, show, output, remove.

    `cm hpc run` and `cm hpc submit` make one each, at the cluster; its files are brought here by `cm hpc get`.
    """


@experiment.command("list")
@in_cluster
@click.option("--state", help="Only those whose job is in this state.")
@listing(*COLUMNS)
@pass_client
def list_(client: Client, /, show: Show, **filters: str | None) -> None:
    """List your experiments, the newest first."""
    show(client.experiments(**filters), empty="No experiments. Begin one with: cm hpc run COMMAND")


@experiment.command("show")
@click.argument("experiment")
@listing("number", "command", "job", "state", "cluster", "directory", "submitted", "started", "ended", "exit:exit_code")
@pass_client
def show_(client: Client, show: Show, experiment: str) -> None:
    """Show one experiment, and where its directory is. Example: cm hpc experiment show 3"""
    show.one(client.experiment(experiment))


@experiment.command("output")
@click.argument("experiment")
@reading
@pass_client
def output_(client: Client, experiment: str, which: str, follow: bool) -> None:
    """Print what the job of an experiment wrote. Example: cm hpc experiment output 3 --error"""
    tell(client, client.experiment(experiment)["job"], which, follow=follow)


@experiment.command("rm")
@click.argument("experiment", nargs=-1, required=True, metavar="NUMBERS")
@sure
@waiting
@pass_client
def remove(client: Client, experiment: tuple[str, ...], yes: bool, wait: bool) -> None:
    """Remove the directories of experiments with all that is in them, after showing which; never all by accident.

    \b
    cm hpc experiment rm 3
    cm hpc experiment rm "[3-7]" --yes
    """
    found = _numbered(client, experiment)
    if not yes:
        preview(found, *COLUMNS)
        these = "this experiment" if len(found) == 1 else f"these {len(found)} experiments"
        talk.confirm(f"Remove {these}, with all files there?")
    operation = client.remove_experiments(*(str(each["number"]) for each in found))["operation"]
    if wait:
        check(client, follow(client, operation))


def _numbered(client: Client, hostlists: tuple[str, ...]) -> "list[Json]":
    """One's experiments of these numbers. Raises NotFound, UsageError."""
    from cloudmesh.types import expand_names

    wanted = expand_names(*hostlists)
    if not wanted or not all(number.isdecimal() for number in wanted):
        raise click.UsageError('Say the numbers of experiments, such as 3 or "[3-7]".')
    known = {str(each["number"]): each for each in client.experiments()}
    missing = [number for number in wanted if number not in known]
    if missing:
        numbers = ", ".join(missing[:5])
        raise NotFound(f"You have no experiment {numbers}. All are listed by: cm hpc experiment list")
    return [known[number] for number in wanted]
