"""Where the `type` of a problem leads: what that error means, as the tree in `cloudmesh.errors` tells it."""

import re

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from activity.views import PUBLIC, needs
from cloudmesh import errors

LINE = re.compile(r"^[│├└─ ]*(\w+) {2,}(.+)$", re.MULTILINE)
MEANINGS = {
    re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower(): (getattr(errors, name), meaning)
    for name, meaning in LINE.findall(errors.__doc__ or "")
}


@needs(PUBLIC)
@login_not_required
def explain(request: HttpRequest, name: str) -> HttpResponse:
    """Open to everybody, like the documents."""
    if name not in MEANINGS:
        raise Http404
    kind, meaning = MEANINGS[name]
    detail = f"{meaning[0].upper()}{meaning[1:]}."
    hint = f"HTTP status {kind.status}; cm ends with {kind.exit_code}. The problem's detail says what it was about."
    return render(request, "error.html", {"title": kind.title, "detail": detail, "hint": hint})
