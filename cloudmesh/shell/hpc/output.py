"""`cm hpc output`: what a job wrote."""

from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.errors import NotFound
from cloudmesh.shell.hpc.choice import chosen_job, one_job
from cloudmesh.shell.hpc.tail import emit, follow_output, tell_end
from cloudmesh.shell.options import Command, pass_client

if TYPE_CHECKING:
    from cloudmesh.types import Json

at_cluster = click.option("--cluster", help="At which cluster it is.")


def reading(command: Command) -> Command:
    """Gives a command the choice of what to read."""
    error = click.option("--error", "which", flag_value="error", help="What it wrote to standard error.")
    script = click.option("--script", "which", flag_value="script", help="What it is made of.")
    follows = click.option("--follow", "-f", is_flag=True, help="Go on until it has ended, as it writes.")
    output = click.option("--output", "which", flag_value="output", default="output", help="The default.")
    return output(error(script(follows(command))))


@click.command()
@one_job
@at_cluster
@reading
@pass_client
def output(client: Client, job: str | None, cluster: str | None, which: str, follow: bool) -> None:
    """Print what a job wrote, as its cluster has it now; of the last one that you submitted if none is said.

    \b
    cm hpc output 4711
    cm hpc output --follow
    cm hpc output 4711 --error | tail
    """
    tell(client, chosen_job(client, job, cluster)["id"], which, follow=follow)


def tell(client: Client, id: str, which: str, *, follow: bool) -> None:
    """Print what the job of this id wrote; where it is followed, fails if it failed."""
    job = client.job(id)
    if which == "script":
        emit([_script(job).encode()])
    elif follow:
        tell_end(follow_output(client, job, which))
    else:
        emit(client.download(job, which=which))


def _script(job: "Json") -> str:
    """What it is made of. Raises NotFound."""
    script: str = job["script"]
    if not script:
        raise NotFound(f"The script of {job['name']} is not known here, or not for you to read.")
    return script
