"""The open pages of an application for an account."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import services
from accounts.backends.sessions import address_of
from accounts.forms import ApplyForm, blame
from accounts.models import AccountState
from activity.views import PUBLIC, needs, told_nobody
from cloudmesh.errors import CloudmeshError

MOST = 10  # applications from one address in an hour
TOO_OFTEN = "There were many applications from your network in the last hour. Try again later."
STEPS = (  # of an application: the state, and what happens then
    (AccountState.APPLIED, "Confirm your e-mail address with the link in the mail."),
    (AccountState.CONFIRMED, "The committee looks at your application. You are told of its decision by mail."),
    (AccountState.APPROVED, "Choose a password with the link in the mail."),
    (AccountState.ACTIVE, "Sign in."),
)


@needs(PUBLIC)
@method_decorator([never_cache, login_not_required], name="dispatch")
class Apply(View):
    """A form for everybody. Whoever sends it reads the same, whether the address or the name was known or not."""

    def get(self, request: HttpRequest, form: ApplyForm | None = None) -> HttpResponse:
        status = 400 if form else 200
        return render(request, "accounts/apply.html", {"form": form or ApplyForm()}, status=status)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ApplyForm(request.POST)
        if not form.is_valid():
            return self.get(request, form)
        if not services.may_ask("apply", address_of(request), most=MOST):
            form.add_error(None, TOO_OFTEN)
            return self.get(request, form)
        try:
            if not form.is_trapped:
                services.apply_for_account(**form.application())
        except CloudmeshError as error:
            blame(form, error)
            return self.get(request, form)
        return redirect("portal:apply-sent")


@needs(PUBLIC)
@login_not_required
@require_safe
def apply_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/apply_sent.html")


@needs(PUBLIC)
@never_cache
@login_not_required
@require_safe
def apply_status(request: HttpRequest, token: str) -> HttpResponse:
    """Where an application stands, for whoever has the link of its mail."""
    user = services.followed(token)
    if user is None:
        context = {
            "title": "This is no application",
            "detail": "The link is not complete: was it cut in your mail? Copy all of it.",
            "action": "Apply for an account",
            "action_url": "/apply/",
        }
        return told_nobody(render(request, "error.html", context, status=404))
    order = [state for state, _ in STEPS]
    reached = order.index(AccountState(user.state)) if user.state in order else -1
    steps = [(state, advice, number <= reached, number == reached) for number, (state, advice) in enumerate(STEPS)]
    return told_nobody(render(request, "accounts/apply_status.html", {"applicant": user, "steps": steps}))
