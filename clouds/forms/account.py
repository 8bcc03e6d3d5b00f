"""Registering an account at a cloud: a form made of what its driver declares, or a file somebody has."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from cloudmesh.errors import Invalid
from cloudmesh.imports import cloudsyaml, documents, openrc
from cloudmesh.imports.openstack_entry import Entry
from cloudmesh.types import Field
from operations import forms as fields

PREFIX = "credential_"
CLOUDS_YAML, OPENRC = "clouds.yaml", "openrc"
NAME_HELP = "What you will call it: lower-case letters, digits, dashes."


class NameForm(forms.Form):
    """What a new cloud is called."""

    name = fields.text("Name", help=NAME_HELP, required=True, most=40)
    label = fields.text("Description", help="A few words for others, if the name does not say all.", most=120)


class AccountForm(NameForm):
    """The fields that a driver declares; without `named` for a cloud that has its name already."""

    def __init__(
        self, declared: Sequence[Field], data: Any = None, *, facts: Mapping[str, str] | None = None,
        named: bool = True, **initial: str,
    ) -> None:  # fmt: skip
        known = {field.name: field.default for field in declared} | dict(facts or {})
        super().__init__(data, initial=initial | {f"{PREFIX}{name}": _shown(value) for name, value in known.items()})
        if not named:
            self.fields.clear()
        self.declared = declared
        self.fields |= {f"{PREFIX}{field.name}": fields.credential(field) for field in declared}

    @property
    def credential(self) -> dict[str, str]:
        values = {field.name: self.cleaned_data.get(f"{PREFIX}{field.name}", "") for field in self.declared}
        return {name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()}


class FileForm(NameForm):
    """A clouds.yaml or an openrc, uploaded or pasted; it may hold a password, so it never comes back."""

    field_order = ("file", "text", "cloud", "name", "label")

    file = forms.FileField(
        label="File", required=False, widget=forms.ClearableFileInput(attrs={"class": "form-control"})
    )
    text = fields.lines("Or its text", secret=True)
    cloud = fields.text("Which cloud of it", help="Only where the file has several.")

    def __init__(self, way: str, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files)
        self.way = way
        self.fields["name"].required = False
        self.fields["name"].help_text = "Empty: as the file calls it."
        if way == OPENRC:
            del self.fields["cloud"]


def from_file(form: FileForm) -> Entry:
    """The cloud that an uploaded or pasted file describes. Raises Invalid with the line that is wrong."""
    upload: UploadedFile[Any] | None = form.cleaned_data["file"]
    content: str | bytes = upload.read(documents.LARGEST + 1) if upload else form.cleaned_data["text"]
    if not content:
        raise Invalid(f"Choose your {form.way} file, or paste its text.", field="file")
    if form.way == OPENRC:
        return openrc.read(content)
    return cloudsyaml.choose(cloudsyaml.read(content), form.cleaned_data["cloud"])


def _shown(value: str) -> str | bool:
    return value == "true" if value in ("true", "false") else value
