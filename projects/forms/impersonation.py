"""What an administrator says before acting as somebody."""

from django import forms

from accounts.services import LONGEST_IMPERSONATION


class ImpersonationForm(forms.Form):
    reason = forms.CharField(
        max_length=400, widget=forms.Textarea({"rows": 2, "class": "form-control"}), help_text="They will read it."
    )
    minutes = forms.IntegerField(
        initial=30,
        min_value=1,
        max_value=LONGEST_IMPERSONATION,
        widget=forms.NumberInput({"class": "form-control"}),
        help_text=f"At most {LONGEST_IMPERSONATION}.",
    )
    may_write = forms.BooleanField(
        required=False,
        label="Let me change things, too",
        widget=forms.CheckboxInput({"class": "form-check-input"}),
    )
