"""What belongs to no single app: the frame of all pages, the dashboard, search, events, failures and probes."""

from portal.views.dashboard import dashboard
from portal.views.events import EventList
from portal.views.explain import explain
from portal.views.failures import forbidden, forged, invalid, missing, mistake, problems
from portal.views.frame import chrome, health, numbered
from portal.views.probes import healthz, readyz
from portal.views.search import search

__all__ = [
    "EventList",
    "chrome",
    "dashboard",
    "explain",
    "forbidden",
    "forged",
    "health",
    "healthz",
    "invalid",
    "missing",
    "mistake",
    "numbered",
    "problems",
    "readyz",
    "search",
]
