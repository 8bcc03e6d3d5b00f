"""What people tell of themselves. Only the fields that are named here can be changed by a form."""

from typing import Any

from django import forms

from accounts.forms.look import Grouped, Groups, dress
from accounts.models import Profile, User

PERSONAL = ("title", "phone", "url", "citizenship", "bio")
ORGANISATION = ("institution", "institution_role", "department", "address", "country", "advisor")


class ProfileForm(Grouped, forms.ModelForm):  # type: ignore[type-arg]
    GROUPS: Groups = (("Profile", PERSONAL), ("Organisation", ORGANISATION))

    url = forms.URLField(label="Web page", required=False, max_length=200, assume_scheme="https")

    class Meta:
        model = Profile
        fields = (*PERSONAL, *ORGANISATION)
        labels = {"institution_role": "Your role there"}
        help_texts = {
            "title": "Such as Dr. or Prof.",
            "phone": "Seen by those alone who decide about accounts.",
            "citizenship": "Seen by those alone who decide about accounts.",
            "bio": "What you work on.",
            "advisor": "Students: name, department, phone, e-mail and web page of your advisor.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        dress(self)


class EmailForm(forms.Form):
    """Another address, and the password of whoever has one here."""

    email = forms.EmailField(label="New e-mail address", max_length=254)
    password = forms.CharField(label="Your password", max_length=4096, strip=False, widget=forms.PasswordInput)

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["email"].widget.attrs["autocomplete"] = "email"
        self.fields["password"].widget.attrs["autocomplete"] = "current-password"
        if not user.has_usable_password():
            del self.fields["password"]
        dress(self)

    def asked(self) -> dict[str, str]:
        return {"email": self.cleaned_data["email"], "password": self.cleaned_data.get("password", "")}


class NamesForm(Grouped, forms.ModelForm):  # type: ignore[type-arg]
    GROUPS: Groups = (("Name", ("first_name", "last_name")),)

    class Meta:
        model = User
        fields = ("first_name", "last_name")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.required = True
        dress(self)
