"""Public keys in EC2."""

import base64
import hashlib
from typing import Any

from cloudmesh.errors import Rejected
from cloudmesh.types import Json
from clouds.drivers.ec2.failures import tolerated, translated


def ensure(ec2: Any, name: str, public_key: str) -> Json:
    """The key of that name, uploaded if it is not there; raises Rejected if another key has the name."""
    prints = _fingerprints(public_key)
    found = _named(ec2, name)
    if not found:
        with tolerated("InvalidKeyPair.Duplicate"):  # somebody was faster
            ec2.import_key_pair(KeyName=name, PublicKeyMaterial=public_key.encode())
        found = _named(ec2, name)
    if not _is_same(found, public_key, prints):
        raise Rejected(f"Another key is called {name} at this cloud: delete it there, or give yours another name.")
    return found


def _named(ec2: Any, name: str) -> Json:
    with translated():
        pairs = ec2.describe_key_pairs(Filters=[{"Name": "key-name", "Values": [name]}], IncludePublicKey=True)
    return next((pair for pair in pairs["KeyPairs"] if pair["KeyName"] == name), {})


def _is_same(found: Json, public_key: str, prints: set[str]) -> bool:
    if found.get("PublicKey"):
        return bool(found["PublicKey"].split()[:2] == public_key.split()[:2])
    return found.get("KeyFingerprint", "").rstrip("=") in prints


def _fingerprints(public_key: str) -> set[str]:
    """All that EC2 and its likes call the fingerprint of an imported key, for clouds that do not show the key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

    try:
        key = load_ssh_public_key(public_key.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Rejected(
            "This is no public key that EC2 takes: paste one line that begins with ssh-ed25519 or ssh-rsa."
        ) from error
    blob = base64.b64decode(public_key.split()[1])
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    md5 = {hashlib.md5(form, usedforsecurity=False).digest().hex(":") for form in (blob, der)}
    return md5 | {base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")}
