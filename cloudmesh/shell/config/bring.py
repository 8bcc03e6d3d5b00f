"""`cm config import`: clouds, keys and defaults from files of other tools."""

from typing import TYPE_CHECKING, TextIO

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.options import Show, listing, pass_client, preview, sure

if TYPE_CHECKING:
    from cloudmesh.shell.config.planning import Step

KINDS = ("cloudmesh", "me", "clouds.yaml", "openrc", "aws", "ssh")
COLUMNS = ("kind", "name", "value", "user", "project", "missing", "state")


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--kind", type=click.Choice(KINDS), help="What the files are, where they do not look like it.")
@click.option("--only", multiple=True, metavar="CLOUDS", help="Only these clouds and their defaults; repeatable.")
@click.option("--secret-file", type=click.File(), help="Missing secrets, a line CLOUD.FIELD=VALUE each; - for input.")
@click.option("--dryrun", is_flag=True, help="Only show what would be done.")
@click.option("--project", help="Register them for this project; the one you work in if not said.")
@sure
@listing(*COLUMNS, "reason")
@pass_client
def import_(
    client: Client, /, show: Show, files: tuple[str, ...], kind: str | None, only: tuple[str, ...],
    project: str | None, secret_file: TextIO | None, dryrun: bool, yes: bool,
) -> None:  # fmt: skip
    """Register the clouds, keys and defaults that FILES of other tools hold.

    Read are cloudmesh.yaml and me.yaml of the older Cloudmesh, clouds.yaml, openrc, ~/.aws/credentials and
    ~/.ssh/config. What would be done is shown first; secrets that are missing are asked for. A second time nothing
    is done twice.

    \b
    cm config import ~/.cloudmesh/cloudmesh.yaml ~/.cloudmesh/me.yaml
    cm config import ~/.config/openstack/clouds.yaml --only india --dryrun
    """
    from cloudmesh.shell.config import carrying, planning, reading

    plan = planning.plan(client, reading.read(files, kind or ""), only, project)
    news = [step for step in plan.steps if step.state == planning.NEW]
    if news and not dryrun:
        secrets = carrying.secrets_of(secret_file)
        if not yes:
            preview((step.row for step in plan.steps), *COLUMNS)
            _explain(plan.steps)
            talk.confirm(f"{_count(news)} in the project {plan.project}?")
        carrying.carry(client, plan, secrets)
    show((step.row for step in plan.steps), empty="These files hold no clouds, keys or defaults.")
    if not dryrun:
        _end(news, plan.steps)


def _explain(steps: "list[Step]") -> None:
    for step in steps:
        if step.reason:
            talk.say(f"{step.name}: {step.reason}")


def _count(news: "list[Step]") -> str:
    """`Register 2 clouds, add 1 key and set 3 defaults`."""
    words = {"cloud": "register", "key": "add", "default": "set"}
    counts = {kind: sum(step.kind == kind for step in news) for kind in words}
    said = [
        f"{verb} {counts[kind]} {kind}{'s' if counts[kind] > 1 else ''}" for kind, verb in words.items() if counts[kind]
    ]
    return (", ".join(said[:-1]) + " and " + said[-1] if said[1:] else said[0]).capitalize()


def _end(news: "list[Step]", steps: "list[Step]") -> None:
    """Say why something was not done; the exit code tells whether all was that should."""
    from cloudmesh.shell.config.carrying import DONE

    if not news:
        talk.say("Nothing is to be done.")
    failed = [step for step in news if step.state != DONE]
    _explain(failed)
    if failed:
        raise click.exceptions.Exit(1)
