"""`cm cloud`: the clouds one may use."""

from collections.abc import Iterable, Iterator
from typing import Any

import click

from cloudmesh.client import Client
from cloudmesh.errors import Invalid, NotFound
from cloudmesh.shell import credentials, talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, in_project, listing, names, pass_client, preview, sure, waiting
from cloudmesh.shell.table import Row


@click.group()
def cloud() -> None:
    """Clouds: list, show, register, refresh, and which one the next boots take."""


@cloud.command("list")
@in_project
@listing("cloud:name", "active:is_active", "state", "health", "driver", "servers", "project", "seen:seen_at")
@pass_client
def list_(client: Client, /, show: Show, **filters: str) -> None:
    """List the clouds you may use."""
    show(client.clouds(**filters), empty="No clouds. Add one with: cm cloud register NAME --driver openstack")


whole = listing(
    *("id", "cloud:name", "label", "active:is_active", "driver", "project", "state", "reason", "health"),
    *("health_reason", "seen:seen_at", "servers", "instances:limits.instances", "cores:limits.cores", "ram:limits.ram"),
)


@cloud.command("show")
@click.argument("name")
@whole
@pass_client
def show_(client: Client, show: Show, name: str) -> None:
    """Show one cloud; --format json says what can be done there, too."""
    show.one(client.cloud(name))


@cloud.command()
@click.argument("name", required=False)
@whole
@pass_client
def info(client: Client, show: Show, name: str | None) -> None:
    """Show one cloud; without a name the one that the next boot takes.

    Example: cm cloud info india
    """
    show.one(client.cloud(name or _usual(client)))


@cloud.command()
@in_project
@listing("cloud:name", "state", "health", "reason:health_reason", "failures", "retry:retry_at", "seen:seen_at",
         "latency")  # fmt: skip
@pass_client
def health(client: Client, /, show: Show, **filters: str) -> None:
    """Show how each cloud answers: why not, since when, how often in a row, and how long a reading takes.

    Example: cm cloud health --columns cloud,health,reason
    """
    show(_healthy(client.clouds(**filters)), empty="No clouds. Add one with: cm cloud register NAME --driver openstack")


@cloud.command("default")
@click.argument("name", required=False)
@listing("cloud", "source", "image", "flavor")
@pass_client
def default_(client: Client, show: Show, name: str | None) -> None:
    """Show which cloud the next boots take, with its image and flavor; with NAME take that one from now on.

    \b
    cm cloud default
    cm cloud default india
    """
    rows = client.set_defaults(cloud=name) if name else client.defaults()
    known = {(row["key"], row["cloud"]): row for row in rows}
    usual = known["cloud", None]
    of_cloud = {key: known.get((key, usual["value"]), {}).get("value") for key in ("image", "flavor")}
    show.one({"cloud": usual["value"], "source": usual["source"], **of_cloud})


@cloud.command("select")
@click.argument("name", required=False)
@pass_client
def select_(client: Client, name: str | None) -> None:
    """Take a cloud from now on; without a name choose from a list.

    Example: cm cloud select india
    """
    chosen = name or talk.choose("Which cloud", [each["name"] for each in client.clouds()], _usual(client))
    client.set_defaults(cloud=chosen)
    talk.say(f"The next boots take the cloud {chosen}.")


@cloud.command()
@click.argument("names", nargs=-1, metavar="[CLOUD] NAME")
@pass_client
def alias(client: Client, names: tuple[str, ...]) -> None:
    """Call CLOUD, or the one that the next boot takes, NAME from now on; defaults that name it follow.

    Example: cm cloud alias india bloomington
    """
    if not 1 <= len(names) <= 2:
        raise click.UsageError("Say which cloud and its new name: cm cloud alias india bloomington")
    old = names[0] if len(names) == 2 else _usual(client)
    client.alias(old, names[-1])
    talk.say(f"The cloud {old} is now called {names[-1]}.")


@cloud.command()
@names
@in_project
@pass_client
def refresh(client: Client, /, names: tuple[str, ...], project: str | None) -> None:
    """Read clouds anew, now.

    Example: cm cloud refresh "*"
    """
    for each in client.select_clouds(*names, project=project):
        client.refresh(each["id"])


@cloud.command()
@names
@in_project
@pass_client
def on(client: Client, /, names: tuple[str, ...], project: str | None) -> None:
    """Use clouds again."""
    for each in client.select_clouds(*names, project=project):
        client.switch(each["id"], on=True)


@cloud.command()
@names
@in_project
@pass_client
def off(client: Client, /, names: tuple[str, ...], project: str | None) -> None:
    """Leave clouds alone for a while: nothing is read or booted there."""
    for each in client.select_clouds(*names, project=project):
        client.switch(each["id"], on=False)


@cloud.command()
@names
@in_project
@sure
@pass_client
def remove(client: Client, /, names: tuple[str, ...], project: str | None, yes: bool) -> None:
    """Forget clouds and their credentials, after showing which; what runs there goes on running.

    Example: cm cloud remove chameleon
    """
    clouds = client.select_clouds(*names, project=project)
    if not yes:
        preview(clouds, "cloud:name", "state", "driver", "servers", "project")
        what = "this cloud, its credential" if len(clouds) == 1 else f"these {len(clouds)} clouds, their credentials"
        talk.confirm(f"Forget {what} and the servers shown from there?")
    for each in clouds:
        client.remove(each["id"])


@cloud.command()
@click.argument("name")
@click.option("--driver", help="Which kind of cloud, such as openstack or ec2.")
@click.option("--field", "fields", multiple=True, metavar="KEY=VALUE", help="A field of its credential; repeatable.")
@click.option("--secret-file", type=click.File(), help="Secret fields, a line KEY=VALUE each; - for standard input.")
@click.option("--clouds-yaml", type=click.File(), help="Take it from a clouds.yaml.")
@click.option("--entry", help="Which entry of the clouds.yaml.")
@click.option("--openrc", type=click.File(), help="Take it from an openrc file.")
@click.option("--project", help="For which project.")
@waiting
@listing("cloud:name", "active:is_active", "state", "reason", "driver")
@pass_client
def register(client: Client, /, show: Show, name: str, wait: bool, project: str | None, **source: Any) -> None:
    """Add a cloud. It is yours to use once it accepted the credential.

    Secrets are asked for, or read from --secret-file.

    \b
    cm cloud register chameleon --driver openstack --field auth_url=https://chi.uc.example.org:5000/v3
    cm cloud register chameleon --clouds-yaml ~/.config/openstack/clouds.yaml --entry chi
    """
    how = {"project": project, **credentials.gather(client, **source)}
    try:
        wish = client.register(name, **how)
    except Invalid as refused:
        wish = client.register(name, **{**how, "password": credentials.password_for(refused)})
    if wait:
        check(client, follow(client, wish["operation"]))
    show.one(client.cloud(name))


def _usual(client: Client) -> str:
    """The cloud that the next boot takes. Raises NotFound where there is none."""
    usual: str = next(row["value"] for row in client.defaults() if row["key"] == "cloud")
    if not usual:
        raise NotFound("There is no cloud that can be used. Add one with: cm cloud register NAME --driver openstack")
    return usual


def _healthy(clouds: Iterable[Row]) -> Iterator[Row]:
    """Clouds with what there is to say about how they answer."""
    for each in clouds:
        switched = "" if each["is_active"] else "It is switched off."
        yield {**each, "health_reason": switched or each["reason"] or each["health_reason"]}
