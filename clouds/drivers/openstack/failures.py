"""What Keystone, Nova, Glance and Neutron call a failure, in the words of `cloudmesh.errors`."""

import contextlib
import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from cloudmesh.errors import Busy, DriverError, Full, Gone, Refused, Rejected

STATUSES: Mapping[int, type[DriverError]] = {
    400: Rejected,
    401: Refused,
    403: Rejected,
    404: Gone,
    408: Busy,
    409: Rejected,
    410: Gone,
    413: Full,
    425: Busy,
    429: Busy,
    501: Rejected,  # this hypervisor never will
}
CODES: Mapping[str, type[DriverError]] = {  # Neutron names its errors
    "OverQuota": Full,
    "IpAddressGenerationFailure": Full,
    "ExternalIpAddressExhausted": Full,
    "ExternalGatewayForFloatingIPNotFound": Rejected,
    "RetryRequest": Busy,
}
SENSITIVE = (403, 409, 412, 413)  # mean different things; the words tell which
WORDS: tuple[tuple[str, type[DriverError]], ...] = (
    ("quota", Full),
    ("over limit", Full),
    ("number of ports exceeded", Full),
    ("no more ip addresses", Full),
    ("in task_state", Busy),
    ("vm_state building", Busy),
    ("is not ready", Busy),
    ("revisionnumberconstraintfailed", Busy),
)
QUOTA = re.compile(r"exceeded for (\w+)[^:]*: Requested \d+[^:]*already used (\d+)[^:]* of (\d+)")
LONGEST_MESSAGE = 1000


def failure(service: str, status: int, body: bytes, headers: Mapping[str, str]) -> DriverError:
    """What the answer `status` of a service means; the message is the provider's own."""
    code, message = _said(body)
    facts: dict[str, Any] = {"code": code or status, **_quota(message)}
    if (wait := headers.get("Retry-After", "")).isdecimal():
        facts["retry_after"] = int(wait)
    kind = Busy if "retry_after" in facts and status == 413 else _kind(status, code, message)
    return kind(message or f"{service} answered {status} without a word.", **facts)


def _kind(status: int, code: str, message: str) -> type[DriverError]:
    if code in CODES:
        return CODES[code]
    if status in SENSITIVE:
        said = message.lower()
        for words, kind in WORDS:
            if words in said:
                return kind
    return STATUSES.get(status) or (Busy if status >= 500 else Rejected)


def _said(body: bytes) -> tuple[str, str]:
    """The code and the message in an error's body: JSON of one of four shapes, or a page for people."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "", _text_of_page(body)
    while isinstance(document, dict) and "message" not in document and document:
        document = next(iter(document.values()))  # {"badRequest": {…}}, {"error": {…}}, {"NeutronError": {…}}
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return "", str(document)[:LONGEST_MESSAGE] if document else ""
    words = html.unescape(str(document.get("message") or document.get("detail") or document.get("title") or ""))
    return str(document.get("type") or ""), words.strip()[:LONGEST_MESSAGE]


def _text_of_page(body: bytes) -> str:
    page = re.sub(r"(?s)<(title|h1|style|script)\b.*?</\1>|<[^>]*>", " ", body[:20_000].decode(errors="replace"))
    return " ".join(html.unescape(page).split())[:LONGEST_MESSAGE]


def _quota(message: str) -> dict[str, Any]:
    if found := QUOTA.search(message):
        return {"resource": found[1], "used": int(found[2]), "limit": int(found[3])}
    return {}


@contextlib.contextmanager
def understood(service: str) -> Iterator[None]:
    """Around the reading of an answer: what is not as its API promises counts as a broken one."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise Busy(f"{service} did not answer as OpenStack does: {type(error).__name__} {error}"[:300]) from error
