"""The way out to a cloud: where a connection may go, checked for the very address it is then made to.

A name is resolved once, the guard sees each address, and the socket is opened to an address it let pass; so
neither a redirect nor a name that changes its mind reaches a network the account may not enter.
See docs/decisions/0004-endpoint-guard.md.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from cloudmesh.errors import Rejected, Unreachable

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool

Guard = Callable[[str], None]
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
METADATA = tuple(  # looks public to Python, is what clouds tell their own servers, secrets included
    ipaddress.IPv4Network(network) for network in ("168.63.129.16/32", "192.0.0.0/24")
)


def guarded_pools(guard: Guard) -> "dict[str, type[HTTPConnectionPool]]":
    """The connection pools of urllib3 by scheme, which connect only to addresses that `guard` lets pass.

    For `urllib3.PoolManager.pool_classes_by_scheme`. What `guard` raises comes out of the request.
    """
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

    class Guarded(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            name = self._dns_host
            try:
                return self._first_of(allowed_addresses(guard, name, self.port or self.default_port))
            except socket.gaierror as error:
                raise NameResolutionError(name, self, error) from error
            finally:
                self._dns_host = name  # certificates are checked against the name

        def _first_of(self, addresses: list[str]) -> socket.socket:
            *others, last = addresses
            for self.host in others:
                with contextlib.suppress(ConnectTimeoutError, NewConnectionError):
                    return super()._new_conn()
            self.host = last
            return super()._new_conn()

    class GuardedTls(Guarded, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Guarded

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = GuardedTls

    return {"http": Pool, "https": TlsPool}


def allowed_addresses(guard: Guard, name: str, port: int) -> list[str]:
    """The addresses of a host name that `guard` lets pass; where it lets none, its reason is raised."""
    try:
        found = socket.getaddrinfo(name.strip("[]"), port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, f"{name!r} is no host name") from error
    allowed, forbidden = [], None
    for address in (str(sockaddr[0]) for *_, sockaddr in found):
        try:
            guard(address)
            allowed.append(address)
        except Rejected as reason:
            forbidden = reason
    if forbidden and not allowed:
        raise forbidden
    return allowed


def post(url: str, body: bytes, *, headers: Mapping[str, str], guard: Guard, seconds: float) -> int:
    """Send `body` to `url` over a guarded connection; the status of the answer, which is not read any further.

    No redirect is followed and no proxy asked. All of it, but looking up the name, has `seconds`, however slowly the
    other side speaks. Raises Rejected where the guard lets no address pass, Unreachable.
    """
    parts = urllib.parse.urlsplit(url)
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    try:
        opened = connected(guard, host, parts.port or (443 if is_tls else 80), seconds)
        if is_tls:
            context = ssl.create_default_context()
            opened = context.wrap_socket(opened, server_hostname=host, do_handshake_on_connect=False)
        with opened, _deadline(opened, seconds):
            if isinstance(opened, ssl.SSLSocket):
                opened.do_handshake()
            connection = http.client.HTTPConnection(host)
            connection.sock = opened
            connection.request("POST", target, body, {"Host": parts.netloc, "Connection": "close", **headers})
            return connection.getresponse().status
    except TimeoutError as error:
        raise Unreachable(f"{host} did not answer within {seconds:.0f} s.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{host} could not be reached, or does not speak HTTP: {_said(error)}.") from error


def connected(guard: Guard, host: str, port: int, seconds: float) -> socket.socket:
    """A socket to the first address of a host that answers, among those that `guard` lets pass; raises OSError."""
    *others, last = allowed_addresses(guard, host, port)
    for address in others:
        with contextlib.suppress(OSError):
            return socket.create_connection((address, port), seconds / 2)
    return socket.create_connection((last, port), seconds)


@contextlib.contextmanager
def _deadline(opened: socket.socket, seconds: float) -> Iterator[None]:
    """Hang up after `seconds`: the time-out of a socket begins anew with each byte that trickles in."""
    is_late = threading.Event()

    def hang_up() -> None:
        is_late.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(opened, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, hang_up)
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        if is_late.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()


def _said(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or error or type(error).__name__)[:200]


def public_only(address: str) -> None:
    """A guard for ordinary users: raises Rejected unless `address` is on the public internet."""
    try:
        wanted = _meant(ipaddress.ip_address(address))
    except ValueError:
        raise Rejected(f"{address!r} is no IP address, so nothing was sent there.", address=address) from None
    if not _is_public(wanted):
        raise Rejected(
            f"{address} is not a public address ({_kind(wanted)}), and only an administrator may register a cloud "
            "there. Use the cloud's public endpoint, or ask an administrator to register it.",
            address=address,
        )


def _meant(address: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 one stands for, where it is a translation or a tunnel."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not _is_metadata(address)


def _is_metadata(address: IpAddress) -> bool:
    return any(address in network for network in METADATA)


def _kind(address: IpAddress) -> str:
    kinds = {
        "unspecified": address.is_unspecified,
        "loopback": address.is_loopback,
        "link-local": address.is_link_local,
        "multicast": address.is_multicast,
        "a cloud's metadata service": _is_metadata(address),
        "private": address.is_private,
    }
    return next((kind for kind, true in kinds.items() if true), "reserved or shared")
