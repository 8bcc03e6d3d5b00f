"""What belongs to no single app: the frame of all pages, the dashboard, search, events, failures and probes."""

from portal.views.dashboard import dashboard
from portal.views.events import EventList
from portal.views.explain import explain
from portal.views.failures import forbidden, forged, invalid, missing, mistake, problems
from portal.views.frame import chrome, health, numbered
from portal.views.notices import NoticeList, bell, notice_choices, notice_open, notice_read, notices_read
from portal.views.probes import healthz, readyz
from portal.views.search import search
from portal.views.staff import staff
from portal.views.webhooks import Webhooks, webhook_action, webhook_detail

__all__ = [
    "EventList",
    "NoticeList",
    "Webhooks",
    "bell",
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
    "notice_choices",
    "notice_open",
    "notice_read",
    "notices_read",
    "numbered",
    "problems",
    "readyz",
    "search",
    "staff",
    "webhook_action",
    "webhook_detail",
]
