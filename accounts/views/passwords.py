"""Passwords: forgotten, chosen by a link, changed. Django's views with our forms and mail."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import views
from django.http import HttpResponse
from django.urls import reverse_lazy

from accounts import services
from accounts.backends.sessions import address_of
from accounts.forms import ChangeForm, ChooseForm, ForgottenForm
from accounts.models import User
from activity.views import PUBLIC, SIGNED, needs

FROM_ONE_ADDRESS, TO_ONE_ADDRESS = 20, 4  # mails in an hour
TOO_OFTEN = "There were many requests from your network in the last hour. Try again later."


@needs(PUBLIC)
class PasswordReset(views.PasswordResetView):
    """Asks for an address. What is answered says nothing about whether anybody has it."""

    form_class = ForgottenForm
    template_name = "accounts/password_forgotten.html"
    success_url = reverse_lazy("portal:password-sent")

    def form_valid(self, form: Any) -> HttpResponse:
        if not services.may_ask("reset-from", address_of(self.request), most=FROM_ONE_ADDRESS):
            form.add_error(None, TOO_OFTEN)
            return self.form_invalid(form)
        if services.may_ask("reset-to", form.cleaned_data["email"], most=TO_ONE_ADDRESS):
            form.save()
        return HttpResponse(status=302, headers={"Location": str(self.success_url)})


@needs(PUBLIC)
class PasswordSent(views.PasswordResetDoneView):
    template_name = "accounts/password_sent.html"


@needs(PUBLIC)
class PasswordChoose(views.PasswordResetConfirmView):
    """The link of a mail: of the approval of an account, or of a password forgotten. It works once."""

    form_class = ChooseForm
    template_name = "accounts/password_choose.html"
    success_url = reverse_lazy("portal:login")

    def get_user(self, uidb64: str) -> User | None:  # type: ignore[override]
        user: Any = super().get_user(uidb64)
        return user if user is not None and services.may_choose_password(user) else None

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        messages.success(self.request, "Your password is set. Sign in with it.")
        return answer


@needs(SIGNED)
class PasswordChange(views.PasswordChangeView):
    """The old password and a new one; other browsers are signed out by it."""

    form_class = ChangeForm
    template_name = "accounts/password_change.html"
    success_url = reverse_lazy("portal:account")
    extra_context = {"tab": "security"}

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        messages.success(self.request, "Your password is changed. Your other browsers are signed out.")
        return answer
