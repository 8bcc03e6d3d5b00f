"""What is for somebody's own hand alone, whoever looks over their shoulder."""

from accounts.models import User
from cloudmesh.errors import NotAllowed


def require_oneself(actor: User) -> None:
    """Raises NotAllowed while an administrator acts as `actor`: what signs somebody in is theirs alone."""
    if actor.impersonation is not None:
        raise NotAllowed(
            f"You act as {actor} just now. Passwords, second factors, API tokens, SSH keys and sessions are theirs "
            "alone: end it first, or ask them."
        )
