"""The files of jobs: a numbered directory for each experiment, and what is read of what jobs wrote.

All of it is below one directory of its owner at the cluster; nothing else is read or written there.
"""

import dataclasses
import posixpath

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import JobSpec
from hpc.backends.files import ShellFiles
from hpc.drivers import Entry, Files, HpcDriver, Part, Shell
from hpc.models import Experiment, Input, Job

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
    _put(_files(driver, root), folder, f"{name}.sh", job)
    job.directory, job.output, job.error = place, f"{place}/{name}.out", f"{place}/{name}.err"
    Experiment.objects.filter(pk=experiment.pk).update(directory=place)
    return dataclasses.replace(spec, directory=job.directory, output=job.output, error=job.error)


def read(driver: HpcDriver, job: Job, which: str, path: str, *, offset: int, most: int) -> Part:
    """A part of what a job wrote, or of a file in its directory. Raises Gone, Rejected for any other place."""
    if which == "script" and not path:
        text = job.script.encode()
        return Part(text[max(0, offset) :][:most], max(0, offset), len(text), job.created_at)
    if path:
        whole = posixpath.join(_folder(job), path)
    elif not (whole := (job.error or job.output) if which == "error" else job.output):
        raise Gone(f"The scheduler does not tell where {job} writes its {which}.")
    return _files(driver, _root(driver)).read(whole, offset=offset, most=most)


def listed(driver: HpcDriver, job: Job, path: str) -> list[Entry]:
    """What is in the directory of a job's experiment, or in one below it. Raises Gone, Rejected."""
    return _files(driver, _root(driver)).entries(posixpath.join(_folder(job), path).rstrip("/"))


def remove(driver: HpcDriver, experiment: Experiment) -> None:
    """Remove the directory of an experiment with all it holds."""
    _files(driver, _root(driver)).remove(posixpath.basename(experiment.directory))


def _put(files: Files, folder: str, script: str, job: Job) -> None:
    """The directory with the script and what the job starts from; what an earlier attempt wrote stays."""
    inputs = {posixpath.join(folder, each.path): bytes(each.content) for each in Input.objects.filter(job=job)}
    wanted = {**inputs, posixpath.join(folder, script): job.script.encode()}
    places = {folder, *(f"{folder}/{place}" for path in inputs for place in _above(path.removeprefix(f"{folder}/")))}
    known = {place: _opened(files, place) for place in sorted(places)}
    for path, content in wanted.items():
        place, name = posixpath.split(path)
        if name not in known[place]:
            files.write(path, content, mode=0o600 if path in inputs else 0o700)


def _above(path: str) -> list[str]:
    """The directories that a relative path goes through."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _opened(files: Files, place: str) -> set[str]:
    """What is in a directory, which is made where it is missing."""
    try:
        return {entry.name for entry in files.entries(place)}
    except Gone:
        files.make(place)
        return set()


def _folder(job: Job) -> str:
    return posixpath.basename(job.directory)


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
