"""Projects, oneself and events over REST."""

from projects.api.nouns import IN_PROJECT, EventAnswer, Events, Me, Projects, Told, told

__all__ = [
    "IN_PROJECT",
    "EventAnswer",
    "Events",
    "Me",
    "Projects",
    "Told",
    "told",
]
