"""`cm hpc template`: jobs that projects saved."""

from typing import TYPE_CHECKING, Any, TextIO

import click

from cloudmesh.client import Client
from cloudmesh.client.asking import given
from cloudmesh.shell import talk
from cloudmesh.shell.files import read
from cloudmesh.shell.hpc.run import script_at
from cloudmesh.shell.hpc.tail import emit
from cloudmesh.shell.hpc.wanting import RESOURCES, asking
from cloudmesh.shell.options import Show, in_project, listing, pass_client, preview, sure

if TYPE_CHECKING:
    from cloudmesh.types import Json

columns = listing("name", "label", "parameters", "wanted", "locked", "project", "owner", "changed:changed_at")
named = click.argument("template")


@click.group()
def template() -> None:
    """Templates: jobs that a project saved, with parameters: list, show, save, delete.

    Submit one with: cm hpc submit --template NAME --set PARAMETER=VALUE
    """


@template.command("list")
@in_project
@columns
@pass_client
def list_(client: Client, show: Show, project: str | None) -> None:
    """List the templates of your projects."""
    show(map(_in_words, client.templates(project=project)), empty="No templates.")


@template.command("show")
@named
@in_project
@click.option("--script", "only_script", is_flag=True, help="Only its script.")
@columns
@pass_client
def show_(client: Client, show: Show, template: str, project: str | None, only_script: bool) -> None:
    """Show a template; --format json has its script and its parameters whole. Example: cm hpc template show blast"""
    found = client.template(template, project)
    if only_script:
        emit([found["script"].encode()])
    else:
        show.one(found if show.form in ("json", "yaml") else _in_words(found))


@template.command()
@named
@click.argument("script", required=False)
@click.option("--label", help="What it is, in a few words.")
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME[:TYPE][=DEFAULT]",
    help="A variable of the script; TYPE is text, integer, number or boolean; repeatable.",
)
@click.option("--lock", "locked", multiple=True, metavar="NAME", help="Only leaders change this; repeatable.")
@click.option("--from", "source", type=click.File(), help="All of it from a file, as YAML or JSON; - for a pipe.")
@asking(RESOURCES)
@click.option("--project", help="For which project.")
@columns
@pass_client
def save(
    client: Client, /, show: Show, template: str, script: str | None, source: TextIO | None, project: str | None,
    label: str | None, parameters: tuple[str, ...], locked: tuple[str, ...], **wanted: Any,
) -> None:  # fmt: skip
    """Save SCRIPT as a template, or change the one of that name.

    Its parameters are variables of the script. A file for --from has script, label, parameters (each with name, type,
    label, default, choices, least, most, required), wanted and locked.

    \b
    cm hpc template save blast blast.sh --queue batch -c 8 --parameter threads:integer=8 --parameter input
    cm hpc template save blast --from blast.yaml
    """
    if (script is None) == (source is None):
        raise click.UsageError("Say what it is made of: a SCRIPT, or a file with --from.")
    whole: Json = _of_file(source) if source else {"script": script_at(script or "")}
    whole["wanted"] = {**whole.get("wanted", {}), **given(wanted)}
    whole["parameters"] = [*whole.get("parameters", []), *map(_parameter, parameters)]
    whole["locked"] = [*whole.get("locked", []), *locked]
    saved = client.save_template(template, **{**whole, **given({"label": label, "project": project})})
    show.one(saved if show.form in ("json", "yaml") else _in_words(saved))


@template.command()
@named
@in_project
@sure
@pass_client
def delete(client: Client, template: str, project: str | None, yes: bool) -> None:
    """Forget a template, after showing it; jobs that were made of it stay. Example: cm hpc template delete blast"""
    found = client.template(template, project)
    if not yes:
        preview([_in_words(found)], "name", "label", "parameters", "project", "owner")
        talk.confirm(f"Forget the template {found['name']}?")
    client.delete_template(found)


def _of_file(source: TextIO) -> "Json":
    whole = dict(read(source, "script, label, parameters, wanted and locked"))
    if "script" not in whole:
        raise click.UsageError("The file has no script; --help tells what belongs in it.")
    return whole


def _parameter(text: str) -> "Json":
    """`threads:integer=8`"""
    declared, equals, default = text.partition("=")
    name, _, kind = declared.partition(":")
    return {"name": name, "type": kind or "text", **({"default": default} if equals else {"required": True})}


def _in_words(template: "Json") -> "Json":
    """With its parameters and what it asks for as short texts."""
    parameters = {each["name"]: str(each.get("default", "") or "") for each in template["parameters"]}
    wanted = {name: str(value) for name, value in template["wanted"].items()}
    return {**template, "parameters": parameters, "wanted": wanted}
