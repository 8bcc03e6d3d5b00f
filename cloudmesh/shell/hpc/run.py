"""`cm hpc run`: a command at a cluster, as if it ran here."""

import os
import shlex
from typing import TYPE_CHECKING, Any

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.hpc.look import columns
from cloudmesh.shell.hpc.shaping import shaped
from cloudmesh.shell.hpc.tail import follow_output, tell_end
from cloudmesh.shell.hpc.wanting import OTHERS, RESOURCES, asking, wish
from cloudmesh.shell.options import Show, pass_client, waiting

if TYPE_CHECKING:
    from cloudmesh.types import Json


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, metavar="COMMAND")
@asking(RESOURCES, OTHERS)
@waiting
@columns
@pass_client
def run(client: Client, /, show: Show, command: tuple[str, ...], wait: bool, **wanted: Any) -> None:
    """Run COMMAND, or a script that is here, as a job in a directory of its own; wait and print its output.

    Options stand before COMMAND. One word is read by the shell there, several are a program and its arguments. Each
    run is a numbered experiment, see cm hpc experiment. Fails if the job fails; Ctrl-C leaves it running.

    \b
    cm hpc run hostname
    cm hpc run --cluster delta -N 2 -t 30m -G 1 "module load cuda && ./train --epochs 5"
    cm hpc run --file data.csv ./analyse.sh
    """
    made = client.submit_job(**wish(client, **_work(command), **wanted))
    [job] = made["jobs"]
    if not wait:
        show([shaped(job)])
        talk.say(f"Follow it with: cm hpc output {job['id']} --follow")
        return
    check(client, follow(client, made["operation"]))
    job = client.job(job["id"])
    talk.say(f"Job {job['provider_id']} at {job['cluster']}, experiment {job['experiment']}.")
    tell_end(follow_output(client, job, "output"))


def _work(command: tuple[str, ...]) -> "Json":
    """The text of a script that is here, or else a command."""
    path, *arguments = command
    if arguments or not os.path.isfile(path):
        return {"command": path if not arguments else shlex.join(command)}
    return {"script": script_at(path), "command": path}


def script_at(path: str) -> str:
    """The text of a script. Raises UsageError."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeError) as error:
        raise click.UsageError(f"{path} cannot be read as a script: {error}.") from error
