"""`cm hpc login`: as whom one's jobs run at a cluster."""

from typing import TextIO

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.hpc.choice import one_cluster, place
from cloudmesh.shell.hpc.fields import fields_of, given_fields, in_fields
from cloudmesh.shell.options import Show, listing, pass_client, sure, waiting

columns = listing("scheduler", "login:name", "identity", "state", "public_key")
whole = listing("scheduler", "login:name", "state", "mapped:is_mapped", "public_key")
KEY = "Allow this key there, as a line of ~/.ssh/authorized_keys, then say: cm hpc login verify {}"


@click.group()
def login() -> None:
    """Your logins at clusters: list, show, set, verify, remove; for administrators, map.

    A login is yours at a scheduler, and so at all clusters that it shows as.
    """


@login.command("list")
@columns
@pass_client
def list_(client: Client, show: Show) -> None:
    """List who you are at each scheduler."""
    show(client.logins(), empty="No clusters. Add one with: cm hpc cluster register NAME")


@login.command("show")
@one_cluster
@whole
@pass_client
def show_(client: Client, show: Show, cluster: str) -> None:
    """Show who you are at a cluster, and the key that the portal made for you there."""
    scheduler = place(client, cluster)["scheduler"]
    show.one({"scheduler": scheduler, **client.login(scheduler)})


@login.command("set")
@one_cluster
@click.argument("user")
@click.option("--key", metavar="PATH", help="Your private key; without any the portal makes one where ssh is the way.")
@in_fields
@waiting
@whole
@pass_client
def set_(
    client: Client, show: Show, cluster: str, user: str, key: str | None, fields: tuple[str, ...],
    secret_file: TextIO | None, wait: bool,
) -> None:  # fmt: skip
    """Say that you are USER at a cluster, with a credential of your own; it is tried before it is used.

    Where ssh is the way and no key is given the portal makes one: its public half is printed, to be allowed there.

    \b
    cm hpc login set india gregor
    cm hpc login set india gregor --key ~/.ssh/id_ed25519
    """
    known = place(client, cluster)
    _, own = fields_of(client, known["driver"], known["way"], "own")
    said = (*fields, *([f"key={key}"] if key else []))
    is_made = known["way"] == "ssh" and not said and secret_file is None
    answer = client.set_login(known["scheduler"], user, None if is_made else given_fields(own, said, secret_file))
    if answer["operation"] and wait:
        check(client, follow(client, answer["operation"]))
    now = client.login(known["scheduler"])
    show.one({"scheduler": known["scheduler"], **now})
    if now["public_key"]:
        talk.say(KEY.format(cluster))


@login.command()
@one_cluster
@waiting
@whole
@pass_client
def verify(client: Client, show: Show, cluster: str, wait: bool) -> None:
    """Try whether your login works. Example: cm hpc login verify india"""
    scheduler = place(client, cluster)["scheduler"]
    operation = client.verify_login(scheduler)["operation"]
    if wait:
        check(client, follow(client, operation))
    show.one({"scheduler": scheduler, **client.login(scheduler)})


@login.command()
@one_cluster
@sure
@pass_client
def remove(client: Client, cluster: str, yes: bool) -> None:
    """Forget who you are at a cluster, and the credential; your jobs there go on."""
    scheduler = place(client, cluster)["scheduler"]
    known = client.login(scheduler)
    if not yes:
        talk.confirm(f"Forget your login {known['name']} at {scheduler}, and the credential for it?")
    client.remove_login(scheduler)


@login.command("map")
@one_cluster
@click.argument("person")
@click.argument("user")
@whole
@pass_client
def map_(client: Client, show: Show, cluster: str, person: str, user: str) -> None:
    """Say that PERSON's jobs run as USER, with the scheduler's own credential; for administrators.

    Example: cm hpc login map india ada ada01
    """
    scheduler = place(client, cluster)["scheduler"]
    show.one({"scheduler": scheduler, **client.map_login(scheduler, person, user)})
