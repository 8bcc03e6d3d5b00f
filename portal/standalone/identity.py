"""Who runs what: PostgreSQL refuses root, so under root it runs as an existing user without privileges."""

import dataclasses
import os
import pwd
import subprocess
from pathlib import Path

from cloudmesh.errors import CloudmeshError

UNPRIVILEGED = "nobody"


class CannotRun(CloudmeshError):
    """The standalone portal cannot run here; the message says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def owner_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"


def own_name() -> str:
    """The name PostgreSQL's peer authentication will see for this process."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        message = (
            f"User id {os.geteuid()} has no name in /etc/passwd and PostgreSQL needs one. Run it as a user with a name."
        )
        raise CannotRun(message) from None


def unprivileged() -> Account | None:
    """The user PostgreSQL runs as when this process is root; None when it is not."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        message = f"There is no user {UNPRIVILEGED}, and PostgreSQL refuses root. Run it as a normal user."
        raise CannotRun(message) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def can_reach(account: Account | None, path: Path) -> bool:
    """Whether the account gets to `path`; asked of the kernel, so access lists and mounts count."""
    return run_as(account, Path("/bin/sh"), "-c", 'test -x "$1"', "sh", str(path))


def run_as(account: Account | None, program: Path, *arguments: str) -> bool:
    """Whether a program that only looks succeeds for the account; for this process itself that is taken for granted."""
    if account is None:
        return True
    argv = [str(program), *arguments]
    quiet = subprocess.DEVNULL
    try:
        tried = subprocess.run(
            argv, user=account.uid, group=account.gid, extra_groups=[], cwd="/", stdout=quiet, stderr=quiet, check=False
        )
    except PermissionError:
        return False
    return tried.returncode == 0


def make_folder(path: Path, mode: int) -> None:
    """Make a folder with just this mode, whatever the umask; one that is there stays as it is."""
    if not path.exists():
        path.mkdir(mode=0o700, parents=True)
        path.chmod(mode)
