"""One tree of errors; each message is a sentence that says what, why and what to do.

CloudmeshError
├── Invalid                bad input, with the field it is about
│   ├── Ambiguous          a name that means several things
│   └── Reused             an Idempotency-Key that came with something else before
├── NotFound               nothing there, or nothing the actor may see
├── NotAuthenticated       no login, or one that ended
├── NotAllowed             the actor may not do this
│   └── PolicyDenied       a policy forbids it
├── Conflict               the state of things forbids it
│   ├── IllegalTransition  a state cannot follow another
│   ├── QuotaExceeded      a limit would be passed
│   └── Underway           the same request is being done just now
├── Unreadable             a stored secret does not open: no key for it, or it was changed or moved
└── DriverError            a cloud, a queue or a provisioner said no
    ├── Busy               try again: rate limit, 5xx, time-out
    │   └── Unreachable    nothing was sent: no route, name or port, or the circuit is open
    ├── Refused            the credential is not accepted
    ├── Gone               the thing is not there (any more)
    ├── Full               the provider's own quota or capacity is used up
    └── Rejected           the provider will not do it, in its own words

`status` is the HTTP status of RFC 9457 answers, `exit_code` what `cm` ends with.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

INTERRUPTED = 130  # what `cm` ends with after Ctrl-C


class CloudmeshError(Exception):
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Something failed"

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts  # for programs: field, resource, used, limit, …


class Invalid(CloudmeshError):
    status, exit_code, title = 400, 2, "Invalid input"


class Ambiguous(Invalid):
    title = "Ambiguous name"


class Reused(Invalid):
    status, title = 422, "Key used already"


class NotFound(CloudmeshError):
    status, exit_code, title = 404, 3, "Not found"


class NotAuthenticated(CloudmeshError):
    status, exit_code, title = 401, 4, "Not signed in"


class NotAllowed(CloudmeshError):
    status, exit_code, title = 403, 4, "Not allowed"


class PolicyDenied(NotAllowed):
    title = "Denied by policy"


class Conflict(CloudmeshError):
    status, exit_code, title = 409, 5, "Conflict"


class IllegalTransition(Conflict):
    title = "Not possible in this state"


class QuotaExceeded(Conflict):
    title = "Quota exceeded"


class Underway(Conflict):
    title = "Being done just now"


class Unreadable(CloudmeshError):
    title = "A stored secret cannot be read"


class DriverError(CloudmeshError):
    status, exit_code, title = 502, 1, "The provider failed"


class Busy(DriverError):
    status, title = 503, "The provider is busy"


class Unreachable(Busy):
    exit_code, title = 6, "The provider cannot be reached"


class Refused(DriverError):
    status, exit_code, title = 422, 4, "The credential was refused"


class Gone(DriverError):
    status, exit_code, title = 404, 3, "Not there any more"


class Full(DriverError):
    status, exit_code, title = 409, 5, "The provider is full"


class Rejected(DriverError):
    status, title = 422, "The provider refused"


def near(wanted: str, names: Iterable[str]) -> str:
    """A hint with up to three known names like `wanted`, or an empty string."""
    import difflib

    close = difflib.get_close_matches(wanted, list(names), n=3, cutoff=0.4)
    return f" Did you mean {' or '.join(close)}?" if close else ""
