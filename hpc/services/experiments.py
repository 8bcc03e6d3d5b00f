"""Promises about experiments: the numbered directories that people's jobs leave at a cluster."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Max

from accounts.models import User
from cloudmesh.errors import Conflict, Invalid, NotFound
from cloudmesh.types import expand_names
from hpc.models import Experiment, Input, Job
from operations import services as operations
from operations.models import Operation
from projects import access

MOST_INPUTS, LARGEST_INPUTS = 100, 3 * 2**20  # files, bytes of all together
LONGEST_PATH = 255


def add_experiment(*, job: Job, actor: User, command: str, files: Sequence[Mapping[str, Any]]) -> Experiment:
    """The next of a person's numbered directories, for a job that is just wished for, with the files it starts from.

    `files` are `{path, content}`: below the directory, and bytes. Raises Invalid.
    """
    inputs = [Input(job=job, path=_path(str(each["path"])), content=bytes(each["content"])) for each in files]
    _check_inputs(inputs)
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    last = Experiment.objects.filter(owner=actor.pk).aggregate(last=Max("number"))["last"] or 0
    Input.objects.bulk_create(inputs)
    return Experiment.objects.create(owner=actor, number=last + 1, job=job, command=command[:2000])


def find_experiments(*, actor: User, numbers: Sequence[str]) -> list[Experiment]:
    """One's own experiments of these numbers, `3` or `[1-4,9]`; never all by accident. Raises NotFound, Invalid."""
    wanted = expand_names(*numbers)
    mine = access.visible(Experiment, actor).filter(removed_at=None).select_related("job__scheduler", "job__project")
    found = {str(each.number): each for each in mine.filter(number__in=[n for n in wanted if n.isdecimal()])}
    missing = [number for number in wanted if number not in found]
    if missing or not wanted:
        raise NotFound(f"You have no experiment {', '.join(missing[:5]) or 'without a number'}.", wanted=missing)
    return [found[number] for number in wanted]


def has_directory(job: Job) -> bool:
    """Whether a job has a numbered directory at its cluster."""
    return Experiment.objects.filter(job=job, removed_at=None).exclude(directory="").exists()


def remove_experiments(*, actor: User, experiments: Sequence[Experiment]) -> Operation:
    """Remove the directories of experiments at their clusters, with all they hold. Raises Conflict."""
    for each in experiments:
        if not each.job.is_ended:
            raise Conflict(f"The job {each.job} of experiment {each} is {each.job.state}. Cancel it first.")
    project = experiments[0].job.project or access.default_project(actor)
    return operations.request(
        "experiment.remove",
        targets=list(experiments),
        project=project,
        actor=actor,
        lanes=[each.job.scheduler.lane for each in experiments],
    )


def _path(path: str) -> str:
    """Where an input goes: some names from the directory down. Raises Invalid."""
    parts = path.split("/")
    odd = any(part in ("", ".", "..") or not part.isprintable() for part in parts)
    if odd or len(path.encode()) > LONGEST_PATH:
        raise Invalid(f"{path[:60]!r} cannot be a file's path: name the way down, such as data/in.csv.", field="files")
    return path


def _check_inputs(inputs: Sequence[Input]) -> None:
    if len(inputs) > MOST_INPUTS or sum(len(each.content) for each in inputs) > LARGEST_INPUTS:
        raise Invalid(
            f"A job takes up to {MOST_INPUTS} files of {LARGEST_INPUTS // 2**20} MiB together. Copy more to the cluster"
            " yourself, and name its place in the script.",
            field="files",
        )
    paths = [each.path for each in inputs]
    for path in paths:
        if paths.count(path) > 1 or any(other.startswith(f"{path}/") for other in paths):
            raise Invalid(f"{path!r} is named twice.", field="files")
