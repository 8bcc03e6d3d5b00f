"""Credentials at rest: sealed for one place in the database, readable only there and with a key of the ring.

A sealed document is `1.<key id>.<wrapped data key>.<body>`. Each has a data key of its own, which encrypts the
body; a key of the ring wraps the data key. Both are AES-256-GCM, bound to tenant, record and field, so that a
document copied to another row, or changed by one bit, does not open. Rotation wraps the data key anew and
leaves the body alone. See docs/decisions/0005-credential-encryption.md.
"""

import base64
import binascii
import dataclasses
import functools
import json
import os
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from cloudmesh.errors import Invalid, Unreadable

FORMAT = "1"
NONCE = 12  # bytes, as AES-GCM wants them
KEY = 32
PLAIN_BASE64 = str.maketrans("+/", "-_")  # what `openssl rand -base64 32` makes is welcome too
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclasses.dataclass(frozen=True)
class KeyRing:
    """The keys that open what is stored; the first one seals."""

    keys: Mapping[str, bytes] = dataclasses.field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read `id:key,id:key`, each key 32 bytes in base64url; raises Invalid without repeating a key."""
        entries = [entry.strip().partition(":") for entry in text.split(",") if entry.strip()]
        keys = {key_id: _key(key_id, encoded) for key_id, _, encoded in entries}
        if not keys:
            raise Invalid("No key is set to encrypt credentials with: set CLOUDMESH_KEYS to id:key. " + HOW_TO_KEY)
        if len(keys) < len(entries):
            raise Invalid("CLOUDMESH_KEYS names a key id twice: give each key an id of its own.")
        return cls(keys)

    @property
    def current(self) -> str:
        return next(iter(self.keys))

    def key(self, key_id: str) -> bytes:
        try:
            return self.keys[key_id]
        except KeyError:
            raise Unreadable(
                f"This secret was sealed with key {key_id!r}, which is not in CLOUDMESH_KEYS ({', '.join(self.keys)}): "
                "put it back behind the current key until `manage.py rotate_keys` has run.",
                key=key_id,
            ) from None


HOW_TO_KEY = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'


def ring() -> KeyRing:
    """The keys of this portal."""
    return _parsed(settings.CLOUDMESH_KEYS)


_parsed = functools.lru_cache(maxsize=4)(KeyRing.parse)


def seal(ring: KeyRing, plain: Mapping[str, str], *, tenant: str, record: str, field: str = "credential") -> str:
    """Encrypt `plain` for one field of one record (`table:id`) of one tenant (the id of its project)."""
    data_key = os.urandom(KEY)
    place = (tenant, record, field)
    wrapped = _encrypt(ring.key(ring.current), data_key, "key", ring.current, *place)
    body = _encrypt(data_key, json.dumps(dict(plain)).encode(), "body", *place)
    return _join(ring.current, wrapped, body)


def unseal(ring: KeyRing, sealed: str, *, tenant: str, record: str, field: str = "credential") -> dict[str, str]:
    """What was sealed for this very place; raises Unreadable if its key is not there, or it was moved or changed."""
    key_id, wrapped, body = _split(sealed)
    place = (tenant, record, field)
    data_key = _decrypt(ring.key(key_id), wrapped, "key", key_id, *place)
    plain: dict[str, str] = json.loads(_decrypt(data_key, body, "body", *place))
    return plain


def rewrap(ring: KeyRing, sealed: str, *, tenant: str, record: str, field: str = "credential") -> str:
    """The same document under the ring's current key; the secret itself is not decrypted."""
    key_id, wrapped, body = _split(sealed)
    place = (tenant, record, field)
    data_key = _decrypt(ring.key(key_id), wrapped, "key", key_id, *place)
    return _join(ring.current, _encrypt(ring.key(ring.current), data_key, "key", ring.current, *place), body)


def is_current(ring: KeyRing, sealed: str) -> bool:
    """Whether the ring's current key sealed it, so that older keys are not needed for it."""
    return _split(sealed)[0] == ring.current


def _encrypt(key: bytes, plain: bytes, *bound_to: str) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, json.dumps([FORMAT, *bound_to]).encode())


def _decrypt(key: bytes, cipher: bytes, *bound_to: str) -> bytes:
    try:
        return AESGCM(key).decrypt(cipher[:NONCE], cipher[NONCE:], json.dumps([FORMAT, *bound_to]).encode())
    except (InvalidTag, ValueError):
        raise Unreadable(
            "This secret does not open: it was changed, belongs to another record or project, or its key has "
            "another value than when it was sealed. Enter the credential again.",
        ) from None


def _join(key_id: str, wrapped: bytes, body: bytes) -> str:
    return ".".join((FORMAT, key_id, _encode(wrapped), _encode(body)))


def _split(sealed: str) -> tuple[str, bytes, bytes]:
    try:
        version, key_id, wrapped, body = sealed.split(".")
        parts = key_id, _decode(wrapped), _decode(body)
    except ValueError:
        version = ""
    if version != FORMAT:
        raise Unreadable("This is no sealed secret of a known format. Enter the credential again.")
    return parts


def _key(key_id: str, encoded: str) -> bytes:
    if not KEY_ID.fullmatch(key_id):
        raise Invalid("CLOUDMESH_KEYS must read id:key,id:key with ids of letters, digits, _ and -. " + HOW_TO_KEY)
    try:
        key = _decode(encoded.rstrip("=").translate(PLAIN_BASE64))
    except ValueError:
        key = b""
    if len(key) != KEY:
        raise Invalid(f"Key {key_id!r} in CLOUDMESH_KEYS is not 32 bytes in base64url. " + HOW_TO_KEY)
    return key


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    """Raises ValueError unless `text` is exactly what `_encode` makes."""
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encode(raw) != text:
        raise binascii.Error("not canonical")
    return raw
