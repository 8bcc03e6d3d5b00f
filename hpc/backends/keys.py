"""Keys of persons and of machines, as people paste them."""

import dataclasses
import re

import asyncssh

from cloudmesh.errors import Invalid

LOCKED = ("assphrase", "decrypt")  # in what asyncssh says of a key that a passphrase should open
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Identity:
    """What proves who somebody is: a private key, or the agent of the portal where that is allowed."""

    key: str = dataclasses.field(default="", repr=False)
    passphrase: str = dataclasses.field(default="", repr=False)
    agent: str = ""  # the path of an agent's socket


def generate_key() -> tuple[str, str]:
    """A new key for somebody who has none: the private half and the line for `authorized_keys` (ed25519, OpenSSH)."""
    key = asyncssh.generate_private_key("ssh-ed25519", comment="cloudmesh")
    return key.export_private_key().decode(), key.export_public_key().decode().strip()


def private_key(identity: Identity) -> asyncssh.SSHKey:
    """The key of an identity; raises Invalid with the field that is wrong."""
    text = identity.key.strip()
    if not text:
        raise Invalid("There is no private key. Paste one, or let the portal make one.", field="key")
    if text.startswith(("ssh-", "ecdsa-", "sk-")):
        raise Invalid(
            "This is the public half of a key; paste the private one, from the file without .pub.", field="key"
        )
    try:
        key = asyncssh.import_private_key(f"{text}\n", identity.passphrase or None)
    except ValueError as error:  # the parent of what asyncssh and cryptography raise here
        raise (_locked(identity) if any(word in str(error) for word in LOCKED) else _unusable(str(error))) from error
    if key.algorithm.startswith(b"sk-"):
        raise _unusable("it is one that lives in hardware")
    return key


def public_key(identity: Identity) -> str:
    """The line for `authorized_keys` that belongs to an identity's key; raises Invalid."""
    return written(private_key(identity))


def _unusable(reason: str) -> Invalid:
    return Invalid(
        f"This is no private key that the portal can use: {reason}. Paste the whole file, from -----BEGIN to "
        "-----END; ed25519, ECDSA and RSA keys in OpenSSH or PEM form will do.",
        field="key",
    )


def _locked(identity: Identity) -> Invalid:
    words = (
        "The passphrase does not open this key. Type the one it was made with."
        if identity.passphrase
        else "This key is locked with a passphrase. Give it too."
    )
    return Invalid(words, field="passphrase")


def checked_pin(text: str) -> str:
    """A host key as it is kept: a public key without its comment, or a SHA256 fingerprint. Raises Invalid."""
    text = text.strip()
    if FINGERPRINT.fullmatch(text.rstrip("=")):
        return text.rstrip("=")
    try:
        return written(asyncssh.import_public_key(text))
    except ValueError as error:
        raise Invalid(
            "This is no host key. Give a line such as 'ssh-ed25519 AAAA…', or a fingerprint 'SHA256:…' as "
            "'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub' tells it on the login node.",
            field="host_key",
        ) from error


def written(key: asyncssh.SSHKey) -> str:
    """A public key as text, without its comment."""
    return " ".join(key.export_public_key().decode().split()[:2])


def is_pinned(key: asyncssh.SSHKey, pin: str) -> bool:
    return pin == (key.get_fingerprint() if pin.startswith("SHA256:") else written(key))


def fingerprint(pin: str) -> str:
    """What people compare: the SHA256 fingerprint of a pinned key."""
    return pin if pin.startswith("SHA256:") else asyncssh.import_public_key(pin).get_fingerprint()
