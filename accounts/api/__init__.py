"""Users and what signs them in, over REST."""

from accounts.api.sessions import SecondFactor, Sessions
from accounts.api.tokens import Tokens

__all__ = [
    "SecondFactor",
    "Sessions",
    "Tokens",
]
