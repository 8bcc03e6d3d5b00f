"""Waiting for what was wished: on the live stream, never by asking again and again."""

from typing import TYPE_CHECKING

from cloudmesh.client.asking import Asking
from cloudmesh.client.problems import failure_of
from cloudmesh.errors import Busy

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Waiting(Asking):
    """The method of `Client` that waits for the end of an operation."""

    def wait(self, wish: "Json | str", timeout: float | None = None) -> "Json":
        """The operation when it has succeeded; `wish` is its id, the operation, or what a method that wishes answered.

        Raises what it failed with, or Busy where it has not ended after `timeout` seconds; it goes on all the same.
        """
        import threading

        from cloudmesh.client.call import BrokenOff, Call
        from cloudmesh.client.stream import follow

        operation = wish if isinstance(wish, str) else wish.get("operation", wish)["id"]
        call = self.session if isinstance(self.session, Call) else Call(self.session)
        alarm = threading.Timer(timeout or 0, call.break_off)
        if timeout is not None:
            alarm.start()
        try:
            *_, ended = follow(call, operation)
        except BrokenOff:
            if timeout is None:
                raise
            told = f"The operation has not ended after {timeout:g} seconds; it goes on without you."
            raise Busy(f"{told} Follow it with: cm operation wait {operation}", operation=operation) from None
        finally:
            alarm.cancel()
        if ended["state"] != "succeeded":
            raise failure_of(ended)
        return ended
