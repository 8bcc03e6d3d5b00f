"""The open form with which somebody applies for an account."""

from typing import Any

from django import forms

from accounts.forms.look import Groups, dress
from accounts.forms.profile import ORGANISATION, PERSONAL, ProfileForm

ABOUT = ("username", "first_name", "last_name", "email")
REQUIRED = ("institution", "institution_role", "country")


class ApplyForm(ProfileForm):
    """A profile, with a name to sign in with and an address to confirm."""

    GROUPS: Groups = (("Profile", (*ABOUT, *PERSONAL)), ("Organisation", ORGANISATION))

    username = forms.CharField(
        label="User name",
        max_length=24,
        help_text="3 to 24 small letters, digits and dashes. If it is taken, a number is added.",
    )
    first_name = forms.CharField(max_length=150)
    last_name = forms.CharField(max_length=150)
    email = forms.EmailField(label="E-mail", help_text="You confirm it by a link; use the one of your organisation.")
    fax = forms.CharField(required=False, label="Leave this empty")  # people do not see it, programs fill it in

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in REQUIRED:
            self.fields[name].required = True
        self.fields["username"].widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}
        self.fields["username"].widget.attrs["autocomplete"] = "username"
        self.fields["email"].widget.attrs["autocomplete"] = "email"
        self.fields["fax"].widget.attrs |= {"autocomplete": "off", "tabindex": "-1"}
        dress(self)

    @property
    def is_trapped(self) -> bool:
        return bool(self.cleaned_data["fax"])

    def application(self) -> dict[str, Any]:
        """What the service takes."""
        said = self.cleaned_data
        profile = {name: said[name] or "" for name in (*PERSONAL, *ORGANISATION)}
        return {name: said[name] for name in ABOUT} | {"profile": profile}
