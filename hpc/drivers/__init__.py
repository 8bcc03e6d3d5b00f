"""What every driver of an HPC scheduler promises.

A driver is plain Python: no Django, no records, no settings, no other driver. It is cheap to make, keeps no state of
its own and never waits for a job: it asks once and says what it learned. One instance acts as one person: whoever's
shell, or token, it was made with. It runs commands through `site.shell` alone, each argument as a value of its own.

Every failure is one of `cloudmesh.errors`: Busy (ask again), Unreachable (nothing was sent), Refused (who we are is
not accepted), Gone, Full, Rejected. The scheduler's own words are the message. An answer that says that something went
wrong is never read as an empty list. Names a scheduler does not know map to UNKNOWN.
"""

import abc
import dataclasses
import datetime
import pathlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

from cloudmesh.types import Field, Forecast, Job, JobSpec, Node, Queue

ALL = frozenset({"hold", "release", "cancel", "array", "dependency", "gpus", "forecast", "accounting", "qos", "output"})
LONGEST_ANSWER = 256 * 2**20  # bytes
LONGEST_FILE = 16 * 2**20  # bytes that are read or written at once


class Answer(NamedTuple):
    """How a command ended."""

    code: int
    output: bytes
    error: str  # what it wrote to standard error, for people


class Shell(abc.ABC):
    """A login node, as one person sees it. Its commands are not read by a shell unless the command is one."""

    login: str  # who they are there

    @abc.abstractmethod
    def run(
        self, *command: str, given: bytes = b"", timeout: float | None = None, most: int = LONGEST_ANSWER
    ) -> Answer:
        """Run one command with `given` as its standard input; any exit code is an answer.

        Raises Unreachable when nothing was run, Busy when it has not ended after `timeout` seconds or answered more
        than `most` bytes (it is then ended), Refused when the login is not accepted or the host is another than
        before.
        """


class Part(NamedTuple):
    """Some bytes of a file."""

    data: bytes
    offset: int  # where they begin
    size: int  # of the whole file, in bytes
    modified: datetime.datetime


class Entry(NamedTuple):
    """What a directory holds; its name is as Python has those that are no UTF-8 (`surrogateescape`)."""

    name: str
    kind: str  # file, directory, link, other
    size: int  # bytes
    modified: datetime.datetime


class Files(abc.ABC):
    """The files below one directory at a cluster, as one person sees them.

    A path is relative to that directory, or absolute and in it. One that leads out, by `..` or by a link on its way,
    raises Rejected, as does what its owner may not do; what is not there raises Gone, a full disk or quota Full.
    """

    @abc.abstractmethod
    def read(self, path: str, *, offset: int = 0, most: int = LONGEST_FILE) -> Part:
        """Up to `most` bytes of a file from `offset` on; a negative one counts from its end."""

    @abc.abstractmethod
    def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        """Have a new file with this content, all of it or none; one that is there already raises Rejected."""

    @abc.abstractmethod
    def make(self, path: str) -> None:
        """Make a new directory that is its owner's alone; one that is there already raises Rejected."""

    @abc.abstractmethod
    def entries(self, path: str = "") -> list[Entry]:
        """What a directory holds, by name."""

    @abc.abstractmethod
    def remove(self, path: str) -> None:
        """Remove a file, or a directory with all it holds; what is not there is no error. Never the root itself."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Site:
    """What the portal lends to every driver: where it runs, what it may reach, and the login node.

    `guard` is called with each address (an IP as text) before a connection to it is made, and raises `Rejected` where
    it may not be gone to.
    """

    state_dir: pathlib.Path
    guard: Callable[[str], None]
    shell: Shell | None = None  # None where the scheduler is reached without one
    timeout: float = 20.0  # seconds for one request


class Abilities(Mapping[str, bool]):
    """What a driver can do; each thing it cannot do has its reason."""

    def __init__(self, missing: Mapping[str, str]) -> None:
        unknown = set(missing) - ALL
        if unknown:
            raise ValueError(f"no such ability: {sorted(unknown)}")
        self.missing = dict(missing)

    def __getitem__(self, name: str) -> bool:
        if name not in ALL:
            raise KeyError(name)
        return name not in self.missing

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(ALL))

    def __len__(self) -> int:
        return len(ALL)

    def reason(self, name: str) -> str:
        return self.missing.get(name, "")


class HpcDriver(abc.ABC):
    """One scheduler, seen as one person."""

    label: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]  # what a scheduler is registered with, beside how its login node is reached
    ways: ClassVar[tuple[str, ...]] = ("local", "ssh")  # how it is reached, the usual first; "rest" needs no shell
    abilities: ClassVar[Abilities]

    @classmethod
    def directives(cls, script: str) -> Mapping[str, Any]:
        """What a script asks for itself, by the names of JobSpec: it counts where nothing else is said."""
        return {}

    def __init__(self, credential: Mapping[str, str], site: Site) -> None:
        self.credential = credential
        self.site = site

    @classmethod
    def fields_on(cls, way: str) -> tuple[Field, ...]:
        """Those of `fields` that mean something on this way."""
        return cls.fields

    # -- reading -------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def check(self) -> str:
        """Ask something small and say in a few words what answered: `Slurm 22.05.8 as fsalice`."""

    @abc.abstractmethod
    def queues(self) -> Iterator[Queue]:
        """All queues or partitions."""

    @abc.abstractmethod
    def nodes(self) -> Iterator[Node]:
        """All nodes, with what of them is used."""

    @abc.abstractmethod
    def jobs(self) -> Iterator[Job]:
        """The jobs of everybody that the scheduler has in hand, in one request; ended ones as long as it tells them."""

    @abc.abstractmethod
    def ended(self, ids: Collection[str], *, since: datetime.datetime | None = None) -> Iterator[Job]:
        """What accounting knows of these jobs, or of all that ended `since` where no ids are given.

        With an array may come its tasks. What it does not know is left out. Where `abilities["accounting"]` is missing
        there is nothing.
        """

    @abc.abstractmethod
    def find(self, token: str) -> str:
        """The id of the job that an earlier submit with this token made, also when it ended meanwhile; else empty."""

    # -- changing ------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def submit(self, spec: JobSpec, *, token: str) -> str:
        """Submit a job that carries `token`; answers its id. Raises Rejected in the scheduler's words, Full."""

    @abc.abstractmethod
    def forecast(self, spec: JobSpec) -> Forecast:
        """What would become of a job, without submitting it. Raises Rejected."""

    @abc.abstractmethod
    def cancel(self, job_id: str) -> None:
        """End a job; one that has ended is no error. Raises Rejected where it is somebody else's."""

    @abc.abstractmethod
    def hold(self, job_id: str) -> None:
        """Let a waiting job wait until it is released. Idempotent. Raises Gone, Rejected."""

    @abc.abstractmethod
    def release(self, job_id: str) -> None:
        """Let a held job go on. Idempotent. Raises Gone, Rejected."""

    # -- files ---------------------------------------------------------------------------------------------

    def files(self, root: str) -> Files | None:
        """The files below `root`, where the scheduler keeps them itself; None where they are read through the shell."""
        return None
