"""Run the whole portal on this machine: PostgreSQL, Valkey, web, worker and beat under one supervisor."""

import contextlib
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cloudmesh.errors import CloudmeshError
from portal.standalone import control, places, web
from portal.standalone.detached import Detached
from portal.standalone.presence import Presence
from portal.standalone.supervisor import Supervisor


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--status", action="store_true", help="show what runs; exit code 3 when nothing does")
        what.add_argument("--stop", action="store_true", help="stop the portal that runs here and wait for its end")
        parser.add_argument("--detached", action="store_true", help="give the terminal back once it runs")
        host, port = os.environ.get("CLOUDMESH_HOST", "127.0.0.1"), os.environ.get("CLOUDMESH_PORT", "8000")
        parser.add_argument("--host", default=host, help="address to listen on (%(default)s)")
        parser.add_argument("--port", default=port, type=int, help="or the next free one (%(default)s)")

    def handle(self, *args: Any, status: bool, stop: bool, **options: Any) -> None:
        presence = Presence(places.state_dir())
        try:
            if status:
                sys.exit(control.show(presence, say=self._say))
            sys.exit(control.stop(presence, say=self._say) if stop else self._start(presence, **options))
        except CloudmeshError as error:
            raise CommandError(error.message) from error
        except OSError as error:  # a full disk, or somebody else's var
            raise CommandError(str(error)) from error

    def _start(self, presence: Presence, *, host: str, port: int, detached: bool, **_: Any) -> int:
        if not detached:
            return self._run(presence, host, port, None)
        apart = Detached()
        return apart.run(lambda: self._run_apart(presence, host, port, apart))

    def _run(self, presence: Presence, host: str, port: int, detached: Detached | None) -> int:
        here = places.make(places.state_dir())
        if not presence.take():
            control.show(presence, say=self._say)
            return 0
        Supervisor(here, presence, self._listen(host, port), say=self._say, detached=detached).run()
        return 0

    def _run_apart(self, presence: Presence, host: str, port: int, detached: Detached) -> int:
        """Django tells nobody of an error here: its own process is the one that waits."""
        try:
            return self._run(presence, host, port, detached)
        except (CloudmeshError, OSError) as error:
            self.stderr.write(str(error))
            return 1

    def _listen(self, host: str, port: int) -> web.Listener:
        listener = web.listen(host, port)
        if listener.port != port:
            self._say(f"Port {port} is taken; using {listener.port}")
        return listener

    def _say(self, text: str, ending: str = "\n") -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone
            self.stdout.write(text, ending=ending)
            self.stdout.flush()
