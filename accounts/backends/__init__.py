"""How somebody is recognised."""

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

__all__ = [
    "PREFIX",
    "LocalBackend",
    "ScopedPermission",
    "TokenAuthentication",
    "digest",
    "find_token",
    "new_secret",
    "redeem_link",
]
