"""What one is told: the bell of the top bar, the history, and what of it comes by mail."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.models import Delay, Notice, NoticeKind
from activity.views import OWN, SIGNED, needs
from projects import access
from projects.views import Filter, Listing, Signed, answer

NEWEST = 8  # in the panel below the bell


@needs(SIGNED)
class NoticeList(Listing):
    """All that one was told, newest first, and the choices of what is mailed."""

    model = Notice
    template_name = "portal/notice_list.html"
    name = "notices"
    words = ("title", "text")
    usual = ("-at",)

    def filters(self) -> Iterable[Filter]:
        yield Filter(name="kind", label="Kind", choices=NoticeKind.choices, where=lambda kind: Q(kind=kind))
        unread = [("unread", "Unread")]
        yield Filter(name="read", label="State", choices=unread, where=lambda _: Q(read_at=None))

    def context(self) -> dict[str, Any]:
        delays = services.delays_of(self.request.user)
        kinds = [{"name": kind.value, "label": kind.label, "delay": delays[kind]} for kind in NoticeKind]
        return {"kinds": kinds, "delays": Delay.choices}


@needs(SIGNED)
@require_safe
def bell(request: Signed) -> HttpResponse:
    """The bell with the number of unread notices; the newest with `panel`, once it was rung."""
    mine = access.visible(Notice, request.user)
    unread = mine.filter(read_at=None).count()
    if "panel" not in request.GET:
        return render(request, "components/bell.html", {"unread": unread})
    context = {"unread": unread, "notices": mine.order_by("-at")[:NEWEST]}
    return render(request, "portal/_notice_panel.html", context)


@needs(OWN)
@require_POST
def notice_open(request: Signed, notice: uuid.UUID) -> HttpResponse:
    """Go to what a notice is about; it is read then."""
    found = access.fetch(Notice, notice, actor=request.user, permission="notice.read")
    services.read_notice(actor=request.user, notice=found)
    is_ours = found.url.startswith("/") and url_has_allowed_host_and_scheme(found.url, allowed_hosts=None)
    return redirect(found.url if is_ours else "portal:notices")


@needs(OWN)
@require_POST
def notice_read(request: Signed, notice: uuid.UUID) -> HttpResponse:
    found = access.fetch(Notice, notice, actor=request.user, permission="notice.read")
    services.read_notice(actor=request.user, notice=found)
    return answer(request, "Marked as read.", back=reverse("portal:notices"))


@needs(SIGNED)
@require_POST
def notices_read(request: Signed) -> HttpResponse:
    """Mark all as read."""
    count = services.read_all_notices(actor=request.user)
    title = f"{count} marked as read." if count else "There was nothing unread."
    return answer(request, title, back=reverse("portal:notices"))


@needs(SIGNED)
@require_POST
def notice_choices(request: Signed) -> HttpResponse:
    """When each kind of notice is mailed."""
    choices = {kind: request.POST[kind] for kind in NoticeKind.values if kind in request.POST}
    services.choose_delays(actor=request.user, choices=choices)
    return answer(request, "Your choices are kept.", back=reverse("portal:notices"))
