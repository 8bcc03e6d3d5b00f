from django.http import HttpRequest

from accounts.models import User


class Signed(HttpRequest):
    """A request of somebody who is signed in, as all are but those of views marked otherwise."""

    user: User  # type: ignore[assignment]
