"""Reaching a cloud: its driver, made with the account's credential."""

import contextlib
from collections.abc import Iterator, Mapping

from django.conf import settings

from accounts import secrets
from cloudmesh.wire import public_only
from clouds.drivers import CloudDriver, Site
from clouds.models import CloudAccount
from operations.engine import reach
from operations.engine.drivers import Drivers

Driver = type[CloudDriver]

drivers: Drivers[CloudDriver] = Drivers("cloudmesh.clouds", "cloud driver")


@contextlib.contextmanager
def reaching(account: CloudAccount) -> Iterator[CloudDriver]:
    """The driver of an account; what the block raises is remembered for the circuit breaker.

    Raises Unreachable at once while the circuit is open, Refused when the account has no working credential.
    """
    with reach.visiting(account, account):
        yield reach.kept(account, lambda: _driver(account, reach.opened(account)))


def try_pending(account: CloudAccount, facts: Mapping[str, str]) -> str:
    """Log in with the credential that waits to be verified; answers as whom. Raises DriverError."""
    plain = secrets.unseal(secrets.ring(), account.pending, **account.place)
    return drivers.named(account.cloud.driver)({**facts, **plain}, site(account)).check()


def site(account: CloudAccount) -> Site:
    return Site(
        state_dir=settings.STATE_DIR,
        guard=_anywhere if account.may_go_private else public_only,
        timeout=settings.PROVIDER_TIMEOUT,
    )


def _anywhere(address: str) -> None:
    """Administrators may register clouds on private addresses."""


def _driver(account: CloudAccount, plain: Mapping[str, str]) -> CloudDriver:
    return drivers.named(account.cloud.driver)({**account.facts, **plain}, site(account))
