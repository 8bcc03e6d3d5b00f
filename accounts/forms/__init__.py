"""What people fill in about themselves."""

from accounts.forms.applications import ApplyForm
from accounts.forms.look import blame, dress
from accounts.forms.passwords import ChangeForm, ChooseForm, ForgottenForm
from accounts.forms.profile import EmailForm, NamesForm, ProfileForm

__all__ = [
    "ApplyForm",
    "ChangeForm",
    "ChooseForm",
    "EmailForm",
    "ForgottenForm",
    "NamesForm",
    "ProfileForm",
    "blame",
    "dress",
]
