"""Waiting for what was wished: on the live stream, never by asking again and again."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cloudmesh.client.asking import Asking
from cloudmesh.client.problems import failure_of
from cloudmesh.errors import Busy

if TYPE_CHECKING:
    from cloudmesh.client.session import Session
    from cloudmesh.types import Json


class Waiting(Asking):
    """The method of `Client` that waits for the end of an operation."""

    def wait(self, wish: "Json | str", timeout: float | None = None) -> "Json":
        """The operation when it has succeeded; `wish` is its id, the operation, or what a method that wishes answered.

        Raises what it failed with, or Busy where it has not ended after `timeout` seconds; it goes on all the same.
        """
        from cloudmesh.client.stream import follow

        operation = wish if isinstance(wish, str) else wish.get("operation", wish)["id"]
        ended = self._last(lambda session: follow(session, operation), timeout)
        if ended is None:
            told = f"The operation has not ended after {timeout:g} seconds; it goes on without you."
            raise Busy(f"{told} Follow it with: cm operation wait {operation}", operation=operation)
        if ended["state"] != "succeeded":
            raise failure_of(ended)
        return ended

    def _last(self, listen: "Callable[[Session], Iterator[Json]]", timeout: float | None) -> "Json | None":
        """The last of what is heard; None where it goes on after `timeout` seconds."""
        import threading

        from cloudmesh.client.call import BrokenOff, Call

        call = self.session if isinstance(self.session, Call) else Call(self.session)
        alarm = threading.Timer(timeout or 0, call.break_off)
        if timeout is not None:
            alarm.start()
        try:
            *_, last = listen(call)
        except BrokenOff:
            if timeout is None:
                raise
            return None
        finally:
            alarm.cancel()
        return last
