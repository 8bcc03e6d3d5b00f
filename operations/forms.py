"""Form fields in the portal's look, and errors of the domain shown where they belong."""

from typing import Any

from django import forms

from cloudmesh.errors import CloudmeshError
from cloudmesh.types import Field

INPUT = {"class": "form-control", "autocomplete": "off", "spellcheck": "false"}
ROWS = 6


class Unechoed(forms.Textarea):
    """A text that may hold secrets: what was sent never comes back in a page."""

    def format_value(self, value: Any) -> str:
        return ""


def text(label: str, *, help: str = "", required: bool = False, most: int = 255) -> forms.CharField:
    widget = forms.TextInput(attrs=INPUT)
    return forms.CharField(label=label, help_text=help, required=required, max_length=most, widget=widget)


def lines(label: str, *, help: str = "", required: bool = False, secret: bool = False) -> forms.CharField:
    kind = Unechoed if secret else forms.Textarea
    widget = kind(attrs={**INPUT, "class": "form-control mono", "rows": ROWS})
    return forms.CharField(label=label, help_text=help, required=required, widget=widget)


def credential(field: Field) -> forms.Field:
    """The form field of what a driver declares; nothing secret is ever rendered with a value."""
    said: dict[str, Any] = {"label": field.label, "help_text": field.help, "required": field.required}
    if field.type == "boolean":
        return forms.BooleanField(
            **said | {"required": False}, widget=forms.CheckboxInput(attrs={"class": "form-check-input"})
        )
    if field.choices:
        choices = [(choice, choice) for choice in field.choices]
        return forms.ChoiceField(**said, choices=choices, widget=forms.Select(attrs={"class": "form-select"}))
    if field.type == "file":
        return lines(field.label, help=field.help, required=field.required, secret=field.secret)
    if field.secret:
        widget: forms.Widget = forms.PasswordInput(attrs={**INPUT, "autocomplete": "new-password"}, render_value=False)
        return forms.CharField(**said, widget=widget, strip=False)
    return forms.CharField(**said, widget=forms.TextInput(attrs=INPUT))


def blame(form: forms.Form, error: CloudmeshError, *, prefix: str = "") -> None:
    """Show an error at the field it is about, or above the form."""
    about = str(error.facts.get("field", ""))
    name = next((name for name in (about, f"{prefix}{about}") if name in form.fields), None)
    form.add_error(name, error.message)
