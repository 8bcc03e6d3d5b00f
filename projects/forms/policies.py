"""What a policy says, as a form; the service checks it all and says what is wrong at which field."""

from typing import Any

from django import forms

from projects.models import Effect, Policy, SubjectKind
from projects.policy import RESOURCES
from projects.policy import limits as amounts

TEXT = {"class": "form-control", "autocomplete": "off", "spellcheck": "false"}
MONO = {**TEXT, "class": "form-control mono"}
RULE = "Names, hostlists such as s[1-30], or a rule: project in (fg82, fg355) and not user = gregor"
LIMITS = f"Empty: none. Such as cores=8, ram_per_wish=16384; of {', '.join(RESOURCES)}."


def _line(label: str, help: str = "", *, required: bool = False, most: int = 200, **attrs: str) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help, required=required, max_length=most, widget=forms.TextInput(attrs=TEXT | attrs)
    )


def _choice(label: str, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=forms.Select(attrs={"class": "form-select"}))


class PolicyForm(forms.Form):
    name = _line("Name", "Small letters, digits and dashes.", required=True, most=60)
    effect = _choice("Effect", Effect.choices)
    service = _line("Service", "cloud:india, cloud:*, queue:india/batch, machines:i[1-8]", required=True)
    subject_kind = _choice("Whom it is about", SubjectKind.choices)
    subject = forms.CharField(
        label="Names, or the rule", help_text=RULE, required=False, max_length=2000,
        widget=forms.Textarea(attrs={**MONO, "rows": 3}),
    )  # fmt: skip
    limits = _line("Limits", LIMITS, most=400)
    starts = _line("Begins", "Empty: at once. +1d, or 2026-12-24T18:00 (UTC).", most=40)
    ends = _line("Ends", "Empty: never. +1w or +3d2h after it begins, or a time.", most=40)
    note = forms.CharField(
        label="Note", help_text="Why there is this policy; it is shown to those whom it stops.", required=False,
        max_length=1000, widget=forms.Textarea(attrs={**TEXT, "rows": 2}),
    )  # fmt: skip

    @classmethod
    def of(cls, policy: Policy) -> "PolicyForm":
        """Filled in with what a policy says now."""
        same = ("name", "effect", "service", "subject_kind", "subject", "note")
        form = cls(
            initial={
                **{name: getattr(policy, name) for name in same},
                "limits": amounts.written(policy.limits),
                "starts": f"{policy.starts_at:%Y-%m-%dT%H:%M}" if policy.starts_at else "",
                "ends": f"{policy.ends_at:%Y-%m-%dT%H:%M}" if policy.ends_at else "",
            }
        )
        form.fields["name"].disabled = True
        return form

    def wish(self) -> dict[str, Any]:
        """What the services take. Raises Invalid for limits that do not parse."""
        return {**self.cleaned_data, "limits": amounts.read(self.cleaned_data["limits"])}
