"""Users and what signs them in, over REST."""

from accounts.api.tokens import Tokens

__all__ = [
    "Tokens",
]
