"""`cm hpc get`: the files that a job left, brought here."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.errors import CloudmeshError, Conflict, NotFound
from cloudmesh.shell import talk
from cloudmesh.shell.hpc.choice import chosen_job
from cloudmesh.shell.hpc.output import at_cluster
from cloudmesh.shell.options import Show, listing, pass_client

if TYPE_CHECKING:
    from cloudmesh.types import Json


@click.command()
@click.argument("job")
@click.argument("paths", nargs=-1, metavar="[PATHS]")
@click.option(
    "--to", "folder", default=".", type=click.Path(file_okay=False), help="Into this folder; here if not said."
)
@click.option("--list", "only_list", is_flag=True, help="Only list what is there.")
@click.option("--force", is_flag=True, help="Write over files that are here.")
@at_cluster
@listing("path", "kind", "size", "modified")
@pass_client
def get(
    client: Client, show: Show, job: str, paths: tuple[str, ...], folder: str, only_list: bool, force: bool,
    cluster: str | None,
) -> None:  # fmt: skip
    """Bring the files of a job here: all of its directory, or PATHS in it, which may be folders.

    \b
    cm hpc get 4711 --to results
    cm hpc get 4711 result.csv plots
    cm hpc get 4711 --list
    """
    found = chosen_job(client, job, cluster)
    files = [file for path in paths or ("",) for file in _below(client, found, path.rstrip("/"))]
    if only_list:
        show(files, empty="Nothing is there.")
        return
    for file in files:
        place = _place(folder, file["path"], force=force)
        _save(client, found, file["path"], place)
        talk.say(f"{place}  {file['size']} bytes")


def _below(client: Client, job: "Json", path: str) -> "Iterator[Json]":
    """The files at a path: itself, or what is in it and below. Raises NotFound."""
    above = os.path.dirname(path)
    if path:
        entries = {entry["path"]: entry for entry in client.job_files(job, above)}
        if path not in entries:
            raise NotFound(f"{job['name']} has no file {path}. All are listed by: cm hpc get {job['id']} --list")
        if entries[path]["kind"] != "directory":
            yield entries[path]
            return
    for entry in client.job_files(job, path):
        if entry["kind"] == "directory":
            yield from _below(client, job, entry["path"])
        elif entry["kind"] == "file":
            yield entry


def _place(folder: str, path: str, *, force: bool) -> str:
    """Where a file goes here; never out of the folder. Raises Conflict, CloudmeshError."""
    place = os.path.join(folder, *path.split("/"))
    if os.path.isabs(path) or ".." in path.split("/"):
        raise CloudmeshError(f"The cluster names a file {path!r}, which leads out of {folder}.")
    if os.path.lexists(place) and not force:
        raise Conflict(f"{place} is here already. Say --force to write over it, or --to for another folder.")
    return place


def _save(client: Client, job: "Json", path: str, place: str) -> None:
    """Write a file whole, or not at all."""
    begun = f"{place}.part"
    try:
        os.makedirs(os.path.dirname(place) or ".", exist_ok=True)
        with open(begun, "wb") as file:
            file.writelines(client.download(job, path))
        os.replace(begun, place)
    except OSError as error:
        raise CloudmeshError(f"{place} cannot be written: {error.strerror}.") from error
