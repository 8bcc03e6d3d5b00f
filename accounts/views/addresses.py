"""Another e-mail address: asked for with one's password, confirmed with the link of a mail."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import services
from accounts.forms import EmailForm, blame
from accounts.views.signed import Signed
from activity.views import PUBLIC, SIGNED, needs, told_nobody
from cloudmesh.errors import CloudmeshError

MOST = 5  # mails in an hour
TOO_OFTEN = "You asked for many mails in the last hour. Try again later."


@needs(SIGNED)
@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class EmailChange(View):
    def get(self, request: Signed, form: EmailForm | None = None) -> HttpResponse:
        context = {"tab": "profile", "form": form or EmailForm(user=request.user)}
        return render(request, "accounts/email_change.html", context, status=400 if form else 200)

    def post(self, request: Signed) -> HttpResponse:
        form = EmailForm(request.POST, user=request.user)
        if not form.is_valid():
            return self.get(request, form)
        if not services.may_ask("email", str(request.user.pk), most=MOST):
            form.add_error(None, TOO_OFTEN)
            return self.get(request, form)
        try:
            services.ask_for_email(actor=request.user, **form.asked())
        except CloudmeshError as error:
            blame(form, error)
            return self.get(request, form)
        messages.success(request, f"A mail is on its way to {form.asked()['email']}. Its link makes the address yours.")
        return redirect("portal:account")


@needs(PUBLIC)
@method_decorator([never_cache, login_not_required], name="dispatch")
class EmailConfirm(View):
    """The link of the mail. Looking at it changes nothing: programs that read mail follow links too."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        user, email = services.asked_email(token)
        return told_nobody(render(request, "accounts/email_confirm.html", {"person": user, "email": email}))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        user = services.change_email(token=token)
        messages.success(request, f"{user.email} is your address from now on.")
        return redirect("portal:account")
