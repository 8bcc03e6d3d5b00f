"""A form for each section of an application, made of the questions that it declares."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms

from cloudmesh.errors import Invalid
from projects.policy import RESOURCES
from projects.services.questions import LIMITS, Kind, Question, Section

INPUT = {"class": "form-control", "autocomplete": "off"}
ROWS = 5
ROWS_OF_LIMITS = 4  # that are offered at least, and some more than there are
PARTS = 3  # of a limit: scope, resource, number

Scopes = Sequence[tuple[str, str]]


class SectionForm(forms.Form):
    """One section; a draft may leave out anything, so nothing is required here but by the look of it."""

    def __init__(
        self, section: Section, data: Any = None, *, answers: Mapping[str, Any] | None = None, scopes: Scopes = ()
    ) -> None:
        super().__init__(data, initial=dict(answers or {}))
        self.section = section
        for question in section.questions:
            field = self._field(question, scopes)
            field.needed = question.required  # type: ignore[attr-defined]
            self.fields[question.name] = field

    def _field(self, question: Question, scopes: Scopes) -> forms.Field:
        if question.kind == Kind.LIMITS:
            return LimitsField(scopes, len(self.initial.get(question.name, ())), **_said(question))
        return _FIELDS[question.kind](question)

    @property
    def answers(self) -> dict[str, Any]:
        return {question.name: self.cleaned_data.get(question.name) for question in self.section.questions}

    def clean(self) -> dict[str, Any]:
        """The question itself says what is wrong with its answer."""
        for question in self.section.questions:
            try:
                question.read(self.cleaned_data.get(question.name))
            except Invalid as error:
                self.add_error(question.name, error.message)
        return self.cleaned_data


def _said(question: Question) -> dict[str, Any]:
    return {"label": question.label, "help_text": question.help, "required": False}


def _text(question: Question) -> forms.Field:
    return forms.CharField(**_said(question), widget=forms.TextInput(attrs={**INPUT, "maxlength": question.most}))


def _lines(question: Question) -> forms.Field:
    widget = forms.Textarea(attrs={**INPUT, "rows": ROWS, "maxlength": question.most})
    return forms.CharField(**_said(question), widget=widget)


def _url(question: Question) -> forms.Field:
    return forms.CharField(**_said(question), widget=forms.URLInput(attrs={**INPUT, "placeholder": "https://"}))


def _date(question: Question) -> forms.Field:
    return forms.DateField(**_said(question), widget=day_input())


def _flag(question: Question) -> forms.Field:
    return forms.BooleanField(**_said(question), widget=forms.CheckboxInput(attrs={"class": "form-check-input"}))


def _choice(question: Question) -> forms.Field:
    widget = forms.Select(attrs={"class": "form-select"})
    return forms.ChoiceField(**_said(question), choices=[("", "Choose…"), *question.choices], widget=widget)


def _choices(question: Question) -> forms.Field:
    widget = forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"})
    return forms.MultipleChoiceField(**_said(question), choices=question.choices, widget=widget)


_FIELDS: Mapping[Kind, Callable[[Question], forms.Field]] = {
    Kind.TEXT: _text,
    Kind.LINES: _lines,
    Kind.URL: _url,
    Kind.DATE: _date,
    Kind.FLAG: _flag,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
}


def _parts(limit: Mapping[str, Any]) -> list[Any]:
    return [limit["scope"], limit["resource"], limit["limit"]]


def day_input() -> forms.DateInput:
    return forms.DateInput(attrs={**INPUT, "type": "date"}, format="%Y-%m-%d")


class LimitsWidget(forms.MultiWidget):
    """Rows of where, what and how much."""

    def __init__(self, scopes: Scopes, known: int = 0) -> None:
        resources = [("", "Resource…"), *((name, each.label) for name, each in RESOURCES.items())]
        rows = min(LIMITS, max(ROWS_OF_LIMITS, known + 2))
        super().__init__([part for row in range(rows) for part in self._row(row + 1, scopes, resources)])

    @staticmethod
    def _row(number: int, scopes: Scopes, resources: Scopes) -> list[forms.Widget]:
        def called(what: str) -> dict[str, str]:
            return {"aria-label": f"{what} of limit {number}"}

        return [
            forms.Select(attrs={"class": "form-select", **called("Place")}, choices=scopes),
            forms.Select(attrs={"class": "form-select", **called("Resource")}, choices=resources),
            forms.NumberInput(attrs={**INPUT, "min": "0", "placeholder": "How much", **called("Amount")}),
        ]

    def decompress(self, value: Any) -> list[Any]:
        return list(value or [])

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        """However many rows the page had."""
        return [data.get(f"{name}_{number}") for number in range(LIMITS * PARTS)]

    def use_required_attribute(self, initial: Any) -> bool:
        return False


class LimitsField(forms.Field):
    """A list of limits; rows without a resource are not meant."""

    def __init__(self, scopes: Scopes, known: int = 0, **options: Any) -> None:
        super().__init__(widget=LimitsWidget(scopes, known), **options)

    def prepare_value(self, value: Any) -> list[Any]:
        """What the rows show: the parts of known limits, or what was typed."""
        rows = [_parts(each) if isinstance(each, dict) else [each] for each in value or []]
        return [part for row in rows for part in row]

    def clean(self, value: Any) -> list[dict[str, Any]]:
        parts = list(value or [])
        rows = [parts[start : start + PARTS] for start in range(0, len(parts), PARTS)]
        return [
            {"scope": scope or "", "resource": resource, "limit": self._whole(amount)}
            for scope, resource, amount in rows
            if resource
        ]

    @staticmethod
    def _whole(text: Any) -> int:
        cleaned = str(text or "").strip()
        if not cleaned.isascii() or not cleaned.isdigit():
            raise forms.ValidationError("Say how much of each resource, as a whole number.")
        return int(cleaned)
