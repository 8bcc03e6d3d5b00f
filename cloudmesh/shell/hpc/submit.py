"""`cm hpc submit`: a script or a template as a job; with --dryrun what would become of it."""

import sys
from typing import TYPE_CHECKING, Any

import click

from cloudmesh.client import Client
from cloudmesh.errors import CloudmeshError, PolicyDenied, QuotaExceeded
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.hpc.look import columns
from cloudmesh.shell.hpc.run import script_at
from cloudmesh.shell.hpc.shaping import clock, shaped
from cloudmesh.shell.hpc.wanting import OTHERS, PLAN, RESOURCES, asking, wish
from cloudmesh.shell.options import Show, pass_client, waiting
from cloudmesh.shell.vm.boot import QUOTAS

if TYPE_CHECKING:
    from cloudmesh.types import Json


@click.command()
@click.argument("script", required=False)
@click.option("--template", help="Instead of a script: one that a project saved.")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="A parameter of the template; repeatable.")
@asking(RESOURCES, OTHERS)
@click.option("--experiment/--no-experiment", default=True, help="In a numbered directory of its own; the default.")
@click.option("--dryrun", is_flag=True, help="Only show what would happen: policies, quotas, when it would start.")
@waiting
@columns
@pass_client
def submit(
    client: Client, /, show: Show, script: str | None, values: tuple[str, ...], wait: bool, dryrun: bool, **wanted: Any
) -> None:
    """Submit SCRIPT, or what a pipe brings with -, and show the job as soon as its cluster has it.

    What you do not say comes from the script's own directives, the template or the queue.

    \b
    cm hpc submit job.sh --queue batch -t 1:30:00 --file data.csv
    echo "echo hello" | cm hpc submit - --cluster india --name hello
    cm hpc submit --template blast --set threads=8 --dryrun
    """
    if (script is None) == (wanted["template"] is None):
        raise click.UsageError("Say what to submit: a SCRIPT, or one with --template.")
    whole = wish(client, script=_text(script), values=_pairs(values), **wanted)
    if dryrun:
        _show_plan(client, show, whole)
        return
    made = client.submit_job(**whole)
    if wait:
        ended = follow(client, made["operation"])
        show(map(shaped, client.reread_jobs(made["jobs"])))
        check(client, ended)
    else:
        show(map(shaped, made["jobs"]))
        talk.say(f"Follow it with: cm operation wait {made['operation']['id']}")


def _text(script: str | None) -> str | None:
    if script == "-":
        return sys.stdin.read()
    return script_at(script) if script is not None else None


def _pairs(words: tuple[str, ...]) -> dict[str, str] | None:
    """`NAME=VALUE` words as what they say. Raises UsageError."""
    for word in words:
        if not word.partition("=")[0] or "=" not in word:
            raise click.UsageError(f"{word} sets nothing. Write NAME=VALUE.")
    return {name: value for name, _, value in (word.partition("=") for word in words)} or None


def _show_plan(client: Client, show: Show, whole: "Json") -> None:
    """What a submission would come to; fails as it would."""
    plan = client.plan_job(**whole)
    plan["walltime"] = clock(plan["spec"].get("walltime"))
    plan["forecast"] = None if plan["refusal"] else _forecast(client, whole)
    show._replace(declared=(*PLAN, "start:forecast.start", "hosts:forecast.hosts", "scheduler:forecast.text")).one(plan)
    if plan["quotas"] and show.form in ("table", "plain") and not show.wanted:
        show._replace(declared=QUOTAS, sort=None)(plan["quotas"])
    if plan["refusal"]:
        is_denied = plan["decision"]["effect"] == "deny"
        raise PolicyDenied(plan["refusal"]) if is_denied else QuotaExceeded(plan["refusal"])


def _forecast(client: Client, whole: "Json") -> "Json":
    """What the scheduler says, or why it says nothing."""
    try:
        return client.forecast_job(**whole)
    except CloudmeshError as error:
        return {"start": None, "hosts": [], "text": error.message}
