"""What a portal holds when it opens: tables, the sandbox, and its owner's ways in."""

import io
import json

from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from accounts import backends, services
from accounts.models import User
from portal.standalone.identity import CannotRun
from portal.standalone.places import Places, write_private

TOKEN_NAME = "standalone"  # noqa: S105 (a name)


def migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def seed() -> None:
    call_command("seed", stdout=io.StringIO())


def login_path() -> str:
    return services.issue_login_link(user=_owner())


def admit_shell(here: Places, url: str) -> None:
    """Write down the address and a token, from which `cm` finds the portal; a token that still works is kept."""
    token = _known_token(here)
    if not backends.find_token(token):
        _, token = services.issue_token(user=_owner(), name=TOKEN_NAME)
    write_private(here.portal, json.dumps({"url": url, "token": token}))


def close() -> None:
    """Leave nothing open: the database goes away before this process does."""
    connections.close_all()


def _owner() -> User:
    owner = User.objects.filter(is_superuser=True, is_active=True).order_by("date_joined").first()
    if owner is None:
        raise CannotRun("The portal has no active administrator. Make one: .venv/bin/python manage.py createsuperuser")
    return owner


def _known_token(here: Places) -> str:
    try:
        return str(json.loads(here.portal.read_text())["token"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
