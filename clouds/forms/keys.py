"""Adding public keys: pasted, or from a file."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from operations import forms as fields

LARGEST = 64 * 1024  # bytes of a file


class KeyForm(forms.Form):
    """The service checks the keys themselves; a private one pasted by mistake must not come back in the page."""

    name = fields.text("Name", help="Empty: taken from the key's comment.", most=64)
    public_key = fields.lines(
        "Public keys", help="The line of the file that ends in .pub, or several, one on each line.", secret=True
    )
    file = forms.FileField(
        label="Or a file",
        required=False,
        help_text="A .pub file, or a list such as https://github.com/NAME.keys, saved.",
        widget=forms.FileInput(attrs={"class": "form-control"}),
    )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        file: UploadedFile[Any] | None = said.get("file")
        if file is not None and said.get("public_key"):
            self.add_error("file", "Paste the keys or bring a file, not both.")
        elif file is not None:
            self.cleaned_data["public_key"] = self._read(file)
        elif not said.get("public_key") and "public_key" not in self.errors:
            self.add_error("public_key", "Paste a public key, or bring the file that it is in.")
        return self.cleaned_data

    def _read(self, file: "UploadedFile[Any]") -> str:
        if (file.size or 0) > LARGEST:
            self.add_error("file", "This file is too long for public keys: is it the right one?")
            return ""
        try:
            return str(file.read().decode())
        except UnicodeDecodeError:
            self.add_error("file", "This file is no text: choose the one that ends in .pub or .keys.")
            return ""
