"""What policies say about a wish: allow it, deny it, or ask somebody first."""

import dataclasses
import enum
from collections.abc import Mapping

from accounts.models import User
from cloudmesh.errors import PolicyDenied
from projects.models import Project


class Effect(enum.StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants of a service: `cloud:india`, `queue:batch`, `machines:i[1-8]`, and how much."""

    service: str
    resources: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided, and each rule's reason."""

    effect: Effect
    reasons: tuple[str, ...] = ()

    def require(self) -> "Decision":
        """This decision, unless it denies; then raises PolicyDenied."""
        if self.effect is Effect.DENY:
            raise PolicyDenied(" ".join(self.reasons))
        return self


def decide(*, actor: User, project: Project, wish: Wish) -> Decision:
    """Clouds and queues are open to members, bare metal is denied, unless a policy says otherwise."""
    if wish.service.startswith("machines:"):
        return Decision(effect=Effect.DENY, reasons=("No policy allows bare metal to this project.",))
    return Decision(effect=Effect.ALLOW, reasons=(f"Members of {project} may use {wish.service}.",))
