"""The way into a server: its address, who logs in, with which key, and how its host key is known again.

Host keys are kept by the server's id, not by its address: clouds give addresses again, and a new server at an old
address is no attack. A server that answers with another key than before is, and ssh then refuses.
"""

import base64
import binascii
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from cloudmesh.client import Client
from cloudmesh.errors import Conflict, Invalid
from cloudmesh.shell import talk

if TYPE_CHECKING:
    from cloudmesh.types import Json

LOGIN = re.compile(r"[^\s\x00-\x1f-][^\s\x00-\x1f]*")
ASLEEP = {"stopped": "start", "suspended": "resume", "paused": "unpause", "shelved": "unshelve"}
SECONDS = 20  # until a connection counts as impossible
ATTEMPTS = 90  # one a second, for a server that is just booting
MOST = 100_000  # bytes of a file that can be a key
PRIVATE = re.compile(rb"-----BEGIN OPENSSH PRIVATE KEY-----(.*?)-----END", re.DOTALL)


class Way(NamedTuple):
    """How ssh and scp get at one server."""

    name: str
    address: str
    options: tuple[str, ...]

    def ssh(self, command: Iterable[str] = ()) -> list[str]:
        return ["ssh", *self.options, "--", self.address, *command]

    def scp(self, source: str, target: str) -> list[str]:
        return ["scp", "-q", "-r", *self.options, "--", source, target]

    def remote(self, path: str) -> str:
        """A path there, as scp writes it."""
        return f"[{self.address}]:{path}" if ":" in self.address else f"{self.address}:{path}"


class Ways:
    """Finds the way into each of several servers; what they share is asked for once."""

    def __init__(self, client: Client, *, user: str | None, key: str | None, extra: Iterable[str]) -> None:
        self._user = user
        self._logins = {} if user else client.login_names()
        mine = () if key else client.keys()
        keys = [key] if key else list(matching_keys(each["public_key"] for each in mine))
        self._options = [word for option in extra for word in ("-o", option)]
        self._options += [word for file in keys for word in _pairs(IdentityFile=_quoted(os.path.abspath(file)))]
        self._options += _pairs(IdentitiesOnly="yes") if keys else []
        self._options += _pairs(
            UserKnownHostsFile=_quoted(known_hosts()), StrictHostKeyChecking="accept-new", CheckHostIP="no",
            ConnectTimeout=str(SECONDS),
        )  # fmt: skip

    def to(self, server: "Json", **more: str) -> Way:
        """Raises Conflict where there is none now; `more` are further options of ssh."""
        login = self._user or self._logins.get(server["cloud"]) or server["login"]
        if login and not LOGIN.fullmatch(login):
            raise Invalid(f"{login[:40]!r} is no user name. Say another with --user.")
        options = [*self._options, *_pairs(HostKeyAlias=server["id"], **more), *(_pairs(User=login) if login else ())]
        if not login:
            talk.say(f"Who logs in to {server['image']} is not known here; ssh takes your own name, or say it: --user")
        return Way(server["name"], _address(server), tuple(options))


def known_hosts() -> str:
    """The file of host keys, in a folder that is there if it can be."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    folder = os.path.join(state, "cloudmesh")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        talk.warn(f"host keys cannot be remembered in {folder}: {error.strerror}.")
    return os.path.join(folder, "known_hosts")


def matching_keys(public_keys: Iterable[str]) -> Iterator[str]:
    """The files of ~/.ssh that are the private halves of these keys; the public one where only an agent has it."""
    folder = os.path.join(os.path.expanduser("~"), ".ssh")
    wanted = {blob for text in public_keys if (blob := _blob(text.encode()))}
    found = {}
    for path in _files(folder):
        private = path.removesuffix(".pub")
        if _holds(path, wanted):
            found[private if os.path.exists(private) else path] = True
    return iter(found)


def _files(folder: str) -> list[str]:
    try:
        paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    except OSError:
        return []
    return [path for path in paths if os.path.isfile(path) and os.path.getsize(path) < MOST]


def _holds(path: str, wanted: set[bytes]) -> bool:
    """Whether a file is one of these public keys, or a private one: OpenSSH writes the public half into it."""
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError:
        return False
    if private := PRIVATE.search(text):
        whole = _decoded(private[1])
        return any(blob in whole for blob in wanted)
    return path.endswith(".pub") and _blob(text) in wanted


def _blob(public_key: bytes) -> bytes:
    return _decoded(b"".join(public_key.split()[1:2]))


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""


def _address(server: "Json") -> str:
    """A public one where there is one; IPv4 first, which reaches from everywhere."""
    if server["state"] in ASLEEP:
        wake = ASLEEP[server["state"]]
        raise Conflict(f"{server['name']} is {server['state']}. Bring it up with: cm vm {wake} {server['name']}")
    known = server["public_addresses"] or server["addresses"]
    if not known:
        raise Conflict(f"{server['name']} is {server['state']} and has no address; once it has: cm vm ssh --wait")
    address: str = min(known, key=lambda each: ":" in each)
    return address


def _pairs(**options: str) -> list[str]:
    return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


def _quoted(path: str) -> str:
    """As ssh reads a path in an option: spaces kept, and no % or quotes of its own."""
    escaped = path.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
