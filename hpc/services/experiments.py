"""Promises about experiments: the numbered directories that people's jobs leave at a cluster."""

from collections.abc import Sequence

from accounts.models import User
from cloudmesh.errors import Conflict, NotFound
from cloudmesh.types import expand_names
from hpc.models import Experiment
from operations import services as operations
from operations.models import Operation
from projects import access


def find_experiments(*, actor: User, numbers: Sequence[str]) -> list[Experiment]:
    """One's own experiments of these numbers, `3` or `[1-4,9]`; never all by accident. Raises NotFound, Invalid."""
    wanted = expand_names(*numbers)
    mine = access.visible(Experiment, actor).filter(removed_at=None).select_related("job__scheduler", "job__project")
    found = {str(each.number): each for each in mine.filter(number__in=[n for n in wanted if n.isdecimal()])}
    missing = [number for number in wanted if number not in found]
    if missing or not wanted:
        raise NotFound(f"You have no experiment {', '.join(missing[:5]) or 'without a number'}.", wanted=missing)
    return [found[number] for number in wanted]


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
