"""Making an API token."""

import datetime
from typing import Any

from django import forms

from accounts.forms import dress
from accounts.models import ApiToken, User
from projects import access

DAYS = 365
LONGEST = 3650
SCOPES = ((ApiToken.Scope.READ, "Read"), (f"{ApiToken.Scope.READ} {ApiToken.Scope.WRITE}", "Read and write"))


class TokenForm(forms.Form):
    name = forms.CharField(max_length=64, help_text="To know it by: where it is used.")
    scopes = forms.ChoiceField(label="May", choices=SCOPES)
    days = forms.IntegerField(label="Ends after days", min_value=1, max_value=LONGEST, initial=DAYS)
    project = forms.ChoiceField(required=False, help_text="With one project it works there alone.")

    def __init__(self, *args: Any, actor: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.places = {str(project.pk): project for project in access.workplaces(actor)}
        choices = [("", "All of mine"), *((pk, project.name) for pk, project in self.places.items())]
        self.fields["project"].choices = choices  # type: ignore[attr-defined]
        dress(self)

    def wish(self) -> dict[str, Any]:
        """What the service takes."""
        said = self.cleaned_data
        place = self.places.get(said["project"])
        return {
            "name": said["name"],
            "scopes": said["scopes"].split(),
            "life": datetime.timedelta(days=said["days"]),
            "project_id": place.pk if place else None,
        }
