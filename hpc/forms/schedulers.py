"""Registering a scheduler, changing what it is shown as, and saying who one is there."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from cloudmesh.types import Field
from hpc.models import Cluster, Identity
from operations import forms as fields

PREFIX = "credential_"
#: What is asked before one looks for more, though it may stay empty.
USUAL = ("label", "credential_passphrase", "credential_host_key", "credential_token", "shared")
NAME_HELP = "What you will call it: lower-case letters, digits, dashes."
CLUSTERS_HELP = (
    "One cluster on each line, with its queues: delta: delta, delta-long. "
    "One without queues has all that no other has. Empty: one cluster of the scheduler's name."
)


def check(label: str, *, help: str = "", initial: bool = False) -> forms.BooleanField:
    widget = forms.CheckboxInput(attrs={"class": "form-check-input"})
    return forms.BooleanField(label=label, help_text=help, required=False, initial=initial, widget=widget)


class ShownForm(forms.Form):
    """How a scheduler is shown, and as whom people's jobs run there; the last is for administrators."""

    label = fields.text("Description", help="A few words for others, if the name does not say all.", most=120)
    clusters = fields.lines("Shown as", help=CLUSTERS_HELP)
    shows_all = check(
        "Everybody's jobs are shown to everybody who sees it",
        help="As squeue and qstat do. Else people see their own jobs and those of their projects.",
        initial=True,
    )
    identity = forms.ChoiceField(
        label="Jobs run", choices=Identity.choices, widget=forms.Select(attrs={"class": "form-select"})
    )

    def __init__(self, data: Any = None, *, by_admin: bool = False, **more: Any) -> None:
        super().__init__(data, **more)
        if not by_admin:
            del self.fields["identity"]

    def clean_clusters(self) -> dict[str, list[str]]:
        """Name → queues, of `name: queue, queue` on each line."""
        found: dict[str, list[str]] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["clusters"].splitlines())):
            name, _, queues = line.partition(":")
            if name.strip() in found:
                raise forms.ValidationError(f"{name.strip()} is there twice: put all its queues on one line.")
            found[name.strip()] = [queue.strip() for queue in queues.split(",") if queue.strip()]
        return found


class SchedulerForm(ShownForm):
    """The fields that the way to a scheduler and its driver declare; without `named` for one that has its name."""

    name = fields.text("Name", help=NAME_HELP, required=True, most=40)
    shared = check("For everybody in the portal", help="Else for the members of the project you work in.")

    def __init__(
        self, declared: Sequence[Field], data: Any = None, *, facts: Mapping[str, str] | None = None,
        by_admin: bool = False, named: bool = True, **initial: Any,
    ) -> None:  # fmt: skip
        known = {field.name: field.default for field in declared} | dict(facts or {})
        said = initial | {f"{PREFIX}{name}": value for name, value in known.items()}
        super().__init__(data, by_admin=by_admin, initial=said)
        self.declared = declared
        own = self.fields if named else {}
        asked = {f"{PREFIX}{field.name}": fields.credential(field) for field in declared}
        self.fields = {**own, **asked}
        self.order_fields(["name", "label", *asked])
        if not by_admin:
            self.fields.pop("shared", None)

    def first(self) -> list[forms.BoundField]:
        """What has to be said, and what people usually say."""
        return [self[name] for name, field in self.fields.items() if field.required or name in USUAL]

    def more(self) -> list[forms.BoundField]:
        return [self[name] for name, field in self.fields.items() if not field.required and name not in USUAL]

    def is_more_wrong(self) -> bool:
        return any(field.errors for field in self.more())

    @property
    def credential(self) -> dict[str, str]:
        values = {field.name: self.cleaned_data.get(f"{PREFIX}{field.name}", "") for field in self.declared}
        return {name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()}


class LoginForm(forms.Form):
    """Who one is at a scheduler, and a credential of one's own, or none where the portal makes a key."""

    login = fields.text("User name there", required=True, most=64)

    def __init__(self, declared: Sequence[Field], data: Any = None, **more: Any) -> None:
        super().__init__(data, **more)
        self.declared = declared
        for field in declared:
            asked = fields.credential(field)
            asked.required = False  # without any of them the portal makes a key; the service knows where it can
            self.fields[f"{PREFIX}{field.name}"] = asked

    @property
    def credential(self) -> dict[str, str]:
        values = {field.name: self.cleaned_data.get(f"{PREFIX}{field.name}", "") for field in self.declared}
        return values if any(values.values()) else {}


def clusters_text(clusters: Sequence[Cluster]) -> str:
    """What `ShownForm` reads."""
    return "\n".join(f"{each.name}: {', '.join(each.chosen)}" if each.chosen else each.name for each in clusters)
