"""What signs somebody in, for their own eyes: browsers, the second factor, and who looked through their eyes."""

from typing import Any

from django.contrib import auth, messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts import backends, services
from accounts.views.signed import Signed
from activity.views import OWN, SIGNED, needs
from cloudmesh.errors import CloudmeshError, NotFound

SHOWN = 50  # sessions
LATEST = 20  # impersonations


@needs(SIGNED)
@never_cache
@require_safe
def security(request: Signed) -> HttpResponse:
    user = request.user
    context = {
        "tab": "security",
        "sessions": services.sessions_of(user)[:SHOWN],
        "this": backends.session_id(request),
        "has_second_factor": services.has_second_factor(user),
        "codes_left": services.recovery_codes_left(user),
        "impersonations": user.impersonations.select_related("admin")[:LATEST],
        "has_password": services.may_choose_password(user),
    }
    return render(request, "accounts/security.html", context)


@needs(OWN)
@require_POST
def session_end(request: Signed, session: str) -> HttpResponse:
    """Sign one browser out; this one too, if it is meant."""
    found = services.sessions_of(request.user).filter(pk=session).first()
    if found is None:
        raise NotFound("You have no such session, or it has ended already.")
    services.end_session(session=found, actor=request.user)
    if session == backends.session_id(request):
        auth.logout(request)
        return redirect("portal:login")
    messages.success(request, f"{found.device} is signed out.")
    return redirect("portal:security")


@needs(SIGNED)
@require_POST
def sign_out_everywhere(request: Signed) -> HttpResponse:
    """End all sessions but this one, and API tokens if asked."""
    with_tokens = "tokens" in request.POST
    ended = services.sign_out_everywhere(actor=request.user, but=backends.session_id(request), with_tokens=with_tokens)
    others = f"{ended} other browser{' is' if ended == 1 else 's are'} signed out."
    messages.success(request, f"{others} Your API tokens have ended." if with_tokens else others)
    return redirect("portal:security")


# -- the second factor -----------------------------------------------------------------------------------------


@needs(SIGNED)
@require_POST
def totp_begin(request: Signed) -> HttpResponse:
    services.prepare_authenticator(actor=request.user)
    return redirect("portal:totp")


@needs(SIGNED)
@never_cache
@sensitive_post_parameters("code")
def totp(request: Signed) -> HttpResponse:
    """What a device has to read; a POST with its first code turns the second factor on and shows recovery codes."""
    message = ""
    if request.method == "POST":
        try:
            return _codes(request, services.confirm_authenticator(actor=request.user, code=_code(request)))
        except CloudmeshError as error:
            message = error.message
    enrolment = services.enrolment(actor=request.user)
    if enrolment is None:
        return redirect("portal:security")
    context: dict[str, Any] = {"tab": "security", "message": message, **enrolment}
    return render(request, "accounts/totp.html", context, status=400 if message else 200)


@needs(SIGNED)
@never_cache
@sensitive_post_parameters("code")
@require_POST
def totp_codes(request: Signed) -> HttpResponse:
    """New recovery codes, shown this once."""
    try:
        return _codes(request, services.renew_recovery_codes(actor=request.user, code=_code(request)))
    except CloudmeshError as error:
        messages.error(request, error.message)
        return redirect("portal:security")


@needs(SIGNED)
@sensitive_post_parameters("code")
@require_POST
def totp_disable(request: Signed) -> HttpResponse:
    try:
        services.disable_authenticator(actor=request.user, code=_code(request))
        messages.success(request, "The second factor is off.")
    except CloudmeshError as error:
        messages.error(request, error.message)
    return redirect("portal:security")


def _codes(request: Signed, codes: list[str]) -> HttpResponse:
    return render(request, "accounts/recovery_codes.html", {"tab": "security", "codes": codes})


def _code(request: Signed) -> str:
    return request.POST.get("code", "").replace("\0", "")[:100]
