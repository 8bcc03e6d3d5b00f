"""`cm image`: what servers are made from."""

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, in_cloud, listing, names, pass_client, preview, sure, waiting


@click.group()
def image() -> None:
    """Images that servers are made from: list, show, delete. New ones are made by: cm vm snapshot"""


@image.command("list")
@click.argument("names", nargs=-1, metavar="[NAMES]")
@in_cloud
@click.option("--own", is_flag=True, help="Only those made by your accounts.")
@click.option("--search", help="Only with this text in the name.")
@listing("name", "cloud", "state", "login", "disk:min_disk", "ram:min_ram", "own", "default:is_default")
@pass_client
def list_(client: Client, /, show: Show, names: tuple[str, ...], own: bool, **filters: str) -> None:
    """List the images of your clouds; `default` is what the next server there is made from."""
    wanted = {**filters, "name": ",".join(names), "own": "true" if own else None}
    found = client.images(**{name: text for name, text in wanted.items() if text})
    show(found, empty="No images. Which clouds there are tells: cm cloud list")


@image.command("show")
@click.argument("name")
@in_cloud
@listing(
    *("id", "name", "cloud", "state", "login", "disk:min_disk", "ram:min_ram", "size", "created", "project"),
    *("provider_id", "default:is_default"),
)
@pass_client
def show_(client: Client, show: Show, name: str, cloud: str | None) -> None:
    """Show one image; --format json has what the cloud says of it, too.

    Example: cm image show ubuntu-24.04 --cloud india
    """
    show.one(client.image(name, cloud))


@image.command()
@names
@in_cloud
@sure
@waiting
@pass_client
def delete(client: Client, /, names: tuple[str, ...], yes: bool, wait: bool, cloud: str | None) -> None:
    """Delete images that were made of servers, after showing which. Servers made from them stay.

    Example: cm image delete "web-2026*" --cloud india
    """
    images = client.select_images(*names, cloud=cloud, own="true")
    if not yes:
        preview(images, "name", "cloud", "state", "size", "created")
        talk.confirm(f"Delete {'this image' if len(images) == 1 else f'these {len(images)} images'}?")
    operation = client.delete_images(images)["operation"]
    if wait:
        check(client, follow(client, operation))
