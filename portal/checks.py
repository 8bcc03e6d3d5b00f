"""What a portal needs before it can run; each thing missing is named with what to do about it."""

import os
import urllib.parse
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from accounts import secrets
from cloudmesh.errors import Invalid

HOW_TO_MAKE = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'


def setup(**_: Any) -> list[CheckMessage]:
    """Registered by the app; runs with `manage.py check` and at every start."""
    return [*_services(), *_secrets(), *_address()]


def _services() -> Iterator[CheckMessage]:
    wanted = {
        "DATABASE_URL": (("postgresql", "postgres"), "postgresql://cloudmesh:PASSWORD@db.example.org/cloudmesh"),
        "REDIS_URL": (("redis", "rediss", "unix"), "redis://cache.example.org:6379/0"),
    }
    for number, (name, (schemes, example)) in enumerate(wanted.items(), 1):
        value = os.environ.get(name, "")
        if urllib.parse.urlsplit(value).scheme not in schemes:
            problem = f"{name} is not set" if not value else f"{name} is no URL of {' or '.join(schemes)}"
            yield Error(
                f"{problem}.", hint=f"Set it in the environment, such as {name}={example}", id=f"portal.E00{number}"
            )


def _secrets() -> Iterator[CheckMessage]:
    if not os.environ.get("CLOUDMESH_SECRET_KEY"):
        yield Error("CLOUDMESH_SECRET_KEY is not set.", hint=HOW_TO_MAKE, id="portal.E003")
    try:
        secrets.KeyRing.parse(settings.CLOUDMESH_KEYS)
    except Invalid as error:
        yield Error(error.message, id="portal.E004")


def _address() -> Iterator[CheckMessage]:
    parts = urllib.parse.urlsplit(settings.CLOUDMESH_URL)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        hint = "Set it to where people reach the portal, such as CLOUDMESH_URL=https://cloudmesh.example.org"
        yield Error(f"CLOUDMESH_URL is no web address: {settings.CLOUDMESH_URL}", hint=hint, id="portal.E005")
    elif parts.scheme == "http" and not settings.STANDALONE:
        hint = "Serve it behind TLS and set CLOUDMESH_URL to its https address."
        yield Warning(
            "The portal is reached without TLS; passwords and tokens travel in clear.", hint=hint, id="portal.W001"
        )
