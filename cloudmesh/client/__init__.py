"""The Python client: one method for each thing a portal does; records are plain dicts, as the REST API sends them.

    from cloudmesh import Client

    mesh = Client()
    wish = mesh.boot(count=2)
    for operation in mesh.follow(wish["operation"]["id"]):
        print(operation["progress"], operation["step"])

Lists are iterators that fetch page by page. Whatever goes wrong is raised as one of `cloudmesh.errors`.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cloudmesh.client.asking import ID, batches, given
from cloudmesh.client.choosing import Choosing
from cloudmesh.client.groups import Groups
from cloudmesh.client.hpc import Hpc
from cloudmesh.client.http import quote
from cloudmesh.client.networks import Networks
from cloudmesh.client.offers import Offers
from cloudmesh.client.reach import Reach
from cloudmesh.client.rules import Rules
from cloudmesh.client.schedulers import Schedulers
from cloudmesh.client.shaping import Shaping
from cloudmesh.client.storage import Storage
from cloudmesh.client.watching import Watching
from cloudmesh.errors import NotFound

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Client(Hpc, Watching, Shaping, Storage, Offers, Groups, Choosing, Reach, Networks, Rules, Schedulers):
    """A portal, as one person may use it. Nothing is read or sent before the first question."""

    def me(self) -> "Json":
        return self._get("me/")

    # Servers

    def servers(self, **filters: Any) -> "Iterator[Json]":
        """Servers, by any of name (a hostlist or globs), cloud, state, project, owner, group, label, search."""
        return self._list("servers/", filters)

    def server(self, name: str) -> "Json":
        """A server by name or id with all that is known of it. Raises NotFound, Ambiguous."""
        known = self.select(name)[0]["id"] if "/" in name else name  # an address would end at the slash
        return self._get(f"servers/{quote(known)}/")

    def select(self, *hostlists: str, **filters: Any) -> "list[Json]":
        """The servers that hostlists and globs name.

        Raises NotFound for a name or glob that names none, Ambiguous for a name that several have.
        """
        from cloudmesh.client.selection import pick

        ids = [name for name in hostlists if ID.fullmatch(name)]
        asked = (self.servers(name=names, **filters) for names in batches(set(hostlists).difference(ids)))
        found = [*map(self.server, ids), *itertools.chain.from_iterable(asked)]
        return pick(hostlists, found, lambda: (server["name"] for server in self.servers(fields="name", **filters)))

    def boot(self, **wanted: Any) -> "Json":
        """Wish for servers; what is not given comes from the defaults. Answers `{operation, servers}`."""
        return self._send("POST", "servers/", given(wanted))

    def plan(self, **wanted: Any) -> "Json":
        """What `boot` would come to: names, what policies say, how it fits the quotas. Nothing is taken."""
        return self._send("POST", "servers/plan/", given(wanted))

    def next_boot(self, **wanted: Any) -> "Json":
        """What `boot` would do now, and where each value comes from."""
        return self._get("servers/next/", given(wanted))

    def act(self, action: str, servers: "Iterable[Json]") -> "Json":
        """Wish that servers are deleted, started, stopped, rebooted, …; answers `{operation}`."""
        return self._send("POST", "servers/bulk/", {"action": action, "servers": [server["id"] for server in servers]})

    def rename(self, server: "Json", name: str) -> "Json":
        """Wish that a server has another name, here and at its cloud; answers `{operation}`."""
        return self._send("POST", f"servers/{quote(server['id'])}/rename/", {"name": name})

    def reread(self, servers: "Iterable[Json]") -> "list[Json]":
        """The same servers as they are now, without those that are gone."""
        known = {server["id"]: server["name"] for server in servers}
        asked = (self.servers(name=names) for names in batches(known.values()))
        now = {server["id"]: server for server in itertools.chain.from_iterable(asked)}
        return [now[id] for id in known if id in now]

    # Clouds and what they offer

    def clouds(self, **filters: Any) -> "Iterator[Json]":
        return self._list("clouds/", filters)

    def cloud(self, name: str) -> "Json":
        return self._get(f"clouds/{quote(name)}/")

    def register(self, name: str, **how: Any) -> "Json":
        """Add a cloud by driver and credential, clouds_yaml and cloud, or openrc and password."""
        return self._send("POST", "clouds/", {"name": name, **given(how)})

    def refresh(self, cloud: str) -> "Json":
        return self._send("POST", f"clouds/{quote(cloud)}/refresh/")

    def switch(self, cloud: str, *, on: bool) -> "Json":
        """Use a cloud, or leave it alone for a while."""
        return self._send("PATCH", f"clouds/{quote(cloud)}/", {"is_active": on})

    def alias(self, cloud: str, name: str) -> "Json":
        """Call a cloud something else here; defaults that name it follow."""
        return self._send("PATCH", f"clouds/{quote(cloud)}/", {"name": name})

    def remove(self, cloud: str) -> None:
        """Forget a cloud and its credential; what runs there goes on running."""
        self.session.send("DELETE", f"clouds/{quote(cloud)}/")

    def drivers(self) -> "list[Json]":
        return list(self.session.pages("drivers/"))

    def images(self, **filters: Any) -> "Iterator[Json]":
        return self._list("images/", filters)

    def flavors(self, **filters: Any) -> "Iterator[Json]":
        return self._list("flavors/", filters)

    def networks(self, **filters: Any) -> "Iterator[Json]":
        return self._list("networks/", filters)

    # What is the person's own

    def keys(self, **filters: Any) -> "Iterator[Json]":
        return self._list("keys/", filters)

    def add_key(self, public_key: str, name: str | None = None) -> "Json":
        return self._send("POST", "keys/", given({"name": name, "public_key": public_key}))

    def delete_key(self, name: str) -> None:
        self.session.send("DELETE", f"keys/{quote(name)}/")

    # Projects and who is in them

    def projects(self, **filters: Any) -> "Iterator[Json]":
        """One's own projects; with joinable="true" those that one may ask to be let into."""
        return self._list("projects/", filters)

    def project(self, name: str = "") -> "Json":
        """A project, or the one where one works unless one says otherwise. Raises NotFound."""
        name = name or self.me()["project"] or ""
        if not name:
            raise NotFound("You are in no active project. Say which one you mean, or ask to join one.")
        return self._get(f"projects/{quote(name)}/")

    def use_project(self, name: str) -> "Json":
        """Work in a project from now on."""
        return self._send("POST", f"projects/{quote(name)}/use/")

    def members(self, project: "Json", **filters: Any) -> "Iterator[Json]":
        return self._list(f"projects/{project['id']}/members/", filters)

    def add_member(self, project: "Json", user: str, role: str | None = None) -> "Json":
        return self._send("POST", f"projects/{project['id']}/members/", given({"user": user, "role": role}))

    def change_role(self, project: "Json", user: str, role: str) -> "Json":
        return self._send("PATCH", f"projects/{project['id']}/members/{quote(user)}/", {"role": role})

    def remove_member(self, project: "Json", user: str) -> None:
        self.session.send("DELETE", f"projects/{project['id']}/members/{quote(user)}/")

    def invitations(self, project: "Json") -> "Iterator[Json]":
        return self._list(f"projects/{project['id']}/invitations/", {})

    def invite(self, project: "Json", **wanted: Any) -> "Json":
        """Invite somebody by email, with a role; without one make a join link for some uses. Both for some days."""
        return self._send("POST", f"projects/{project['id']}/invitations/", given(wanted))

    def ask_to_join(self, project: str, text: str = "") -> "Json":
        return self._send("POST", f"projects/{quote(project)}/requests/", {"text": text})

    # What projects ask of the committee

    def applications(self, **filters: Any) -> "Iterator[Json]":
        """One's own and those of the projects one leads; by any of project, state, kind, applicant, search."""
        return self._list("applications/", given(filters))

    def application(self, id: str) -> "Json":
        return self._get(f"applications/{quote(id)}/")

    def sections(self, kind: str = "new") -> "list[Json]":
        """What an application of this kind asks."""
        found: list[Json] = self._get(f"sections/{quote(kind)}/")["results"]
        return found

    def apply(self, **wanted: Any) -> "Json":
        """A draft for a new project by title and answers; for other kinds by kind, project and answers."""
        return self._send("POST", "applications/", given(wanted))

    def submit_application(self, id: str) -> "Json":
        return self._send("POST", f"applications/{quote(id)}/submit/")

    def withdraw_application(self, id: str, reason: str | None = None) -> "Json":
        return self._send("POST", f"applications/{quote(id)}/withdraw/", given({"reason": reason}))

    # What happens

    def events(self, **filters: Any) -> "Iterator[Json]":
        """What happened in your projects, the newest first."""
        return self._list("events/", filters)

    def usage(self, **asked: Any) -> "Iterator[Json]":
        """What was used, by day, user, cloud or project: any of project, since, until, by."""
        return self.session.pages("usage/", given(asked))

    def operations(self, **filters: Any) -> "Iterator[Json]":
        return self._list("operations/", filters)

    def operation(self, id: str) -> "Json":
        return self._get(f"operations/{quote(id)}/")

    def cancel(self, id: str) -> "Json":
        return self._send("POST", f"operations/{quote(id)}/cancel/")

    def approve(self, id: str) -> "Json":
        """Let somebody else's waiting wish go ahead."""
        return self._send("POST", f"operations/{quote(id)}/approve/")

    def reject(self, id: str, reason: str) -> "Json":
        """Refuse somebody else's waiting wish."""
        return self._send("POST", f"operations/{quote(id)}/reject/", {"reason": reason})
