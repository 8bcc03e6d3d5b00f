"""What policies say about a wish."""

from projects.policy.decide import Decision, Effect, Wish, decide

__all__ = [
    "Decision",
    "Effect",
    "Wish",
    "decide",
]
