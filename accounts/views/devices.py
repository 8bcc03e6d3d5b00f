"""The page where somebody lets a program in that waits elsewhere: the browser's part of `cm login URL`."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from accounts import services
from accounts.backends import address_of
from accounts.models import DeviceLogin
from accounts.views.signed import Signed
from activity.views import SIGNED, needs
from cloudmesh.errors import CloudmeshError

LONGEST = 40  # signs of a code, however it is written


@needs(SIGNED)
@never_cache
def device(request: Signed) -> HttpResponse:
    """Asks for a code, shows what waits under it; a POST decides."""
    given = request.POST if request.method == "POST" else request.GET
    code = given.get("code", "").replace("\0", "").strip()[:LONGEST]
    try:
        found = services.find_device(actor=request.user, code=code) if code else None
        if found and request.POST.get("decision") in ("allow", "deny"):
            return _decided(request, found, is_allowed=request.POST["decision"] == "allow")
    except CloudmeshError as error:
        context = {"message": error.message, "code": code}
        return render(request, "accounts/device.html", context, status=error.status)
    here = address_of(request)
    seen = {"here": here, "is_from_here": found is not None and found.address == here}
    return render(request, "accounts/device.html", {"device": found, "code": code, **seen})


def _decided(request: Signed, device: DeviceLogin, *, is_allowed: bool) -> HttpResponse:
    services.decide_device(actor=request.user, device=device, is_allowed=is_allowed)
    return render(request, "accounts/device_decided.html", {"device": device, "is_allowed": is_allowed})
