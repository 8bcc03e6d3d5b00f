"""Carries requests to slurmrestd over guarded connections: no proxy, no redirect, no second try."""

import contextlib
import ssl
import urllib.parse
from collections.abc import Iterator, Mapping

import orjson
import urllib3
import urllib3.exceptions as wire

from cloudmesh.errors import Busy, Refused, Rejected, Unreachable
from cloudmesh.types import Json
from cloudmesh.wire import guarded_pools
from hpc.drivers import LONGEST_ANSWER, Site

WORDS = 300  # letters of what is no document


class Reply:
    """What came back."""

    def __init__(self, url: str, status: int, body: bytes) -> None:
        self.url, self.status, self.body = url, status, body

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def document(self) -> Json:
        """The answer, which is a document whenever slurmrestd itself speaks of Slurm."""
        try:
            document = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            document = None
        if isinstance(document, dict):
            return document
        self.check()
        raise Busy(f"{self.url} did not answer as slurmrestd does: {self.text[:WORDS] or 'nothing at all'}")

    def check(self) -> None:
        """Raise what a status means that nothing explains."""
        said = self.text[:WORDS].strip()
        if self.status in (401, 403):
            raise Refused(f"slurmrestd does not accept the token: {said}. It may have ended.", field="token")
        if self.status in (408, 429) or self.status >= 500:
            raise Busy(f"slurmrestd cannot answer now ({self.status}): {said}")
        if self.status >= 300:
            raise Rejected(f"{self.url} is not what slurmrestd offers ({self.status}): {said}", field="url")


class Carrier:
    def __init__(self, site: Site, headers: Mapping[str, str], ca_bundle: str) -> None:
        self._headers = {"Accept": "application/json", **headers}
        self._timeout = site.timeout
        self._pools = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=site.timeout, read=site.timeout), ssl_context=_trust(ca_bundle)
        )
        self._pools.pool_classes_by_scheme = guarded_pools(site.guard)

    def carry(
        self, method: str, url: str, *, body: bytes | None = None, query: Mapping[str, str] | None = None
    ) -> Reply:
        headers = {**self._headers, **({"Content-Type": "application/json"} if body is not None else {})}
        whole = f"{url}?{urllib.parse.urlencode(query)}" if query else url
        with (
            _translated(self._timeout),
            self._pools.request(
                method, whole, body=body, headers=headers, retries=False, redirect=False, preload_content=False
            ) as answer,
        ):
            content = answer.read(LONGEST_ANSWER + 1)
        if len(content) > LONGEST_ANSWER:
            raise Busy(f"slurmrestd answers more than {LONGEST_ANSWER >> 20} MiB.")
        return Reply(url, answer.status, content)


def _trust(ca_bundle: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=ca_bundle or None)
    except (ssl.SSLError, ValueError) as error:
        raise Rejected(
            "The CA bundle holds no certificate in PEM format (-----BEGIN CERTIFICATE-----): paste the certificate "
            "of the authority that signed slurmrestd's.",
            field="ca_bundle",
        ) from error


@contextlib.contextmanager
def _translated(seconds: float) -> Iterator[None]:
    try:
        yield
    except (wire.NameResolutionError, wire.NewConnectionError, wire.ConnectTimeoutError) as error:
        raise Unreachable(f"No connection to slurmrestd: {str(error).rpartition('>: ')[2]}.") from error
    except wire.SSLError as error:
        raise _distrusted(error) from error
    except wire.LocationValueError as error:
        raise Rejected(f"The URL of slurmrestd is none: {error}.", field="url") from error
    except wire.TimeoutError as error:
        raise Busy(f"slurmrestd did not answer within {seconds:g} s; Slurm's controller may not answer it.") from error
    except wire.HTTPError as error:
        raise Busy(f"slurmrestd broke off: {str(error)[:WORDS]}") from error


def _distrusted(error: Exception) -> Rejected | Unreachable:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args):
        return Rejected(
            f"The certificate of slurmrestd is not trusted: {error}. If it is signed by an authority of its own, "
            "give that authority's certificate as CA bundle.",
            field="ca_bundle",
        )
    return Unreachable(f"No secure connection to slurmrestd: {error}.")
