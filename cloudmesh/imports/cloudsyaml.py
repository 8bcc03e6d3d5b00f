"""Reading `clouds.yaml`, the file in which OpenStack's own tools keep their clouds."""

import yaml

from cloudmesh.errors import Invalid, near
from cloudmesh.imports.documents import Document, decoded
from cloudmesh.imports.openstack_entry import Entry, entry

FIELD = "clouds_yaml"
WHAT = "this clouds.yaml"
EXAMPLE = " It should begin with `clouds:`, then a name, then `auth:` with auth_url, username and project_name."


def read(file: str | bytes) -> tuple[Entry, ...]:
    """The clouds of a file in its order; raises Invalid with the line that is wrong."""
    return tuple(entry(name, said) for name, said in say(file).items())


def say(file: str | bytes, what: str = WHAT) -> dict[str, dict[str, str]]:
    """What a file says of each cloud, as it spells it; raises Invalid with the line that is wrong."""
    document = Document(decoded(file, what, FIELD), what, FIELD)
    root = document.root()
    clouds = document.pairs(root, "the file", EXAMPLE).get("clouds") if root else None
    if clouds is None:
        raise Invalid(f"This is no clouds.yaml: it has no `clouds`.{EXAMPLE}", field=FIELD)
    named = document.pairs(clouds, "`clouds`", EXAMPLE)
    return {name: _said(document, name, node) for name, node in named.items()}


def choose(entries: tuple[Entry, ...], name: str = "") -> Entry:
    """The entry of that name, or the only one; raises Invalid, also where the entry cannot be used."""
    names = [entry.name for entry in entries]
    if not entries:
        raise Invalid(f"This clouds.yaml names no cloud.{EXAMPLE}", field=FIELD)
    if not name and len(entries) > 1:
        raise Invalid(f"This clouds.yaml has several clouds: {', '.join(names)}. Say which one.", field="cloud")
    if name and name not in names:
        raise Invalid(
            f"This clouds.yaml has no cloud {name}, but {', '.join(names)}.{near(name, names)}",
            field="cloud",
            near=names,
        )
    chosen = next(entry for entry in entries if name in ("", entry.name))
    if chosen.problem:
        raise Invalid(f"The cloud {chosen.name} cannot be used. {chosen.problem}", field=FIELD)
    return chosen


def _said(document: Document, name: str, node: yaml.Node) -> dict[str, str]:
    if not name:
        raise document.wrong("a cloud needs a name.", node.start_mark)
    said = document.pairs(node, f"the cloud {name}", EXAMPLE)
    auth = document.pairs(said.pop("auth"), f"`auth` of {name}", EXAMPLE) if "auth" in said else {}
    regions = said.pop("regions", None)
    flat = {key: document.scalar(value, f"`{key}` of {name}") for key, value in auth.items()}
    flat |= {key: document.scalar(value, "") for key, value in said.items() if isinstance(value, yaml.ScalarNode)}
    if regions and "region_name" not in flat:
        flat["region_name"] = _first_region(document, regions)
    return flat


def _first_region(document: Document, node: yaml.Node) -> str:
    """Regions are a list of names, or of `name:` with settings."""
    first = node.value[0] if isinstance(node, yaml.SequenceNode) and node.value else node
    if isinstance(first, yaml.MappingNode):
        first = document.pairs(first, "a region").get("name", first)
    return document.scalar(first, "a region's name")
