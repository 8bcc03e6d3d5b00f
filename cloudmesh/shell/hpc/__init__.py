"""`cm hpc`: jobs, queues and nodes of HPC clusters. Each family of verbs is a module of this package."""

import click

from cloudmesh.shell.verbs import Verbs

FAMILIES = {
    "look": "jobs queue status",
    "machines": "info queues nodes",
    "run": "run",
    "submit": "submit",
    "change": "cancel hold release",
    "output": "output",
    "get": "get",
    "experiment": "experiment",
    "template": "template",
    "cluster": "cluster",
    "login": "login",
}


@click.group(commands=Verbs(__name__, FAMILIES))
def hpc() -> None:
    """HPC clusters: run and submit jobs, follow them, read what they write; queues, nodes, experiments, templates.

    JOBS are ids (the scheduler's or the portal's), names, hostlists such as "[101-104]", or globs such as "sim*".
    Times are written 1:30:00, 90m or 2d; memory 500M or 4G.
    """
