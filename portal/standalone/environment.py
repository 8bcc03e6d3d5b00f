"""What the portal's processes read from their environment, and the secrets in it, made once."""

import base64
import contextlib
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from portal.standalone import places
from portal.standalone.identity import CannotRun
from portal.standalone.places import Places, write_private
from portal.standalone.postgres import Postgres, programs
from portal.standalone.valkey import Valkey


def adopt(arguments: list[str]) -> None:
    """Point Django at this clone's own portal, unless the environment names another.

    Called by `manage.py` before Django reads its settings. Only a start makes anything.
    """
    starts = arguments[:1] == ["standalone"] and not {"--status", "--stop", "--help", "-h"} & set(arguments)
    is_made = places.state_dir().joinpath("secrets/keys").exists()
    if starts or (is_made and "DATABASE_URL" not in os.environ):
        try:
            os.environ |= variables(places.make(places.state_dir()))
        except CannotRun as error:
            sys.exit(error.message)


def variables(here: Places) -> dict[str, str]:
    return {
        "CLOUDMESH_STANDALONE": "1",
        "CLOUDMESH_STATE_DIR": str(here.var),
        "CLOUDMESH_SECRET_KEY": _once(here.secrets / "secret_key", lambda: secrets.token_urlsafe(48)),
        "CLOUDMESH_KEYS": _once(here.secrets / "keys", _key_ring),
        "DATABASE_URL": postgres(here).url(),
        "REDIS_URL": valkey(here).url(),
    }


def postgres(here: Places) -> Postgres:
    return Postgres(data=here.database, sockets=here.run / "pg", programs=programs(here.account), account=here.account)


def valkey(here: Places) -> Valkey:
    return Valkey(data=here.var / "valkey", socket=here.run / "vk/valkey.sock")


def _key_ring() -> str:
    """One 32-byte key, named 1."""
    return f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _once(path: Path, make: Callable[[], str]) -> str:
    """The secret kept in `path`; of two who make it at once, both get the same."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        write_private(fresh, make())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text()
