"""Beginning an application, and ending one."""

import datetime
from collections.abc import Sequence
from typing import Any

from django import forms

from cloudmesh.errors import Invalid
from projects.forms.application import INPUT, LimitsField, Scopes, day_input
from projects.models import ApplicationKind, Project
from projects.services.answers import end_of
from projects.services.committee import Decision


class StartForm(forms.Form):
    """What an application is about: a project to be, or one that is there."""

    title = forms.CharField(
        label="Title",
        max_length=200,
        widget=forms.TextInput(attrs={**INPUT, "autofocus": True}),
        help_text="What the project is called; it can be changed until you submit.",
    )
    name = forms.SlugField(
        label="Short name",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={**INPUT, "spellcheck": "false"}),
        help_text="Lower-case letters, digits and dashes, as in commands. Empty: made of the title.",
    )
    project = forms.ChoiceField(label="Project", widget=forms.Select(attrs={"class": "form-select"}))

    def __init__(self, kind: str, projects: Sequence[Project], data: Any = None, *, project: str = "") -> None:
        super().__init__(data, initial={"project": project})
        if kind == ApplicationKind.NEW:
            del self.fields["project"]
            return
        del self.fields["title"], self.fields["name"]
        self.fields["project"].choices = [(each.name, each.title or each.name) for each in projects]  # type: ignore[attr-defined]


class DecisionForm(forms.Form):
    """What the committee says to an application, and what is granted otherwise than asked."""

    decision = forms.ChoiceField(choices=Decision.choices)
    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={**INPUT, "rows": 3}),
        help_text="The applicant reads it. Needed to deny and to return.",
    )
    ends_at = forms.DateField(
        label="Granted until", required=False, widget=day_input(), help_text="Empty: as asked for, or as usual."
    )

    def __init__(self, kind: str, data: Any = None, *, scopes: Scopes = (), **initial: Any) -> None:
        super().__init__(data, initial=initial)
        if kind not in (ApplicationKind.NEW, ApplicationKind.RENEWAL):
            del self.fields["ends_at"]
        if kind == ApplicationKind.ALLOCATION:
            said = {"label": "Granted limits", "help_text": "As asked for; change what is granted otherwise."}
            self.fields["limits"] = LimitsField(scopes, len(initial.get("limits", ())), required=False, **said)

    @property
    def wish(self) -> dict[str, Any]:
        """What `services.decide` is told. Raises Invalid."""
        if not self.is_valid():
            name, sentences = next(iter(self.errors.items()))
            raise Invalid(" ".join(map(str, sentences)), field=name)
        wish: dict[str, Any] = {name: self.cleaned_data[name] for name in ("decision", "reason")}
        day: datetime.date | None = self.cleaned_data.get("ends_at")
        is_approval = wish["decision"] == Decision.APPROVE
        if is_approval and day:
            wish["ends_at"] = end_of(day.isoformat())
        if is_approval and "limits" in self.fields:
            wish["limits"] = self.cleaned_data["limits"]
        return wish
