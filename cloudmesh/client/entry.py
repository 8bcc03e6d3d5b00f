"""Into a portal and out of it again, for whoever has no token yet: docs/decisions/0023-device-login.md."""

import threading
import time
from typing import TYPE_CHECKING, Self

from cloudmesh.client.asking import Asking, given
from cloudmesh.client.session import Session
from cloudmesh.config import Portal
from cloudmesh.errors import CloudmeshError, NotAuthenticated, Unreachable

if TYPE_CHECKING:
    from cloudmesh.types import Json

SLOWER = 5.0  # seconds more between questions, when a portal says that it is asked too often (RFC 8628, 3.5)


class Entry(Asking):
    """What a portal answers to those who are not signed in."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        super().__init__(url, timeout=timeout)
        vars(self)["session"] = Session(Portal(url), timeout)  # without the token that is known for the address

    def __enter__(self) -> Self:
        return self

    def by_password(self, username: str, password: str, **wanted: "str | list[str] | int | None") -> "Json":
        """A new token, by any of code, name, scopes, expires_days.

        Raises NotAllowed, with `needs` of "code" among its facts where that is missing.
        """
        return self._send("POST", "login/", {"username": username, "password": password, **given(wanted)})

    def by_browser(self, client: str, host: str, **wanted: "list[str] | int | None") -> "Json":
        """What a person is to be shown, and a device code to `wait` with; by any of scopes, expires_days."""
        return self._send("POST", "login/device/", {"client": client, "host": host, **given(wanted)})

    def wait(self, begun: "Json") -> "Json":
        """The new token, as soon as the person has said yes in the browser.

        Raises NotAllowed after a no, NotAuthenticated where nobody decided in time.
        """
        pause, end = float(begun["interval"]), time.monotonic() + begun["expires_in"]
        while time.monotonic() < end:
            threading.Event().wait(pause)
            try:
                return self._send("POST", "login/device/token/", {"device_code": begun["device_code"]})
            except Unreachable:
                continue  # it may be back before the code is over
            except CloudmeshError as error:
                said = error.facts.get("error")
                if said == "expired_token":
                    break
                if said not in ("authorization_pending", "slow_down"):
                    raise
                pause += SLOWER if said == "slow_down" else 0
        raise NotAuthenticated("Nobody allowed it in the browser in time. Begin again with: cm login URL")

    def leave(self, token: str) -> None:
        """End a token."""
        self._send("POST", "logout/", {"token": token})
