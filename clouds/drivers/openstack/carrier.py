"""What carries each request: a guarded connection, once, and an answer that is whole, in time and of sane size."""

import contextlib
import functools
import io
import ssl
import time
import urllib.parse
from typing import Any

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter

from cloudmesh.errors import Busy, DriverError, Rejected, Unreachable
from cloudmesh.wire import guarded_pools
from clouds.drivers import Site

LONGEST_ANSWER = 64 << 20  # bytes; a thousand servers are about 3 MiB
PART = 1 << 16


class Carrier(HTTPAdapter):
    """For `requests`, whose errors leave it as `cloudmesh.errors`."""

    def __init__(self, site: Site, cacert: str, *, verify: bool) -> None:
        self._site = site
        self._trust = _trust(cacert) if verify else _blind_trust()
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._trust)
        self.poolmanager.pool_classes_by_scheme = guarded_pools(self._site.guard)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context decides; requests would trust its own list besides."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        end = time.monotonic() + self._site.timeout
        try:
            answer = super().send(request, *args, **options)
            with contextlib.closing(answer.raw) as raw:
                answer.raw = io.BytesIO(_whole(raw, end))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _failure(error, urllib.parse.urlsplit(request.url or "").netloc.rpartition("@")[2]) from error
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


def _failure(error: Exception, host: str) -> DriverError:
    reason: BaseException = getattr(error.args[0], "reason", error) if error.args else error
    cause = reason.__cause__ or reason
    words = getattr(cause, "strerror", None) or str(cause)
    match error, reason:
        case requests.exceptions.SSLError(), _:
            return _distrust(host, words)
        case _, urllib3.exceptions.NewConnectionError() | urllib3.exceptions.ConnectTimeoutError():
            return Unreachable(f"No connection to {host}: {words}.")
        case ((requests.Timeout() | urllib3.exceptions.TimeoutError()), _):
            return Busy(f"{host} did not answer in time.")
        case ((requests.ConnectionError() | urllib3.exceptions.HTTPError()), _):
            return Busy(f"{host} broke off: {words}.")
    return Rejected(f"{error}: check the URL.")


def _distrust(host: str, words: str) -> DriverError:
    if "certificate" not in words.lower():
        return Unreachable(f"No secure connection to {host}: {words}.")
    return Rejected(
        f"The certificate of {host} is not trusted: {words}. If an authority of its own signed it, give that "
        "authority's as CA certificate.",
        field="cacert",
    )
