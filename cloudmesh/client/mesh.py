"""All clouds of a portal in the words of Cloudmesh's Python API; answers are plain dicts.

    import cloudmesh

    mesh = cloudmesh.mesh()
    mesh.activate(cloudmesh.load().username())
    server = mesh.start("india")
    print(mesh.wait(server)["addresses"])

A server is named by its name, its id or its dict. Lists are dicts: cloud → id → record. RAM is in MiB, disk in GiB,
times are ISO 8601 in UTC. Whatever goes wrong is raised as one of `cloudmesh.errors`.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cloudmesh.client import Client
from cloudmesh.errors import Ambiguous, CloudmeshError, NotAllowed, NotFound, near

if TYPE_CHECKING:
    from cloudmesh.types import Json

    Records = dict[str, dict[str, Json]]  # by cloud and id
    Thing = str | Json

PER_CLOUD = {"image": "images", "flavor": "flavors", "network": "networks", "login": "logins"}


class Mesh:
    """One person's clouds; `client` can do all else that the portal can."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __repr__(self) -> str:
        return f"<Mesh at {self.client.session.portal.url}>"

    # -- clouds ------------------------------------------------------------------------------------------------

    def activate(self, username: str = "", names: Iterable[str] = ()) -> "list[Json]":
        """Begin to work as `username`, with the clouds in `names` switched on; answers the clouds that are on.

        Raises NotAllowed where the token is somebody else's, NotFound for a cloud that there is not.
        """
        me = self.client.me()["username"]
        if username not in ("", me):
            raise NotAllowed(f"You are signed in as {me}, not as {username}. Sign in with: cm login")
        for name in names:
            self.client.switch(name, on=True)
        return [cloud for cloud in self.client.clouds() if cloud["is_active"]]

    def clouds(self) -> "dict[str, Json]":
        """Your clouds by name, with their health and how full they are."""
        return {cloud["name"]: cloud for cloud in self.client.clouds()}

    def refresh(self, username: str = "", names: Iterable[str] = ()) -> "dict[str, Json]":
        """Have these clouds, or all that are on, read anew; answers them at once, the news come with the reading."""
        wanted = list(names) or [cloud["name"] for cloud in self.activate(username)]
        return {name: self.client.refresh(name) for name in wanted}

    def limits(self, clouds: "str | Iterable[str]" = ()) -> "dict[str, Json]":
        """What each cloud lets you have and what is used of it: cloud → resource → {used, limit}."""
        wanted = _names(clouds)
        return {name: cloud["limits"] for name, cloud in self.clouds().items() if not wanted or name in wanted}

    def quota(self, project: str = "") -> "list[Json]":
        """The portal's own limits of a project, or the one where you work, and what is taken of each."""
        return self.client.quotas(self.client.project(project))

    def usage(self, **asked: Any) -> "list[Json]":
        """Core-, memory-, disk- and node-hours, by day or what `by` says; any of project, since, until, by."""
        return list(self.client.usage(**asked))

    # -- what clouds have --------------------------------------------------------------------------------------

    def servers(self, clouds: "str | Iterable[str]" = (), **filters: Any) -> "Records":
        """The servers of these clouds, or of all; filters as those of `Client.servers`."""
        return _by_cloud(self.client.servers(cloud=_names(clouds), **filters))

    def images(self, clouds: "str | Iterable[str]" = (), **filters: Any) -> "Records":
        return _by_cloud(self.client.images(cloud=_names(clouds), **filters))

    def flavors(self, clouds: "str | Iterable[str]" = (), **filters: Any) -> "Records":
        return _by_cloud(self.client.flavors(cloud=_names(clouds), **filters))

    def image(self, cloud: str, name: str) -> "Json":
        """An image by name or id, with its cloud's own document as `native`. Raises NotFound, Ambiguous."""
        return self._held("images", cloud, name)

    def flavor(self, cloud: str, name: str) -> "Json":
        """A flavor by name or id, with its cloud's own document as `native`. Raises NotFound, Ambiguous."""
        return self._held("flavors", cloud, name)

    def server(self, server: "Thing", cloud: str = "") -> "Json":
        """A server with its events, operations and its cloud's own document. Raises NotFound, Ambiguous."""
        return self.client.server(self._pick(server, cloud)[0]["id"])

    # -- what the next boot takes ------------------------------------------------------------------------------

    def default(self, cloud: str = "", kind: str = "", value: str | None = None) -> Any:
        """All defaults by kind, one of them, or that one changed to `value`; empty removes it.

        Kinds are cloud, key, group, prefix, security_group and, for each cloud, image, flavor, network, login.
        Without `cloud` those of your default cloud are meant.
        """
        if value is not None:
            cloud = cloud or (self.default()["cloud"] if kind in PER_CLOUD else "")
            changed = {PER_CLOUD[kind]: {cloud: value}} if kind in PER_CLOUD else {kind: value}
            self.client.set_defaults(**changed)
        rows = self.client.defaults()
        cloud = cloud or next((row["value"] for row in rows if row["key"] == "cloud"), "")
        known = {row["key"]: row["value"] for row in rows if row["cloud"] in (None, cloud)}
        if kind and kind not in known:
            raise NotFound(f"There is no default {kind}.{near(kind, known)} There are: {', '.join(known)}.")
        return known[kind] if kind else known

    def vmname(self, prefix: str | None = None) -> str:
        """The name that the next boot gets; `prefix` changes how it begins."""
        if prefix is not None:
            self.default(kind="prefix", value=prefix)
        return str(self.client.next_boot()["name"])

    # -- servers -----------------------------------------------------------------------------------------------

    def boot(self, cloud: str | None = None, count: int = 1, **wanted: Any) -> "list[Json]":
        """Wish for servers; what is not said comes from the defaults. Answers them while they are being built.

        `wanted` is any of name (a hostlist), image, flavor, key, network, group, project, security_group.
        Raises PolicyDenied, QuotaExceeded, NotFound, Ambiguous.
        """
        booted: list[Json] = self.client.boot(cloud=cloud, count=count, **wanted)["servers"]
        return booted

    def start(self, cloud: str | None = None, prefix: str = "", index: int | None = None, **wanted: Any) -> "Json":
        """Wish for one server, named `prefix_index` if both are given; else as `boot`."""
        if prefix and index is not None:
            wanted["name"] = f"{prefix}_{index}"
        return self.boot(cloud, **wanted)[0]

    def stop(self, server: "Thing", cloud: str = "") -> "list[Json]":
        """Wish that servers (a name, hostlist or globs) are stopped; answers them."""
        return self._act("stop", server, cloud)

    def delete(self, server: "Thing", cloud: str = "") -> "list[Json]":
        """Wish that servers (a name, hostlist or globs) are deleted; answers them."""
        return self._act("delete", server, cloud)

    def rename(self, server: "Thing", name: str, cloud: str = "") -> "Json":
        """Give a server another name, here and at its cloud; answers it when that is done."""
        return self.wait(self.client.rename(self._pick(server, cloud)[0], name)["servers"][0])

    def assign_public_ip(self, server: "Thing", cloud: str = "") -> str:
        """Give a server a public address, wait for it and answer it."""
        picked = self._pick(server, cloud)[0]
        self.client.wait(self.client.assign_ip(picked))
        addresses: list[str] = self.client.server(picked["id"])["public_addresses"]
        if not addresses:
            raise CloudmeshError(f"{picked['name']} has no public address, though its cloud said that it gave one.")
        return addresses[-1]

    def wait(self, server: "Thing", timeout: float | None = None) -> "Json":
        """The server when what is being done with it is done: on the live stream, never by asking again and again.

        Raises what that failed with, or Busy after `timeout` seconds.
        """
        now = self.client.server(self._pick(server, "")[0]["id"])
        if now["operation"]:
            self.client.wait(now["operation"], timeout)
        return self.client.server(now["id"])

    def ssh_execute(self, server: "Thing", command: str, username: str = "", timeout: float = 60.0) -> str:
        """What `command` prints on a server; by the ssh of this machine, as its image's user unless you say whom.

        Raises CloudmeshError with what it says where it fails, Busy where it takes longer than `timeout` seconds.
        """
        from cloudmesh.client.remote import execute

        picked = self.server(server)
        return execute(picked, command, username or self._login(picked), timeout)

    def _login(self, server: "Json") -> str:
        images = self.client.images(cloud=server["cloud"], name=server["image"])
        return next((str(image["login"]) for image in images), "")

    def _act(self, action: str, server: "Thing", cloud: str) -> "list[Json]":
        done: list[Json] = self.client.act(action, self._pick(server, cloud))["servers"]
        return done

    def _pick(self, server: "Thing", cloud: str) -> "list[Json]":
        """At least one server."""
        if isinstance(server, dict):
            return [server]
        return self.client.select(server, **({"cloud": cloud} if cloud else {}))

    def _held(self, kind: str, cloud: str, name: str) -> "Json":
        """An image or a flavor, whole."""
        offered = list(self.client._list(f"{kind}/", {"cloud": self.client.cloud(cloud)["name"]}))
        found = [each for each in offered if name in (each["name"], each["id"], each["provider_id"])]
        if not found:
            hint = near(name, (each["name"] for each in offered))
            raise NotFound(
                f"{cloud} has no {kind[:-1]} {name}.{hint} All are listed by: cm {kind[:-1]} list", name=name
            )
        if len(found) > 1:
            ids = ", ".join(each["provider_id"] for each in found)
            raise Ambiguous(f"{len(found)} {kind} of {cloud} are named {name}. Take one by its id: {ids}", name=name)
        return self.client._get(f"{kind}/{found[0]['id']}/")


def _names(clouds: "str | Iterable[str]") -> str:
    return clouds if isinstance(clouds, str) else ",".join(clouds)


def _by_cloud(records: "Iterator[Json]") -> "Records":
    found: Records = {}
    for record in records:
        found.setdefault(record["cloud"], {})[record["id"]] = record
    return found
