"""Signing in and out, and one's own account."""

from accounts.views.signin import BACKEND, TOO_MANY, TRIES, WRONG, login, login_link, logout, own_page

__all__ = [
    "BACKEND",
    "TOO_MANY",
    "TRIES",
    "WRONG",
    "login",
    "login_link",
    "logout",
    "own_page",
]
