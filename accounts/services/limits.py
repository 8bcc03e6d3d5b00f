"""How often strangers may ask for what costs somebody a mail, or a password's trial."""

import hashlib

from django.core.cache import cache

AN_HOUR = 3600


def may_ask(what: str, by: str, *, most: int, seconds: int = AN_HOUR) -> bool:
    """Count this try; False once there were more than `most` in `seconds`."""
    key = f"asked:{what}:{hashlib.sha256(by.lower().encode()).hexdigest()}"  # no odd signs in a key
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key) <= most
    except ValueError:  # it ended between the two, or the cache is away
        return True
