"""Try the directory that people sign in with, and read it now."""

import getpass
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.backends.ldap import census, diagnosis
from accounts.backends.ldap.config import Config, current
from accounts.backends.ldap.directory import directory
from cloudmesh.errors import CloudmeshError


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks: list[str] = []  # it says itself what is wrong with the directory's file

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        check = what.add_parser("check", help="say step by step how USER signs in; exit code 1 when they cannot")
        check.add_argument("user", help="user name, or e-mail address")
        check.add_argument(
            "--password", action="store_true", help="ask for the password and try it (a line of standard input)"
        )
        sync = what.add_parser("sync", help="bring all users of the directory up to date now")
        sync.add_argument("--force", action="store_true", help="also when it answers with too few people to be true")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        try:
            if not settings.CLOUDMESH_LDAP:
                raise CommandError("No directory is set up: CLOUDMESH_LDAP names no file. See docs/howto/ldap.md.")
            config = current()
            self.stdout.write(f"{settings.CLOUDMESH_LDAP} is read: {', '.join(map(str, config.addresses))}.")
            if what == "check":
                self._check(config, options["user"], _ask_password() if options["password"] else "")
            else:
                self.stdout.write(f"{census.take(directory(config), config, force=options['force'])}.")
        except CloudmeshError as error:
            raise CommandError(error.message) from error

    def _check(self, config: Config, user: str, password: str) -> None:
        wrong = 0
        for step in diagnosis.examine(config, user, password):
            wrong += not step.is_right
            self.stdout.write(f"{'ok   ' if step.is_right else 'WRONG'} {step.text}")
        if wrong:
            sys.exit(1)


def _ask_password() -> str:
    return getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
