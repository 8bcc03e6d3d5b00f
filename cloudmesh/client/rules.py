"""What rules there are and who decides: policies, quotas, the committee, accounts and tokens."""

from collections.abc import Iterable, Iterator
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

    # The committee

    def review(self, id: str, vote: str, comment: str | None = None) -> "Json":
        """Vote approve, deny, change or abstain, or declare a conflict of interest."""
        return self._send("POST", f"applications/{quote(id)}/review/", given({"vote": vote, "comment": comment}))

    def remark(self, id: str, text: str, *, is_internal: bool = False) -> "Json":
        """Ask or answer something about an application; an internal remark is for reviewers only."""
        return self._send("POST", f"applications/{quote(id)}/remark/", {"text": text, "is_internal": is_internal})

    def decide(self, id: str, decision: str, reason: str | None = None, ends_at: str | None = None) -> "Json":
        """Approve an application, deny it, or return it for changes."""
        wanted = given({"decision": decision, "reason": reason, "ends_at": ends_at})
        return self._send("POST", f"applications/{quote(id)}/decide/", wanted)

    def undo_decision(self, id: str, reason: str | None = None) -> "Json":
        """Take a decision back while nothing followed from it."""
        return self._send("POST", f"applications/{quote(id)}/undo/", given({"reason": reason}))

    # Limits

    def quotas(self, project: "Json") -> "list[Json]":
        """The limits of a project and of its members, with what is taken of each."""
        return list(self.session.pages(f"projects/{project['id']}/quotas/"))

    def set_quota(self, project: "Json", resource: str, limit: int | None, **where: Any) -> "list[Json]":
        """Set one limit, None for none; `user` for a member's share, `where` for a cloud. Answers all."""
        wanted = {"resource": resource, "limit": limit, **given(where)}
        changed: list[Json] = self._send("PATCH", f"projects/{project['id']}/quotas/", wanted)["results"]
        return changed

    # People and tokens

    def users(self, **filters: Any) -> "Iterator[Json]":
        """Oneself and those one works with; for the staff all, by any of state, role, username, search."""
        return self._list("users/", given(filters))

    def user(self, name: str) -> "Json":
        """A person by user name or id. Raises NotFound."""
        if ID.fullmatch(name):
            return self._get(f"users/{quote(name)}/")
        found = next(self.users(username=name), None)
        if found is None:
            known = (each["username"] for each in self.users(fields="username"))
            raise NotFound(f"You see no user named {name}.{near(name, known)}")
        return found

    def move_user(self, user: "Json", step: str, **body: Any) -> "Json":
        """approve, deny, reconsider, suspend, block, expire or activate; with a reason where somebody is kept out."""
        return self._send("POST", f"users/{user['id']}/{step}/", given(body))

    def set_roles(self, user: "Json", roles: "Iterable[str]") -> "Json":
        """What somebody is in the portal as a whole: any of reviewer, operator, auditor."""
        return self._send("POST", f"users/{user['id']}/roles/", {"roles": list(roles)})

    def tokens(self) -> "Iterator[Json]":
        return self._list("tokens/", {})

    def create_token(self, **wanted: Any) -> "Json":
        """A new token by any of name, scopes, expires_days; its `token` is in this answer and nowhere else."""
        return self._send("POST", "tokens/", given(wanted))

    def revoke_token(self, id: str) -> None:
        self.session.send("DELETE", f"tokens/{quote(id)}/")
