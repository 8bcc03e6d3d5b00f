"""Form fields in the portal's look, in groups, and errors of the domain shown where they belong."""

from collections.abc import Iterator, Sequence

from django import forms

from cloudmesh.errors import CloudmeshError

ROWS = 4
Groups = Sequence[tuple[str, Sequence[str]]]


def dress(form: forms.BaseForm) -> None:
    """Give the fields of `form` the classes of the portal's stylesheet."""
    for field in form.fields.values():
        css = "form-control"
        if isinstance(field.widget, forms.Select):
            css = "form-select"
        elif isinstance(field.widget, forms.CheckboxInput | forms.CheckboxSelectMultiple | forms.RadioSelect):
            css = "form-check-input"
        field.widget.attrs.setdefault("class", css)
        if isinstance(field.widget, forms.Textarea):
            field.widget.attrs["rows"] = ROWS


class Grouped(forms.BaseForm):
    """A form whose page shows its fields under headings."""

    GROUPS: Groups = ()

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        for title, names in self.GROUPS:
            yield title, [self[name] for name in names if name in self.fields]


def blame(form: forms.BaseForm, error: CloudmeshError) -> None:
    """Show an error at the field it is about, or above the form."""
    about = str(error.facts.get("field", ""))
    form.add_error(about if about in form.fields else None, error.message)
