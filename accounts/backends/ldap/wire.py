"""One conversation with one server: TLS that is checked, binds, and searches in pages.

The certificate and its name are checked by OpenSSL; ldap3's own check knows neither SNI nor Python 3.12. Nothing
follows referrals, since those could carry a password elsewhere.
"""

import contextlib
import dataclasses
import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import ldap3
from ldap3.core import exceptions, results
from ldap3.protocol.sasl import sasl
from ldap3.utils import conv, dn

from accounts.backends.ldap.config import Address, Config

POLICY_CONTROL = "1.3.6.1.4.1.42.2.27.8.5.1"  # draft-behera-ldap-password-policy
WRONG = {results.RESULT_INVALID_CREDENTIALS, results.RESULT_NO_SUCH_OBJECT, results.RESULT_INVALID_DN_SYNTAX}
PAGE = 500
NOBODY_THERE = {results.RESULT_SUCCESS, results.RESULT_NO_SUCH_OBJECT}

BASE, SUBTREE = ldap3.BASE, ldap3.SUBTREE
escape_filter = conv.escape_filter_chars
escape_dn = dn.escape_rdn


class Bound(enum.StrEnum):
    """How a bind ended."""

    WELCOME = "welcome"
    WRONG = "wrong"  # name or password; which of them is nobody's to know
    LOCKED = "locked"
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 - no password
    MUST_CHANGE = "must_change"


POLICY = {0: Bound.PASSWORD_EXPIRED, 1: Bound.LOCKED, 2: Bound.MUST_CHANGE}


class Failed(Exception):
    """The server, or the way to it, failed; in its own words."""


@dataclasses.dataclass(frozen=True)
class Entry:
    dn: str
    values: Mapping[str, tuple[str, ...]]  # by names without capitals

    def all(self, name: str) -> tuple[str, ...]:
        return self.values.get(name.lower(), ())

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")


class Tls(ldap3.Tls):  # type: ignore[misc]
    def __init__(self, config: Config) -> None:
        super().__init__(validate=config.tls.verify_mode)
        self._config = config

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        connection.socket.settimeout(self._config.answer_seconds)
        connection.socket = self._config.tls.wrap_socket(
            connection.socket, server_hostname=connection.server.host, do_handshake_on_connect=do_handshake
        )


class Wire:
    """An open, encrypted connection. Raises Failed when it cannot be one, or stops being one."""

    def __init__(self, address: Address, config: Config) -> None:
        server = ldap3.Server(
            address.host,
            port=address.port,
            use_ssl=address.is_ldaps,
            tls=Tls(config),
            get_info=ldap3.NONE,
            connect_timeout=config.connect_seconds,
        )
        self._connection = ldap3.Connection(
            server,
            auto_referrals=False,
            check_names=False,
            read_only=True,
            receive_timeout=config.answer_seconds,
        )
        try:
            self._open(address)
        except Failed:
            self.close()
            raise

    def _open(self, address: Address) -> None:
        with _translated():
            self._connection.open(read_server_info=False)
            if not address.is_ldaps:
                self._connection.start_tls(read_server_info=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(exceptions.LDAPException, OSError):
            self._connection.unbind()
        if self._connection.socket:  # ldap3 leaves one open that could not connect
            self._connection.socket.close()

    @property
    def certificate(self) -> Mapping[str, Any]:
        peer: Mapping[str, Any] = self._connection.socket.getpeercert()
        return peer

    def bind(self, name: str, password: str) -> Bound:
        """Say who we are. An empty password, which servers take for nobody in particular, is never sent."""
        secret = _prepared(password)
        if not name or not secret:
            return Bound.WRONG
        self._connection.user, self._connection.password = name, secret
        self._connection.authentication = ldap3.SIMPLE
        with _translated():
            self._connection.bind(read_server_info=False, controls=[(POLICY_CONTROL, False, None)])
        return self._verdict(self._connection.result)

    def search(
        self, base: str, filter: str, attributes: Sequence[str], *, scope: str = SUBTREE, most: int = 0
    ) -> list[Entry]:
        """All that matches, page by page, or at most `most`; a part is never taken for all. Raises Failed."""
        entries: list[Entry] = []
        cookie: bytes | None = None
        while True:
            with _translated():
                self._connection.search(
                    base,
                    filter,
                    search_scope=scope,
                    attributes=list(attributes),
                    paged_size=min(PAGE, most or PAGE),
                    paged_cookie=cookie,
                )
            result = self._connection.result
            if result["result"] not in NOBODY_THERE:
                raise Failed(_words(result))
            entries += map(_entry, filter_entries(self._connection.response))
            cookie = _cookie(result)
            if not cookie or (most and len(entries) >= most):
                return entries

    def _verdict(self, result: Mapping[str, Any]) -> Bound:
        code = result["result"]
        told = POLICY.get(_policy_error(result))
        if code == results.RESULT_SUCCESS:
            return Bound.MUST_CHANGE if told is Bound.MUST_CHANGE else Bound.WELCOME
        if code in WRONG:
            return told or Bound.WRONG
        raise Failed(_words(result))


def _prepared(password: str) -> bytes:
    """As it is sent (RFC 4513, 5.1): nothing where it has signs that no password can have, or none but invisible."""
    try:
        secret: bytes = sasl.validate_simple_password(password)
    except exceptions.LDAPException:
        return b""
    return secret


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """ldap3's many exceptions as Failed."""
    try:
        yield
    except (exceptions.LDAPException, OSError) as error:
        raise Failed(_problem(error)) from error


def filter_entries(response: Sequence[Mapping[str, Any]] | None) -> Iterator[Mapping[str, Any]]:
    """Without the references to other servers, which nobody follows."""
    return (each for each in response or () if each["type"] == "searchResEntry")


def _entry(raw: Mapping[str, Any]) -> Entry:
    values = {
        name.lower(): tuple(value.decode("utf-8", "replace") for value in values)
        for name, values in raw["raw_attributes"].items()
    }
    return Entry(raw["dn"], values)


def _cookie(result: Mapping[str, Any]) -> bytes | None:
    page = (result.get("controls") or {}).get("1.2.840.113556.1.4.319")
    cookie: bytes | None = page["value"]["cookie"] if page else None
    return cookie


def _policy_error(result: Mapping[str, Any]) -> int:
    control = (result.get("controls") or {}).get(POLICY_CONTROL)
    return policy_error(control["value"] or b"") if control else -1


def policy_error(value: bytes) -> int:
    """The error in a PasswordPolicyResponseValue, or -1: SEQUENCE { warning [0] …, error [1] ENUMERATED }, as BER."""
    for _, body in _elements(value):
        for tag, content in _elements(body):
            if tag == 0x81:
                return int.from_bytes(content)
    return -1


def _elements(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each; lengths are below 128 in all that is read with this."""
    while len(raw) >= 2:
        tag, length = raw[0], raw[1]
        yield tag, raw[2 : 2 + length]
        raw = raw[2 + length :]


def _words(result: Mapping[str, Any]) -> str:
    said = result.get("message") or ""
    return f"it says {result['description']}" + (f" ({said})" if said else "")


def _problem(error: BaseException) -> str:
    """What went wrong, of ldap3's words the last: it repeats what it wraps."""
    history = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], list) else []
    words = " / ".join(dict.fromkeys(str(attempt[2]) for attempt in history)) or str(error) or type(error).__name__
    for known, plain in PLAIN.items():
        if known in words:
            return plain
    return words


PLAIN = {
    "self-signed certificate in certificate chain": "its certificate is of an authority that ca_file does not hold",
    "unable to get local issuer": "its certificate is of an authority that ca_file does not hold",
    "self-signed certificate": "its certificate is self-signed and not in ca_file",
    "certificate has expired": "its certificate has expired",
    "Hostname mismatch": "its certificate is for another host name",
    "IP address mismatch": "its certificate is for another address",
    "EOF occurred": "it does not speak TLS there; is it the port of ldap, not ldaps?",
    "WRONG_VERSION_NUMBER": "it does not speak TLS there; is it the port of ldap, not ldaps?",
    "session terminated by server": "it ended the connection; is it the port of ldaps, not ldap?",
    "Connection refused": "nothing listens there",
    "timed out": "it does not answer in time",
    "Resource temporarily unavailable": "it does not answer in time",
    "Name or service not known": "there is no such host",
    "invalid server address": "there is no such host",
}
