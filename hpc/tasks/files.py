"""The files of jobs: a numbered directory for each experiment, and what is read of what jobs wrote.

All of it is below one directory of its owner at the cluster; nothing else is read or written there.
"""

import dataclasses
import posixpath

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import JobSpec
from hpc.backends.files import ShellFiles
from hpc.drivers import Files, HpcDriver, Part, Shell
from hpc.models import Experiment, Job

FOLDER = "cloudmesh/experiments"  # below the home directory


def prepared(driver: HpcDriver, job: Job, spec: JobSpec) -> JobSpec:
    """The job with a directory of its own at the cluster, made now, where it is an experiment."""
    experiment = Experiment.objects.filter(job=job).first()
    if experiment is None:
        return spec
    root = _root(driver)
    folder = f"{experiment.number}-{job.token[:8]}"
    name = f"{job.login}-{experiment.number}"
    place = posixpath.join(root, folder)
    files = _files(driver, root)
    if folder not in {entry.name for entry in files.entries()}:
        files.make(folder)
        files.write(f"{folder}/{name}.sh", job.script.encode(), mode=0o700)
    job.directory, job.output, job.error = place, f"{place}/{name}.out", f"{place}/{name}.err"
    Experiment.objects.filter(pk=experiment.pk).update(directory=place)
    return dataclasses.replace(spec, directory=job.directory, output=job.output, error=job.error)


def read(driver: HpcDriver, job: Job, which: str, *, offset: int, most: int) -> Part:
    """A part of what a job wrote below the experiments. Raises Gone, Rejected for any other place."""
    if which == "script":
        text = job.script.encode()
        return Part(text[max(0, offset) :][:most], max(0, offset), len(text), job.created_at)
    path = (job.error or job.output) if which == "error" else job.output
    if not path:
        raise Gone(f"The scheduler does not tell where {job} writes its {which}.")
    return _files(driver, _root(driver)).read(path, offset=offset, most=most)


def remove(driver: HpcDriver, experiment: Experiment) -> None:
    """Remove the directory of an experiment with all it holds."""
    _files(driver, _root(driver)).remove(posixpath.basename(experiment.directory))


def _root(driver: HpcDriver) -> str:
    """The directory of all experiments of whoever the driver acts as, made where it is missing."""
    if driver.site.shell:
        return _made(driver.site.shell)
    home = f"/home/{driver.credential['login']}"
    files, place = _files(driver, home), ""
    for part in FOLDER.split("/"):
        known = {entry.name for entry in files.entries(place)}
        place = posixpath.join(place, part)
        if part not in known:
            files.make(place)
    return posixpath.join(home, place)


def _made(shell: Shell) -> str:
    answer = shell.run("sh", "-c", 'cd && mkdir -p -- "$1" && cd -- "$1" && pwd -P', "sh", FOLDER)
    if answer.code:
        raise Rejected(f"No directory for experiments can be made in the home of {shell.login}: {answer.error.strip()}")
    return answer.output.decode(errors="surrogateescape").rstrip("\n")


def _files(driver: HpcDriver, root: str) -> Files:
    """Those that the scheduler keeps itself, else those of its login node."""
    own = driver.files(root)
    if own is not None:
        return own
    if driver.site.shell is None:
        raise Rejected("The files of this scheduler cannot be reached: it has no login node.")
    return ShellFiles(driver.site.shell, root)
