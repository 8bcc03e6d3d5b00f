"""Projects, oneself, events and usage over REST."""

from projects.api.nouns import IN_PROJECT, EventAnswer, Events, Me, Projects, Told, told
from projects.api.usage import Usage

__all__ = [
    "IN_PROJECT",
    "EventAnswer",
    "Events",
    "Me",
    "Projects",
    "Told",
    "Usage",
    "told",
]
