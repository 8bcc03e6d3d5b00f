"""Choosing, changing and forgetting a password: Django's forms, whose writing goes through our services."""

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, PasswordResetForm, SetPasswordForm

from accounts import services
from accounts.forms.look import dress
from accounts.models import User


class ForgottenForm(PasswordResetForm):
    """Asks for an address, and says the same whoever has it."""

    email = forms.EmailField(label="E-mail", max_length=254)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["email"].widget.attrs["autocomplete"] = "email"
        dress(self)

    def save(self, **_: Any) -> None:  # type: ignore[override]
        services.mail_password_link(email=self.cleaned_data["email"])


class ChooseForm(SetPasswordForm):  # type: ignore[type-arg]
    """A new password, by the link of a mail."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        dress(self)

    def save(self, commit: bool = True) -> User:
        """Whatever else of the account changed meanwhile stays as it is."""
        user = services.set_password(user=self.user, password=self.cleaned_data["new_password1"])
        self.user = user
        return user


class ChangeForm(PasswordChangeForm):  # type: ignore[type-arg]
    """A new password, by the old one."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        dress(self)

    def save(self, commit: bool = True) -> User:
        user = services.set_password(user=self.user, password=self.cleaned_data["new_password1"])
        self.user = user
        return user
