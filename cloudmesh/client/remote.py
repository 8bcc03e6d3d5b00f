"""One command on a server, by the ssh of this machine."""

import subprocess
from typing import TYPE_CHECKING

from cloudmesh.errors import Busy, CloudmeshError, Conflict, Invalid

if TYPE_CHECKING:
    from cloudmesh.types import Json

#: Nobody is there to answer; a server's key is kept at first sight, and another one later is refused.
OPTIONS = ("-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", "ConnectTimeout=10")


def execute(server: "Json", command: str, username: str, timeout: float) -> str:
    """What `command` prints there. Raises CloudmeshError with what it says where it fails."""
    address = next(iter([*server["public_addresses"], *server["addresses"]]), "")
    if not address:
        raise Conflict(f"{server['name']} has no address yet (it is {server['state']}).")
    if not username:
        raise Invalid(f"It is not known who logs in to {server['name']}. Say username=…", field="username")
    if username.startswith("-") or address.startswith("-"):
        raise Invalid(f"{username!r} is no user name.", field="username")
    arguments = ["ssh", *OPTIONS, "-l", username, "--", address, command]
    try:
        done = subprocess.run(  # noqa: S603 -- no shell on this side
            arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False
        )
    except FileNotFoundError as error:
        raise CloudmeshError("There is no ssh on this machine. Install OpenSSH's client.") from error
    except subprocess.TimeoutExpired as error:
        raise Busy(f"{server['name']} did not finish within {timeout:g} seconds.") from error
    if done.returncode:
        said = done.stderr.strip() or f"it ended with {done.returncode}"
        raise CloudmeshError(f"{server['name']}: {said}", exit_code=done.returncode, output=done.stdout)
    return done.stdout
