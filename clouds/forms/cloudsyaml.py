"""Reading `clouds.yaml`, the file in which OpenStack's own tools keep their clouds.

Nothing in it is constructed or converted: values stay the text they are, so that a password of digits stays one.
"""

from typing import Any

import yaml

from cloudmesh.errors import Invalid, near
from clouds.forms.openstack_entry import Entry, entry

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML was built with it
FIELD = "clouds_yaml"
LARGEST = 256 * 1024  # bytes
DEEPEST = 16
EXAMPLE = "It should begin with `clouds:`, then a name, then `auth:` with auth_url, username and project_name."


def read(file: str | bytes) -> tuple[Entry, ...]:
    """The clouds of a file in its order; raises Invalid with the line that is wrong."""
    text = _text(file)
    try:
        _refuse_tricks(text)
        root = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _invalid(f"{error.problem or error.context}. Correct it there.", mark) from None
    except yaml.YAMLError as error:
        raise Invalid(
            f"This is no clouds.yaml: it holds characters that are no text. {EXAMPLE}", field=FIELD
        ) from error
    clouds = _pairs(root, "the file").get("clouds") if root else None
    if clouds is None:
        raise Invalid(f"This is no clouds.yaml: it has no `clouds`. {EXAMPLE}", field=FIELD)
    return tuple(_entry(name, node) for name, node in _pairs(clouds, "`clouds`").items())


def choose(entries: tuple[Entry, ...], name: str = "") -> Entry:
    """The entry of that name, or the only one; raises Invalid, also where the entry cannot be used."""
    names = [entry.name for entry in entries]
    if not entries:
        raise Invalid(f"This clouds.yaml names no cloud. {EXAMPLE}", field=FIELD)
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


def _text(file: str | bytes) -> str:
    if len(file) > LARGEST:
        raise Invalid(f"A clouds.yaml has at most {LARGEST // 1024} KiB; this is another file.", field=FIELD)
    try:
        return file.decode("utf-8-sig") if isinstance(file, bytes) else file.removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise Invalid("This is no clouds.yaml: it is not text in UTF-8.", field=FIELD) from None


def _refuse_tricks(text: str) -> None:
    """Aliases can make a small file enormous, deep nesting can exhaust the reader; no clouds.yaml needs either."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise _invalid(f"the alias *{event.anchor} is not read here. Write the values out.", event.start_mark)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _invalid("it is nested too deeply for a clouds.yaml.", event.start_mark)


def _pairs(node: yaml.Node, what: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _invalid(f"{what} should be lines of `name: value`. {EXAMPLE}", node.start_mark)
    return {_scalar(key, "a name"): value for key, value in node.value}


def _scalar(node: yaml.Node, what: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _invalid(f"{what} should be a single value.", node.start_mark)
    return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)


def _entry(name: str, node: yaml.Node) -> Entry:
    if not name:
        raise _invalid("a cloud needs a name.", node.start_mark)
    said = _pairs(node, f"the cloud {name}")
    auth = _pairs(said.pop("auth"), f"`auth` of {name}") if "auth" in said else {}
    regions = said.pop("regions", None)
    flat = {key: _scalar(value, f"`{key}` of {name}") for key, value in auth.items()}
    flat |= {key: _scalar(value, "") for key, value in said.items() if isinstance(value, yaml.ScalarNode)}
    if regions and "region_name" not in flat:
        flat["region_name"] = _first_region(regions)
    return entry(name, flat)


def _first_region(node: yaml.Node) -> str:
    """Regions are a list of names, or of `name:` with settings."""
    first = node.value[0] if isinstance(node, yaml.SequenceNode) and node.value else node
    if isinstance(first, yaml.MappingNode):
        first = _pairs(first, "a region").get("name", first)
    return _scalar(first, "a region's name")


def _invalid(words: str, mark: Any) -> Invalid:
    line = mark.line + 1 if mark else 0
    return Invalid(f"Line {line} of this clouds.yaml: {words}", field=FIELD, line=line)
