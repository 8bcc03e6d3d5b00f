"""What carries each request: a guarded connection, once, and an answer that is whole, in time and of sane size."""

import contextlib
import functools
import io
import ssl
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as Late

from cloudmesh.errors import Busy, DriverError, Rejected, Unreachable
from cloudmesh.wire import guarded_pools
from clouds.drivers import Site

LONGEST_ANSWER = 64 << 20  # bytes; a thousand servers are about 3 MiB
PART = 1 << 16
MOST_REDIRECTS = 3
ONCE = urllib3.Retry(
    total=None,
    connect=0,
    read=0,
    status=0,
    other=0,
    redirect=MOST_REDIRECTS,
    raise_on_redirect=False,
    remove_headers_on_redirect=("X-Auth-Token",),  # from one host to another
)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


class Carrier(HTTPAdapter):
    """Carries what we ask for, and for keystoneauth, which speaks through `requests`, the login."""

    def __init__(self, site: Site, cacert: str, *, verify: bool) -> None:
        self._site = site
        self._trust = _trust(cacert) if verify else _blind_trust()
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._trust)
        self.poolmanager.pool_classes_by_scheme = guarded_pools(self._site.guard)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context decides; requests would trust its own list besides."""

    def carry(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Raises what leaves no answer: Busy, Unreachable, Rejected."""
        end = time.monotonic() + self._site.timeout
        try:
            with contextlib.closing(
                self.poolmanager.request(
                    method,
                    url,
                    body=body,
                    headers=headers,
                    timeout=self._site.timeout,
                    retries=ONCE,
                    preload_content=False,
                )
            ) as answer:
                return Answer(answer.status, answer.headers, _whole(answer, end))
        except HTTPError as error:
            raise _failure(error, url) from error

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        end = time.monotonic() + self._site.timeout
        try:
            answer = super().send(request, *args, **options)
            with contextlib.closing(answer.raw) as raw:
                answer.raw = io.BytesIO(_whole(raw, end))
        except (requests.RequestException, HTTPError) as error:
            raise _failure(error, request.url or "") from error
        return answer


@functools.lru_cache(maxsize=64)
def _trust(cacert: str) -> ssl.SSLContext:
    """Reading the usual authorities takes 20 ms, so all drivers share them."""
    try:
        return ssl.create_default_context(cafile=None if cacert else certifi.where(), cadata=cacert or None)
    except (ssl.SSLError, TypeError, ValueError) as error:
        raise Rejected(
            "The CA certificate is none in PEM format (-----BEGIN CERTIFICATE-----): paste that of the authority "
            "which signed the cloud's.",
            field="cacert",
        ) from error


@functools.cache
def _blind_trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _whole(answer: urllib3.BaseHTTPResponse, end: float) -> bytes:
    """Its body, decoded; a time-out of the socket alone would let a slow drip go on for ever."""
    whole = bytearray()
    while part := answer.read1(PART, decode_content=True):
        whole += part
        if len(whole) > LONGEST_ANSWER:
            raise Rejected(f"The cloud answers with more than {LONGEST_ANSWER >> 20} MiB: it does not speak OpenStack.")
        if time.monotonic() > end:
            raise Busy("The cloud was too slow to answer in full.")
    return bytes(whole)


def _failure(error: Exception, url: str) -> DriverError:
    host = urllib.parse.urlsplit(url).netloc.rpartition("@")[2]
    reason = _reason(error)
    words = getattr(reason.__cause__ or reason, "strerror", None) or str(reason)
    match reason:
        case SSLError():
            return _distrust(host, words)
        case NewConnectionError() | ConnectTimeoutError():
            return Unreachable(f"No connection to {host}: {words}.")
        case LocationValueError():
            return Rejected(f"{url} is no URL: {words}")
        case Late():
            return Busy(f"{host} did not answer in time.")
        case HTTPError():
            return Busy(f"{host} broke off: {words}.")
    return Rejected(f"{error}: check the URL.")


def _reason(error: BaseException) -> BaseException:
    """What is inside the wrappings of requests and of urllib3's retries."""
    inner = error.args[0] if isinstance(error, requests.RequestException) and error.args else error
    reason = getattr(inner, "reason", None) or inner
    return reason if isinstance(reason, BaseException) else error


def _distrust(host: str, words: str) -> DriverError:
    if "certificate" not in words.lower():
        return Unreachable(f"No secure connection to {host}: {words}.")
    return Rejected(
        f"The certificate of {host} is not trusted: {words}. If an authority of its own signed it, give that "
        "authority's as CA certificate.",
        field="cacert",
    )
