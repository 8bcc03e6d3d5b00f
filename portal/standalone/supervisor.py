"""The life of a standalone portal: everything up in order, kept up, and down in the opposite order."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType

from portal.standalone import contents, environment, logs, processes, web
from portal.standalone.crew import Crew
from portal.standalone.detached import Detached
from portal.standalone.identity import CannotRun
from portal.standalone.places import Places
from portal.standalone.postgres import DURABLE
from portal.standalone.presence import Details, Presence, end_leftovers
from portal.standalone.web import Listener

START = 60.0  # seconds a child may take until it answers
LOOK = 0.1  # seconds between looks at the children
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[..., None]  # say(text, ending="\n")


class Stopped(Exception):
    """Somebody ended the portal while it was starting."""


class Supervisor:
    def __init__(
        self, here: Places, presence: Presence, listener: Listener, *, say: Say, detached: Detached | None = None
    ) -> None:
        self.here = here
        self._presence = presence
        self._listener = listener
        self._say = say
        self._detached = detached
        self._crew = Crew(here.log, say=self._note, changed=self._publish)
        pid = os.getpid()
        self._details = Details(pid=pid, birth=processes.born(pid), state="starting", url=self.url, where=self._where())
        self._signal: signal.Signals | None = None
        self._is_in_line = False  # a step is named, its seconds are not yet

    @property
    def url(self) -> str:
        """Where people find it: behind a proxy not where it listens."""
        return os.environ.get("CLOUDMESH_URL") or self._listener.url

    def _where(self) -> dict[str, str]:
        here = self.here
        account = f" of {here.account.name}" if here.account else ""
        return {
            "postgres": f"socket in {here.run / 'pg'}, data{account} in {here.database}",
            "valkey": f"socket in {here.run / 'vk'}, data in {here.var / 'valkey'}",
            **{name: f"log in {here.log / name}.log" for name in ("web", "worker", "beat")},
        }

    def run(self) -> None:
        """Run until a signal asks for the end. Raises CannotRun."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, self._hear)
        try:
            self._start()
            self._watch()
        except Stopped:
            pass
        finally:
            self._stop()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._signal = signal.Signals(number)

    def _start(self) -> None:
        self._recover()
        self._start_services()
        with self._step("Tables"):
            contents.migrate()
        with self._step("Sandbox"):
            contents.seed()
        with self._step("Web, worker, beat"):
            web_, worker, beat = web.commands(self._listener)
            for command in (web_, worker, beat):
                self._crew.start(command)
            self._await("web", lambda: web.web_answers(self._listener))
            self._await("worker", web.worker_answers)
            self._await("beat", lambda: True)
        contents.admit_shell(self.here, self._listener.url)
        self._announce(contents.login_path())
        contents.close()

    def _recover(self) -> None:
        """Clean up after a supervisor that was killed."""
        before = self._presence.read()
        self._details.children = before.children if before else {}
        self._write()
        left = end_leftovers(before) if before else []
        if left:
            self._note(f"The portal was killed before; ended what it left: {', '.join(left)}")

    def _start_services(self) -> None:
        postgres, valkey = environment.postgres(self.here), environment.valkey(self.here)
        with self._step("PostgreSQL and Valkey"):
            valkey.prepare()
            self._crew.start(valkey.command())
            postgres.prepare(self.here.log / "postgres.log")
            postgres.clear_stale_lock()
            self._crew.start(postgres.command(DURABLE))
            self._await("valkey", valkey.answers)
            self._await("postgres", postgres.answers)
            postgres.settle()

    def _await(self, name: str, answers: Callable[[], bool]) -> None:
        """Wait until a child answers, starting it again when it dies. Raises Stopped, CannotRun."""
        deadline = time.monotonic() + START
        while not (self._crew.is_alive(name) and answers()):
            self._crew.tend()
            if self._crew.has_failed(name) or time.monotonic() > deadline:
                log = self.here.log / f"{name}.log"
                raise CannotRun(f"{name} does not start. The end of {log}:\n{logs.end(log)}")
            self._pause()

    def _watch(self) -> None:
        self._details.state = "running"
        self._publish()
        if self._detached:
            self._detached.let_go()
        with contextlib.suppress(Stopped):
            while True:
                self._crew.tend()
                self._pause()

    def _pause(self) -> None:
        if self._signal:
            raise Stopped
        time.sleep(LOOK)

    def _stop(self) -> None:
        """Those that write first, what they write to last."""
        self._details.state = "stopping"
        self._publish()
        with self._step("Stopping"):
            self._crew.stop(("beat", "worker", "web"))
            self._crew.stop(("valkey", "postgres"))
        self._presence.leave()

    def _announce(self, login_path: str) -> None:
        """Not noted: the link is a secret while it works."""
        self._say(f"\n  Portal   {self.url}")
        self._say(f"  Sign in  {self.url}{login_path}   (once, within the hour)")
        self._say("  Shell    ./cm vm boot")
        self._say("  Stop     ./cm server stop" if self._detached else "  Stop     Ctrl-C, or: make stop")
        self._say("")

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        if self._signal and name != "Stopping":
            raise Stopped
        began = time.monotonic()
        self._say(f"{name + ' ':.<32} ", ending="")
        self._is_in_line, result = True, ""
        try:
            yield
            result = f"{time.monotonic() - began:5.1f} s"
        finally:
            self._say(result)
            self._is_in_line = False

    def _note(self, text: str) -> None:
        with contextlib.suppress(OSError):  # a full disk must not end what runs
            logs.note(self.here.log / "supervisor.log", text)
        self._say(f"\n{text}" if self._is_in_line else text)

    def _publish(self) -> None:
        self._details.children = self._crew.pids()
        self._write()

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            self._presence.write(self._details)
