"""Reaching a scheduler: its driver on the way it was registered with, as itself or as one of its people."""

import contextlib
from collections.abc import Iterator, Mapping

from django.conf import settings

from accounts import secrets
from cloudmesh.errors import Invalid, Refused
from cloudmesh.types import Field
from cloudmesh.wire import Guard, public_only
from hpc.backends import keys, ssh
from hpc.backends.local import Local
from hpc.drivers import HpcDriver, Shell, Site
from hpc.models import Identity, Login, Scheduler, Way
from operations.engine import reach
from operations.engine.drivers import Drivers

Driver = type[HpcDriver]

drivers: Drivers[HpcDriver] = Drivers("cloudmesh.hpc", "scheduler driver")

ENVIRONMENT = Field(
    name="environment",
    label="Environment",
    type="file",
    help="Variables that its commands need, each on a line: SLURM_CONF=/etc/slurm/slurm.conf",
    required=False,
)
KEY = Field(
    name="key", label="Private key", type="file", help="In OpenSSH's format, such as ~/.ssh/id_ed25519.", secret=True
)
PASSPHRASE = Field(name="passphrase", label="Passphrase of the key", type="password", required=False, secret=True)
TOKEN = Field(
    name="token", label="Token", type="password", help="A JSON web token, from: scontrol token lifespan=…", secret=True
)
READER = "As whom the portal reads queues, nodes and jobs."
#: What a scheduler is registered with, by the way it is reached; its driver may ask for more.
FIELDS: Mapping[str, tuple[Field, ...]] = {
    Way.LOCAL: (Field(name="login", label="User", help=READER), ENVIRONMENT),
    Way.SSH: (
        Field(name="host", label="Login node", help="Its name or address."),
        Field(name="port", label="Port", default="22"),
        Field(name="login", label="User", help=READER),
        KEY,
        PASSPHRASE,
        Field(
            name="host_key",
            label="Host key",
            help="As ssh-keyscan tells it, or its SHA256 fingerprint; empty: the one it shows now is kept.",
            required=False,
        ),
        Field(
            name="jump_host", label="Jump host", help="Where one has to go through: HOST or HOST:PORT.", required=False
        ),
        Field(name="jump_login", label="User at the jump host", required=False),
        Field(name="jump_host_key", label="Host key of the jump host", required=False),
        ENVIRONMENT,
    ),
    Way.REST: (
        Field(name="url", label="URL", type="url", help="Of slurmrestd, such as https://india.example.org:6820"),
        Field(name="login", label="User", help=READER),
        TOKEN,
        Field(
            name="ca_bundle",
            label="CA bundle",
            type="file",
            help="In PEM, where an authority of its own signed the certificate.",
            required=False,
        ),
    ),
    Way.SIMULATOR: (),
}
#: What drivers call the login that they act as.
NAMES = ("login", "user", "username")
#: What somebody's own login needs beside its name.
OWN_FIELDS: Mapping[str, tuple[Field, ...]] = {
    Way.LOCAL: (),
    Way.SSH: (KEY, PASSPHRASE),
    Way.REST: (TOKEN,),
    Way.SIMULATOR: (Field(name="password", label="Password", type="password", secret=True),),
}


def fields(driver: str, way: str) -> tuple[Field, ...]:
    """What a scheduler of this kind is registered with on this way. Raises Invalid."""
    usual = FIELDS[Way(way)]
    given = {"user", *(field.name for field in usual)}
    return (*usual, *(field for field in drivers.named(driver).fields_on(way) if field.name not in given))


@contextlib.contextmanager
def reading(scheduler: Scheduler) -> Iterator[HpcDriver]:
    """The driver of a scheduler as itself; what the block raises is remembered for the circuit breaker.

    Raises Unreachable at once while the circuit is open, Refused when it has no working credential.
    """
    with reach.visiting(scheduler, scheduler):
        yield reach.kept(scheduler, lambda: _driver(scheduler, reach.opened(scheduler), _reader(scheduler)))


@contextlib.contextmanager
def acting(scheduler: Scheduler, login: Login | None) -> Iterator[HpcDriver]:
    """The driver of a scheduler as one of its people. Raises as `reading` does."""
    name = acts_as(scheduler, login)
    bearer = login if login and not login.is_mapped and scheduler.identity == Identity.OWN else scheduler
    with reach.visiting(scheduler, bearer):
        yield reach.kept(bearer, lambda: _driver(scheduler, reach.opened(bearer), name), name=name)


def acts_as(scheduler: Scheduler, login: Login | None) -> str:
    """The name of the login that somebody's jobs run as. Raises Refused where they have none."""
    if scheduler.identity == Identity.ONE:
        return _reader(scheduler)
    if login is None:
        raise Refused(f"You have no login at {scheduler}. Tell the portal yours: cm hpc login set {scheduler} NAME")
    return login.name


def pinned(scheduler: Scheduler, facts: Mapping[str, str]) -> dict[str, str]:
    """The facts with the host keys that the machines show now, where none was given. Raises DriverError, Invalid."""
    known, guard = dict(facts), _guard(scheduler)
    if scheduler.way == Way.SSH and known.get("jump_host") and not known.get("jump_host_key"):
        known["jump_host_key"] = ssh.host_key(*_place(known["jump_host"]), guard=guard)
    if scheduler.way == Way.SSH and not known.get("host_key"):
        if known.get("jump_host"):
            raise Invalid(
                "Give the host key of the login node: behind a jump host it is not fetched.", field="host_key"
            )
        known["host_key"] = ssh.host_key(known["host"], _port(known["port"]), guard=guard)
    return known


def try_pending(scheduler: Scheduler, facts: Mapping[str, str]) -> str:
    """Reach a scheduler with the credential that waits to be verified; answers what it is. Raises DriverError."""
    plain = secrets.unseal(secrets.ring(), scheduler.pending, **scheduler.place)
    return _driver(scheduler, plain, _reader(scheduler, facts), facts).check()


def try_login(login: Login) -> str:
    """Reach a scheduler as somebody. Raises DriverError."""
    plain = secrets.unseal(secrets.ring(), login.pending or login.credential, **login.place)
    return _driver(login.scheduler, plain, login.name).check()


def _reader(scheduler: Scheduler, facts: Mapping[str, str] | None = None) -> str:
    known = scheduler.facts if facts is None else facts
    return str(known.get("login") or known.get("username", ""))


def _driver(
    scheduler: Scheduler, plain: Mapping[str, str], login: str, facts: Mapping[str, str] | None = None
) -> HpcDriver:
    known = {**(scheduler.facts if facts is None else facts), **plain, **dict.fromkeys(NAMES, login)}
    guard = _guard(scheduler)
    site = Site(
        state_dir=settings.STATE_DIR,
        guard=guard,
        shell=_shell(scheduler, known, guard),
        timeout=settings.PROVIDER_TIMEOUT,
    )
    return drivers.named(scheduler.driver)(known, site)


def _shell(scheduler: Scheduler, known: Mapping[str, str], guard: Guard) -> Shell | None:
    if scheduler.way == Way.LOCAL:
        return Local(known["login"], environment=environment(known), timeout=settings.PROVIDER_TIMEOUT)
    return _ssh(known, guard) if scheduler.way == Way.SSH else None


def _ssh(known: Mapping[str, str], guard: Guard) -> Shell:
    jump = None
    if known.get("jump_host"):
        host, port = _place(known["jump_host"])
        pin, login = known.get("jump_host_key", ""), known.get("jump_login") or known["login"]
        jump = ssh.jump_host(host, port, host_key=pin, login=login)
    return ssh.Ssh(
        known["login"],
        known["host"],
        _port(known["port"]),
        host_key=known["host_key"],
        identity=keys.Identity(key=known.get("key", ""), passphrase=known.get("passphrase", "")),
        guard=guard,
        jump=jump,
        environment=environment(known),
        timeout=settings.PROVIDER_TIMEOUT,
    )


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    return host, _port(port or "22")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise Invalid(f"{text[:20]!r} is no port; it is a number, usually 22.", field="port")
    return int(text)


def environment(known: Mapping[str, str]) -> dict[str, str]:
    lines = (line.partition("=") for line in known.get("environment", "").splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in lines}


def _guard(scheduler: Scheduler) -> Guard:
    return _anywhere if scheduler.may_go_private else public_only


def _anywhere(address: str) -> None:
    """Administrators may register schedulers on private addresses."""
