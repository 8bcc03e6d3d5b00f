"""Where a standalone portal keeps its things: all under `var/`, links there to what has to be elsewhere.

Two things may have to be elsewhere. Sockets, when the path is too long or too odd for an address. PostgreSQL's data,
when the portal runs as root and PostgreSQL's user cannot pass the folders above the clone, which stay closed.
"""

import dataclasses
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from pathlib import Path

from portal.standalone.identity import Account, CannotRun, can_reach, make_folder, owner_name, unprivileged
from portal.standalone.postgres import SHARED

BASE = Path(__file__).resolve().parent.parent.parent
SOCKET_PATH = re.compile(r"[A-Za-z0-9/._-]{1,75}")  # a socket's address ends at 107 bytes; no character needs quoting
ORIGIN = "origin"  # the file that says whose things these are


@dataclasses.dataclass(frozen=True, kw_only=True)
class Places:
    var: Path
    run: Path  # sockets
    database: Path
    account: Account | None  # whom PostgreSQL runs as, if not as the supervisor

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def secrets(self) -> Path:
        return self.var / "secrets"

    @property
    def portal(self) -> Path:
        """What `cm` reads to find the portal and its token."""
        return self.var / "portal.json"


def write_private(path: Path, text: str) -> None:
    """Write a file whole, or not at all, that only its owner can ever have read."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def state_dir() -> Path:
    return Path(os.environ.get("CLOUDMESH_STATE_DIR") or BASE / "var").absolute()


def make(var: Path) -> Places:
    """Make what is missing. Raises CannotRun."""
    account = unprivileged()
    try:
        passable = 0o711 if account else 0o700
        make_folder(var, passable)
        _require_ownership(var)
        for name in ("log", "secrets"):
            make_folder(var / name, 0o700)
        is_open = can_reach(account, var)
        database = _database(var, is_open=is_open)
        run = _sockets(var, is_open=is_open, mode=passable)
        return Places(var=var, run=run, database=database, account=account)
    except OSError as error:
        raise CannotRun(f"The portal cannot keep its data in {var}: {error.strerror} ({error.filename}).") from error


def _require_ownership(var: Path) -> None:
    owner = var.stat().st_uid
    if owner != os.geteuid():
        raise CannotRun(
            f"{var} belongs to {owner_name(owner)}, so the portal here is theirs. "
            f"Run it as {owner_name(owner)}, or use a clone of your own."
        )


def _sockets(var: Path, *, is_open: bool, mode: int) -> Path:
    """A folder whose path every socket address can hold."""
    run = var / "run"
    if run.is_symlink():
        target = run.readlink()
        if _is_private(target) and _origin(target) == var:
            return target
        run.unlink()
    if is_open and SOCKET_PATH.fullmatch(str(run)):
        make_folder(run, mode)
        return run
    shutil.rmtree(run, ignore_errors=True)
    target = Path(tempfile.mkdtemp(prefix="cloudmesh-", dir="/tmp"))
    target.chmod(mode)
    (target / ORIGIN).write_text(str(var))
    run.symlink_to(target)
    return target


def _is_private(folder: Path) -> bool:
    """Whether it is ours and nobody else can have put anything into it."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _origin(folder: Path) -> Path | None:
    try:
        return Path((folder / ORIGIN).read_text())
    except OSError:
        return None


def _database(var: Path, *, is_open: bool) -> Path:
    """The folder of the cluster: in `var`, or beside `SHARED` with a link in `var`."""
    link = var / "postgres"
    if link.is_symlink():
        return _elsewhere(var, link.readlink())
    if is_open:
        return link
    home = SHARED / hashlib.sha256(os.fsencode(var)).hexdigest()[:16]
    if home.exists():  # of a var that was deleted
        home.rename(home.with_name(f"{home.name}.{time.time_ns()}"))
    make_folder(SHARED, 0o711)
    make_folder(home, 0o711)
    (home / ORIGIN).write_text(str(var))
    if link.exists():  # made while the folders above were open
        shutil.move(link, home / "postgres")
    link.symlink_to(home / "postgres")
    return home / "postgres"


def _elsewhere(var: Path, target: Path) -> Path:
    """Follow the link to a cluster kept elsewhere, also after the clone was moved, not after it was copied."""
    home = target.parent
    if not _is_private(home):
        raise CannotRun(
            f"{var / 'postgres'} leads to {target}, which is not the portal's. Remove the link to start anew."
        )
    origin = _origin(home)
    if origin != var:
        if origin and origin.joinpath("postgres").is_symlink() and origin.joinpath("postgres").readlink() == target:
            raise CannotRun(
                f"{var} is a copy of {origin} without its database, which stayed in {target}. "
                f"Remove {var} to start a new portal here."
            )
        (home / ORIGIN).write_text(str(var))
    return target
