"""`cm select`: what the next boots take."""

import click

from cloudmesh.shell import default

CHOICES = ("cloud", "image", "flavor", "key")

what = click.Argument(["key"], type=click.Choice(CHOICES), metavar="{cloud|image|flavor|key}")
name = click.Argument(["value"], metavar="NAME")

select = click.Command(
    "select",
    callback=default.set_.callback,
    params=[what, name, *(each for each in default.set_.params if isinstance(each, click.Option))],
    help="""Take a cloud, image, flavor or key from now on; the same as cm default set.

    Example: cm select image ubuntu-24.04 --cloud india""",
)
