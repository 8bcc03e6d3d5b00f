"""What a portal's refusals and failures mean: problem+json (RFC 9457) and results back to the tree of errors."""

import json
import re
from collections.abc import Iterator
from typing import Any

from cloudmesh import errors
from cloudmesh.errors import CloudmeshError

_BY_STATUS = {
    400: errors.Invalid,
    401: errors.NotAuthenticated,
    403: errors.NotAllowed,
    404: errors.NotFound,
    409: errors.Conflict,
    429: errors.Busy,
    502: errors.Unreachable,
    503: errors.Unreachable,
    504: errors.Unreachable,
}
_NO_FACTS = {"type", "title", "status", "detail", "instance"}


def error_of(status: int, headers: dict[str, str], content: bytes, url: str) -> CloudmeshError:
    """The error that an answer stands for; its message is the portal's own sentence where there is one."""
    problem = _parse(content)
    if problem is None:
        return _foreign(status, headers, url)
    name = str(problem.get("type", "")).rpartition("/")[2]
    kind = dict(_kinds(CloudmeshError)).get(name) or _BY_STATUS.get(status, CloudmeshError)
    error = kind(str(problem["detail"]))
    error.facts = {key: value for key, value in problem.items() if key not in _NO_FACTS}
    return error


def failure_of(operation: dict[str, Any]) -> CloudmeshError:
    """The error that an operation ended with."""
    facts = dict(operation.get("result") or {})
    by_name = {kind.__name__: kind for _, kind in _kinds(CloudmeshError)}
    error = by_name.get(facts.pop("error", ""), CloudmeshError)(
        operation["reason"] or f"The operation was {operation['state']}."
    )
    error.facts = facts
    return error


def _parse(content: bytes) -> dict[str, Any] | None:
    try:
        problem = json.loads(content)
    except ValueError:
        return None
    return problem if isinstance(problem, dict) and "detail" in problem else None


def _foreign(status: int, headers: dict[str, str], url: str) -> CloudmeshError:
    """For an answer that no portal wrote: a proxy, a redirect, some other site."""
    if 300 <= status < 400:
        return errors.Invalid(f"{url} sends on to {headers.get('location', 'nowhere')}. Use that address instead.")
    kind = _BY_STATUS.get(status, CloudmeshError)
    return kind(f"{url} answered HTTP {status}, but not as a Cloudmesh portal does. Is the address right?")


def _kinds(parent: type[CloudmeshError]) -> Iterator[tuple[str, type[CloudmeshError]]]:
    for kind in parent.__subclasses__():
        yield re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower(), kind
        yield from _kinds(kind)
