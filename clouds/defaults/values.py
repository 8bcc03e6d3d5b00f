"""What was set: by oneself, for a project and for the portal, in this order; read with one question."""

import uuid
from typing import Any

from django.db.models import Q

from accounts.models import User
from clouds.models import CloudAccount, Default
from projects.models import Project

OPTION, OWN, PROJECT, PORTAL, FIRST, NONE = "option", "own", "project", "portal", "first", "none"
SCOPES = (OWN, PROJECT, PORTAL)  # who sets defaults, the nearest first


class Values:
    """The defaults that apply to a user in a project; from `scope` on, that is without what is nearer."""

    def __init__(self, actor: User, project: Project, scope: str = OWN) -> None:
        self.scopes = SCOPES[SCOPES.index(scope) :]
        self._known: dict[tuple[str, uuid.UUID | str | None, str], str] = {}
        mine = Q(user=actor, project=project) | Q(user=None, project=project) | Q(user=None, project=None)
        for row in Default.objects.filter(mine):
            source = OWN if row.user_id else PROJECT if row.project_id else PORTAL
            self._known[row.key, row.account_id or row.cloud or None, source] = row.value

    def get(self, key: str, account: CloudAccount | None = None) -> tuple[str, str]:
        """The nearest value and its source; two empty strings when there is none."""
        return next(iter(self.all(key, account)), ("", ""))

    def all(self, key: str, account: CloudAccount | None = None) -> list[tuple[str, str]]:
        """What was set with its source, the nearest first; of one source what is for this cloud before the rest."""
        found = []
        for source in self.scopes:
            places = [*([self._place(account, source)] if account else []), None]
            found += [
                (self._known[key, place, source], source) for place in places if (key, place, source) in self._known
            ]
        return found

    def is_of(self, account: CloudAccount, key: str) -> bool:
        """Whether somebody set it for this very cloud."""
        return any((key, self._place(account, source), source) in self._known for source in self.scopes)

    @staticmethod
    def _place(account: CloudAccount, source: str) -> uuid.UUID | str:
        """The portal knows clouds by their names, whoever has an account there."""
        return account.cloud.name if source == PORTAL else account.pk


def store(
    *,
    user: User | None,
    project: Project | None,
    key: str,
    value: str,
    account: CloudAccount | None = None,
    cloud: str = "",
) -> None:
    """Set one default; an empty value removes it."""
    place: dict[str, Any] = {"user": user, "project": project, "account": account, "cloud": cloud, "key": key}
    if value:
        default = Default(**place, value=value[:255])
        Default.objects.bulk_create([default], update_conflicts=True, unique_fields=[*place], update_fields=["value"])
    else:
        Default.objects.filter(**place).delete()
