"""`cm cloud`: the clouds one may use."""

from typing import Any

import click

from cloudmesh.client import Client
from cloudmesh.errors import Invalid
from cloudmesh.shell import credentials, talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, in_project, listing, pass_client, sure, waiting


@click.group()
def cloud() -> None:
    """Clouds: list, show, register, refresh."""


@cloud.command("list")
@in_project
@listing("cloud:name", "active:is_active", "state", "health", "driver", "servers", "project", "seen:seen_at")
@pass_client
def list_(client: Client, /, show: Show, **filters: str) -> None:
    """List the clouds you may use."""
    show(client.clouds(**filters), empty="No clouds. Add one with: cm cloud register NAME --driver openstack")


@cloud.command("show")
@click.argument("name")
@listing(
    *("id", "cloud:name", "label", "active:is_active", "driver", "project", "state", "reason", "health"),
    *("health_reason", "seen:seen_at", "servers", "instances:limits.instances", "cores:limits.cores", "ram:limits.ram"),
)
@pass_client
def show_(client: Client, show: Show, name: str) -> None:
    """Show one cloud; --format json says what can be done there, too."""
    show.one(client.cloud(name))


@cloud.command()
@click.argument("name")
@pass_client
def refresh(client: Client, name: str) -> None:
    """Read a cloud anew, now."""
    client.refresh(name)


@cloud.command()
@click.argument("name")
@pass_client
def on(client: Client, name: str) -> None:
    """Use a cloud again."""
    client.switch(name, on=True)


@cloud.command()
@click.argument("name")
@pass_client
def off(client: Client, name: str) -> None:
    """Leave a cloud alone for a while: nothing is read or booted there."""
    client.switch(name, on=False)


@cloud.command()
@click.argument("name")
@sure
@pass_client
def remove(client: Client, name: str, yes: bool) -> None:
    """Forget a cloud and its credential; what runs there goes on running."""
    if not yes:
        talk.confirm(f"Forget the cloud {name}, its credential and the servers shown from it?")
    client.remove(name)


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
