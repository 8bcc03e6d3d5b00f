"""Signing in and out: by password and perhaps a code, or by a link that works once."""

import time

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import backends, services
from accounts.backends.sessions import address_of
from accounts.models import Session, User
from activity.views import PUBLIC, SIGNED, needs, told_nobody
from cloudmesh.errors import CloudmeshError, NotAllowed

BACKEND = "accounts.backends.LocalBackend"
HALFWAY = "halfway"  # in the session: who gave the right password and owes a code
PATIENCE = 300  # seconds for the code


@needs(PUBLIC)
@never_cache
@login_not_required
@sensitive_post_parameters("password")
def login(request: HttpRequest) -> HttpResponse:
    """A form for user name and password; after it the page somebody wanted to see, or the form for a code."""
    if request.user.is_authenticated:
        return redirect(own_page(request))
    name, message, status = request.POST.get("username", "").replace("\0", "").strip(), "", 200
    if request.method == "POST":
        try:
            password = request.POST.get("password", "")
            user = services.recognise(name=name, password=password, address=address_of(request))
            return _enter(request, user)
        except CloudmeshError as error:
            message, status = error.message, error.status
    context = {"message": message, "username": name, "next": _asked(request), "standalone": settings.STANDALONE}
    return render(request, "login.html", context, status=status)


@needs(PUBLIC)
@never_cache
@login_not_required
@sensitive_post_parameters("code")
def second_step(request: HttpRequest) -> HttpResponse:
    """The form for a code, for a few minutes after the right password; nobody is signed in before it."""
    user = _halfway(request)
    if request.user.is_authenticated:
        return redirect(own_page(request))
    if user is None:
        return redirect(reverse("portal:login", query={"next": _asked(request)}))
    message = ""
    if request.method == "POST":
        try:
            services.check_code(user=user, code=request.POST.get("code", ""))
        except CloudmeshError as error:
            message = error.message
        else:
            auth.login(request, user, backend=request.session.pop(HALFWAY)["backend"])
            return redirect(own_page(request))
    context = {"message": message, "next": _asked(request)}
    return render(request, "accounts/second_step.html", context, status=403 if message else 200)


@needs(PUBLIC)
@never_cache
@login_not_required
def login_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Sign in once; the secret leaves the address bar and is told to nobody."""
    user = backends.redeem_link(secret)
    if user is None:
        context = {
            "title": "This link does not work any more",
            "detail": "A login link works once and for an hour. Sign in with your password, or get another link: "
            "on your own machine make run prints one.",
            "action": "Sign in",
            "action_url": resolve_url(settings.LOGIN_URL),
        }
        answer = render(request, "error.html", context, status=410)
    else:
        auth.login(request, user, backend=BACKEND)
        answer = redirect(settings.LOGIN_REDIRECT_URL)
    return told_nobody(answer)


@needs(SIGNED)
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """The session's other open pages end as well."""
    session = Session.objects.select_related("user").filter(pk=backends.session_id(request)).first()
    if session and session.user:
        services.end_session(session=session, actor=session.user)
    auth.logout(request)
    return redirect(settings.LOGIN_URL)


@needs(PUBLIC)
@login_not_required
def admin_login(request: HttpRequest) -> HttpResponse:
    """Django's administration has no door of its own: no password is looked at without counting it."""
    if request.user.is_authenticated:
        raise NotAllowed("The administration is for administrators. Sign in as one.")
    return redirect(reverse("portal:login", query={"next": request.GET.get("next", "")}))


def own_page(request: HttpRequest) -> str:
    """Where the request wants to go on, if that is a page of this portal; else the dashboard."""
    wanted = _asked(request)
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)


def _asked(request: HttpRequest) -> str:
    return request.POST.get("next") or request.GET.get("next", "")


def _enter(request: HttpRequest, user: User) -> HttpResponse:
    """Sign in, or ask for the second factor under a session key that nobody knew before the password."""
    if not services.has_second_factor(user):
        auth.login(request, user)
        return redirect(own_page(request))
    request.session.cycle_key()
    request.session[HALFWAY] = {
        "user": str(user.pk),
        "backend": user.backend,  # type: ignore[attr-defined]
        "hash": user.get_session_auth_hash(),
        "until": time.time() + PATIENCE,
    }
    return redirect(reverse("portal:second-step", query={"next": _asked(request)}))


def _halfway(request: HttpRequest) -> User | None:
    """Who gave the right password a moment ago, and has not changed it since."""
    state = request.session.get(HALFWAY)
    if state is None or state["until"] < time.time():
        return None
    user = User.objects.filter(pk=state["user"], is_active=True).first()
    is_same = user is not None and constant_time_compare(state["hash"], user.get_session_auth_hash())
    return user if is_same else None
