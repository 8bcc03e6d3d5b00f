"""What every page and end point says of itself: which permission it asks for."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpResponse

View = TypeVar("View", bound=Callable[..., Any] | type)

PUBLIC = "public"  # for everybody, signed in or not
SIGNED = "signed"  # for whoever is signed in; shows and changes only what they may see and change
OWN = "own"  # about one thing of its user, which nobody else may see


def needs(permission: str, **by_method: str) -> Callable[[View], View]:
    """Declare the permission of a view; `post="…"` and the like where a method needs another.

    It is a declaration: the view itself asks `projects.access`, and the walk over all end points in the tests holds
    the one against the other. A name is of the registries in `projects.access`, or PUBLIC, SIGNED, OWN.
    """

    def declare(view: View) -> View:
        vars_ = {"permission": permission, "permissions": {name.upper(): each for name, each in by_method.items()}}
        for name, value in vars_.items():
            setattr(view, name, value)
        return view

    return declare


def told_nobody(answer: HttpResponse) -> HttpResponse:
    """The answer at an address that is a secret: browsers tell it to no page that this one leads to."""
    answer["Referrer-Policy"] = "no-referrer"
    return answer
