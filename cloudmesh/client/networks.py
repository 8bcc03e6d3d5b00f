"""Networks, security groups and public addresses."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cloudmesh.client.asking import Asking, batches, given
from cloudmesh.client.http import quote

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Networks(Asking):
    """The methods of `Client` about what is around servers; each change answers `{operation}`."""

    def networks(self, **filters: Any) -> "Iterator[Json]":
        """Networks, by any of name (a hostlist or globs), cloud, project, search."""
        return self._list("networks/", given(filters))

    def network(self, name: str, **filters: Any) -> "Json":
        """One network by name or id, with its cloud's own document. Raises NotFound, Ambiguous."""
        return self._whole("networks/", "network", name, filters)

    # Security groups

    def security_groups(self, **filters: Any) -> "Iterator[Json]":
        """Security groups with their rules, by any of name, cloud, project, owner, search."""
        return self._list("security-groups/", given(filters))

    def security_group(self, name: str, **filters: Any) -> "Json":
        """One security group by name or id, with its cloud's own document. Raises NotFound, Ambiguous."""
        return self._whole("security-groups/", "security group", name, filters)

    def select_security_groups(self, *hostlists: str, **filters: Any) -> "list[Json]":
        """The security groups that hostlists and globs name. Raises NotFound, Ambiguous, as `select` does."""
        return self._chosen("security-groups/", "security group", hostlists, filters)

    def create_security_group(self, name: str, rules: Iterable[str] = (), **where: Any) -> "Json":
        """Wish for a security group with rules such as tcp:22 or ssh; `where` is a cloud and a project."""
        return self._send("POST", "security-groups/", {"name": name, "rules": list(rules), **given(where)})

    def change_rules(self, group: "Json", *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> "Json":
        """Wish that a security group has some rules, and others not any more."""
        wanted = {"add": list(add), "remove": list(remove)}
        return self._send("PATCH", f"security-groups/{quote(group['id'])}/", wanted)

    def delete_security_groups(self, groups: "Iterable[Json]") -> "Json":
        """Wish that these security groups, which no server uses, are no more."""
        return self._send("POST", "security-groups/delete/", {"groups": [group["id"] for group in groups]})

    # Public addresses

    def addresses(self, **filters: Any) -> "Iterator[Json]":
        """Public addresses, by any of name (the address), used, cloud, project, owner, search."""
        return self._list("addresses/", given(filters))

    def select_addresses(self, *hostlists: str, **filters: Any) -> "list[Json]":
        """The addresses that are named. Raises NotFound, Ambiguous, as `select` does."""
        return self._chosen("addresses/", "address", hostlists, filters)

    def reserve_addresses(self, **wanted: Any) -> "Json":
        """Wish for public addresses, to be given to servers later; by any of count, cloud, project."""
        return self._send("POST", "addresses/", given(wanted))

    def release_addresses(self, addresses: "Iterable[Json]", *, is_used: bool = False) -> "Json":
        """Wish that addresses are given back; those that servers have only where `is_used`."""
        wanted = {"addresses": [address["id"] for address in addresses], "is_used": is_used}
        return self._send("POST", "addresses/release/", wanted)

    def _whole(self, path: str, kind: str, name: str, filters: "Json") -> "Json":
        """With what only the answer about a single one tells."""
        from cloudmesh.errors import Invalid

        found = self._chosen(path, kind, [name], filters)
        if len(found) != 1:
            raise Invalid(f"{name} means {len(found)} {kind}s; one is shown at a time.")
        return self._get(f"{path}{quote(found[0]['id'])}/")

    def _chosen(self, path: str, kind: str, hostlists: Iterable[str], filters: "Json") -> "list[Json]":
        from cloudmesh.client.asking import ID
        from cloudmesh.client.selection import pick

        wanted = set(hostlists)
        ids = [name for name in wanted if ID.fullmatch(name)]
        found = [self._get(f"{path}{quote(id)}/") for id in ids]
        for names in batches(wanted.difference(ids)):
            found += self._list(path, {**given(filters), "name": names})

        def known() -> "Iterator[str]":
            return (_named(each)["name"] for each in self._list(path, given(filters)))

        return pick(hostlists, [_named(each) for each in found], known, kind)


def _named(record: "Json") -> "Json":
    """An address is called as it is."""
    return record if "name" in record else {**record, "name": record["address"]}
