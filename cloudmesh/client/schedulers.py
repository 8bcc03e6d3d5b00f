"""Schedulers, the clusters that they are shown as with queues and nodes, and who one is there."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cloudmesh.client.asking import Asking, given
from cloudmesh.client.http import quote
from cloudmesh.errors import NotFound

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Schedulers(Asking):
    """The methods of `Client` about HPC clusters; a scheduler is one queue manager, shown as one cluster or several."""

    def clusters(self, **filters: Any) -> "Iterator[Json]":
        """Clusters, by any of name (a hostlist or globs), scheduler, project, search."""
        return self._list("clusters/", given(filters))

    def cluster(self, name: str) -> "Json":
        """A cluster with its queues and what can be done there. Raises NotFound, Ambiguous."""
        return self._get(f"clusters/{quote(name)}/")

    def select_clusters(self, *hostlists: str, **filters: Any) -> "list[Json]":
        """The clusters that hostlists and globs name. Raises NotFound, Ambiguous."""
        from cloudmesh.client.selection import pick

        known = list(self.clusters(**filters))
        return pick(hostlists, known, lambda: (cluster["name"] for cluster in known), "cluster")

    def cluster_loads(self, cluster: str, hours: int = 24) -> "list[Json]":
        """How busy a cluster was: `{at, running, waiting, cores_used, cores}`, the oldest first."""
        return list(self.session.pages(f"clusters/{quote(cluster)}/loads/", {"hours": hours}))

    def queues(self, **filters: Any) -> "Iterator[Json]":
        """Queues, by any of cluster, name, state."""
        return self._list("queues/", given(filters))

    def nodes(self, **filters: Any) -> "Iterator[Json]":
        """The machines that run jobs, by any of cluster, queue, state, name (a hostlist or globs)."""
        return self._list("nodes/", given(filters))

    # Schedulers

    def schedulers(self, **filters: Any) -> "Iterator[Json]":
        return self._list("schedulers/", given(filters))

    def scheduler(self, name: str) -> "Json":
        return self._get(f"schedulers/{quote(name)}/")

    def scheduler_drivers(self) -> "list[Json]":
        """The queue managers that a portal can talk to, the ways to reach them and the fields of each way."""
        return list(self.session.pages("scheduler-drivers/"))

    def register_scheduler(self, name: str, driver: str, **how: Any) -> "Json":
        """Add a scheduler by way and credential; answers `{operation, scheduler}`.

        Any of project, label, shared (for the whole portal), identity, shows_all, and clusters: names with the queues
        of each; one without queues has all the others.
        """
        return self._send("POST", "schedulers/", {"name": name, "driver": driver, **given(how)})

    def change_scheduler(self, name: str, **changed: Any) -> "Json":
        """Change any of label, identity, shows_all, is_enabled, clusters."""
        return self._send("PATCH", f"schedulers/{quote(name)}/", given(changed))

    def remove_scheduler(self, name: str) -> None:
        """Forget a scheduler, its clusters and their credentials; what runs there goes on running."""
        self.session.send("DELETE", f"schedulers/{quote(name)}/")

    def refresh_scheduler(self, name: str) -> "Json | None":
        """Have it read anew, now; answers without waiting for the reading."""
        answer: Json | None = self.session.send("POST", f"schedulers/{quote(name)}/refresh/")
        return answer

    def replace_scheduler_credential(self, name: str, credential: Mapping[str, str]) -> "Json":
        """Wish for another credential; the old one stays in use until this one has worked. Answers `{operation}`."""
        return self._send("POST", f"schedulers/{quote(name)}/credential/", {"credential": dict(credential)})

    # Who one is there

    def login(self, scheduler: str) -> "Json":
        """As whom one's jobs run there. Raises NotFound where one has no login."""
        return self._get(f"schedulers/{quote(scheduler)}/login/")

    def logins(self, **filters: Any) -> "Iterator[Json]":
        """Who one is at each scheduler. One's own login has a state; it is missing where one is yet to be told.

        `identity` says how it is: own, mapped by an administrator, or one for all.
        """
        seen: set[str] = set()
        for cluster in self.clusters(**filters):
            if cluster["scheduler"] not in seen:
                seen.add(cluster["scheduler"])
                yield self._login_at(cluster)

    def _login_at(self, cluster: "Json") -> "Json":
        known = {"name": cluster["login"], "state": "active", "public_key": "", "is_mapped": False}
        if cluster["identity"] != "one":
            try:
                known = self.login(cluster["scheduler"])
            except NotFound:
                known["state"] = "missing"
        return {**known, "scheduler": cluster["scheduler"], "identity": cluster["identity"]}

    def set_login(self, scheduler: str, name: str, credential: Mapping[str, str] | None = None) -> "Json":
        """Say who one is there; answers `{operation, login}`.

        Without a credential the portal makes a key, whose `public_key` is to be allowed there before `verify_login`.
        """
        wanted = given({"name": name, "credential": dict(credential) if credential else None})
        return self._send("PUT", f"schedulers/{quote(scheduler)}/login/", wanted)

    def verify_login(self, scheduler: str) -> "Json":
        """Wish that one's login there is tried; answers `{operation}`."""
        return self._send("POST", f"schedulers/{quote(scheduler)}/login/verify/")

    def remove_login(self, scheduler: str) -> None:
        """Forget who one is there, and the credential; one's jobs go on."""
        self.session.send("DELETE", f"schedulers/{quote(scheduler)}/login/")

    def map_login(self, scheduler: str, user: str, name: str) -> "Json":
        """Say as whom somebody's jobs run, with the scheduler's own credential; for administrators."""
        return self._send("PUT", f"schedulers/{quote(scheduler)}/logins/{quote(user)}/", {"name": name})
