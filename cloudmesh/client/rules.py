"""What rules there are and who decides: policies, quotas, the committee, accounts and tokens."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cloudmesh.client.asking import ID, Asking, given
from cloudmesh.client.http import quote
from cloudmesh.errors import NotFound, near

if TYPE_CHECKING:
    from cloudmesh.types import Json

IN_FORCE = {"approved": 0, "proposed": 1, "draft": 2, "retired": 3}  # which edition a name means


class Rules(Asking):
    """The methods of `Client` for those who govern a portal or a project."""

    def policies(self, **filters: Any) -> "Iterator[Json]":
        """Those in force; for the staff every edition. By any of state, effect, name, search."""
        return self._list("policies/", given(filters))

    def policy(self, name: str) -> "Json":
        """An edition by its id; by the name the one in force, or else the one nearest to it. Raises NotFound."""
        if ID.fullmatch(name):
            return self._get(f"policies/{quote(name)}/")
        found = sorted(self.policies(name=name), key=lambda each: (IN_FORCE[each["state"]], -each["edition"]))
        if not found:
            known = {each["name"] for each in self.policies(fields="name")}
            raise NotFound(f"No policy is named {name}.{near(name, known)} All are listed by: cm policy list")
        return found[0]

    def draft_policy(self, **wanted: Any) -> "Json":
        """A draft of name, effect, service, and any of subject_kind, subject, limits, starts, ends, note."""
        return self._send("POST", "policies/", given(wanted))

    def change_policy(self, id: str, **wanted: Any) -> "Json":
        """A changed draft; of what is approved the draft of a new edition."""
        return self._send("PATCH", f"policies/{quote(id)}/", given(wanted))

    def move_policy(self, id: str, step: str, reason: str | None = None) -> "Json":
        """Take a policy one step on: propose, approve, return or retire; the last two with a reason."""
        return self._send("POST", f"policies/{quote(id)}/{step}/", given({"reason": reason}))

    def effective_policy(self, service: str, user: str = "", project: str = "") -> "Json":
        """What all policies together say to somebody in a project about a service."""
        return self._get("policies/effective/", {"service": service, "user": user, "project": project})
