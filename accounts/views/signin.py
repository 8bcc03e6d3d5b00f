"""Signing in and out: by password, or by a link that works once."""

import hashlib

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import backends
from activity.views import PUBLIC, SIGNED, needs
from cloudmesh.errors import CloudmeshError

BACKEND = "accounts.backends.LocalBackend"
TRIES = 10  # to sign in, from one address and for one name
A_MINUTE = 60

WRONG = "This user name and password do not go together."
TOO_MANY = "Too many tries. Wait a minute, then try again."


@needs(PUBLIC)
@never_cache
@login_not_required
@sensitive_post_parameters("password")
def login(request: HttpRequest) -> HttpResponse:
    """A form for user name and password; after it the page somebody wanted to see."""
    if request.user.is_authenticated:
        return redirect(own_page(request))
    name, message = request.POST.get("username", "").replace("\0", "").strip(), ""
    if request.method == "POST":
        if not _may_try(request, name):
            message = TOO_MANY
        else:
            user, message = _recognise(request, name)
            if user:
                auth.login(request, user)
                return redirect(own_page(request))
    context = {"message": message, "username": name, "next": _asked(request), "standalone": settings.STANDALONE}
    status = 429 if message == TOO_MANY else 403 if message else 200
    return render(request, "login.html", context, status=status)


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
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@needs(SIGNED)
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect(settings.LOGIN_URL)


def own_page(request: HttpRequest) -> str:
    """Where the request wants to go on, if that is a page of this portal; else the dashboard."""
    wanted = _asked(request)
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)


def _recognise(request: HttpRequest, name: str) -> tuple[AbstractBaseUser | None, str]:
    """Who that is; or nobody and what to tell, such as that the directory does not answer or locked them out."""
    try:
        user = auth.authenticate(request, username=name, password=request.POST.get("password", ""))
    except CloudmeshError as error:
        return None, error.message
    return user, "" if user else WRONG


def _asked(request: HttpRequest) -> str:
    return request.POST.get("next") or request.GET.get("next", "")


def _may_try(request: HttpRequest, name: str) -> bool:
    """Count this try for its address and its name; both have a few in a minute."""
    digest = hashlib.sha256(name.lower().encode()).hexdigest()  # no odd signs in a key
    return all([_count(f"login:from:{_address(request)}"), _count(f"login:name:{digest}")])


def _address(request: HttpRequest) -> str:
    """The client's; behind a proxy of ours what that one says, which is the last it appended."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return forwarded.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def _count(key: str) -> bool:
    cache.add(key, 0, A_MINUTE)
    try:
        return cache.incr(key) <= TRIES
    except ValueError:  # it ended between the two
        return True
