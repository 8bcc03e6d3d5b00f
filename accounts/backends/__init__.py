"""How somebody is recognised."""

from accounts.backends.agreements import OPEN, forget_published, newest_agreements, outstanding
from accounts.backends.local import (
    PREFIX,
    LocalBackend,
    ScopedPermission,
    TokenAuthentication,
    digest,
    find_token,
    new_secret,
    redeem_link,
)
from accounts.backends.sessions import address_of, session_id

__all__ = [
    "OPEN",
    "PREFIX",
    "LocalBackend",
    "ScopedPermission",
    "TokenAuthentication",
    "address_of",
    "digest",
    "find_token",
    "forget_published",
    "new_secret",
    "newest_agreements",
    "outstanding",
    "redeem_link",
    "session_id",
]
