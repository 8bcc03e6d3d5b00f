"""Run the whole portal on this machine: PostgreSQL, Valkey, web, worker and beat under one supervisor."""

import contextlib
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cloudmesh.errors import CloudmeshError
from portal.standalone import control, places, web
from portal.standalone.presence import Presence
from portal.standalone.supervisor import Supervisor


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--status", action="store_true", help="show what runs; exit code 3 when nothing does")
        what.add_argument("--stop", action="store_true", help="stop the portal that runs here and wait for its end")
        host, port = os.environ.get("CLOUDMESH_HOST", "127.0.0.1"), os.environ.get("CLOUDMESH_PORT", "8000")
        parser.add_argument("--host", default=host, help="address to listen on (%(default)s)")
        parser.add_argument("--port", default=port, type=int, help="or the next free one (%(default)s)")

    def handle(self, *args: Any, status: bool, stop: bool, host: str, port: int, **options: Any) -> None:
        presence = Presence(places.state_dir())
        try:
            if status:
                sys.exit(control.show(presence, say=self._say))
            sys.exit(control.stop(presence, say=self._say) if stop else self._run(presence, host, port))
        except CloudmeshError as error:
            raise CommandError(error.message) from error
        except OSError as error:  # a full disk, or somebody else's var
            raise CommandError(str(error)) from error

    def _run(self, presence: Presence, host: str, port: int) -> int:
        here = places.make(places.state_dir())
        if not presence.take():
            control.show(presence, say=self._say)
            return 0
        Supervisor(here, presence, self._listen(host, port), say=self._say).run()
        return 0

    def _listen(self, host: str, port: int) -> web.Listener:
        listener = web.listen(host, port)
        if listener.port != port:
            self._say(f"Port {port} is taken; using {listener.port}")
        return listener

    def _say(self, text: str, ending: str = "\n") -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone
            self.stdout.write(text, ending=ending)
            self.stdout.flush()
