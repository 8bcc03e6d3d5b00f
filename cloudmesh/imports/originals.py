"""The files of the older Cloudmesh: cloudmesh.yaml of 1.x, 4.1 and V4, and me.yaml.

Their structure, as it was found there: clouds have a type, a credential of OS_… or EC2_… names, and defaults.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from cloudmesh.errors import Invalid
from cloudmesh.imports.documents import ENDS, Tree, masked
from cloudmesh.imports.found import BLANK, Default, Draft, Found, Key, Left, is_given

PLACE = re.compile(r"\{\{[^{}\n]*\}\}")
STATEMENT = re.compile(r"\{%.*?%\}")
REFERENCE = re.compile(r"\{(cloudmesh(?:\.[\w-]+)+)\}")  # V4 fills these from the file itself
OF_CLOUD = {
    "image": "image",
    "flavor": "flavor",
    "size": "flavor",
    "network": "network",
    "username": "login",
    "user": "login",
}
OF_ALL = {"cloud": "cloud", "group": "group", "prefix": "prefix", "key": "key", "secgroup": "security_group"}
USED = frozenset(
    ("meta", "version", "clouds", "cloud", "active", "keys", "projects", "defaults", "default", "group", "prefix")
)
OLD_SHELL = "It was for the older shell; cm has options and defaults of its own."
ACCOUNT = "Who you are comes from your account at the portal."
ELSEWHERE = {
    "profile": ACCOUNT,
    "username": ACCOUNT,
    "github": "The portal asks GitHub for nothing.",
    "portal": "Which portal is meant is said by: cm login URL",
    "hpc": "HPC clusters come with the portal, not from a person's file.",
    "comet": "Comet's virtual clusters have no driver here.",
    "launcher": "Recipes of the launcher have no place here.",
    "security": "Rules are of the security groups at each cloud; the portal makes one that opens SSH.",
    "data": "The portal has a database of its own.",
    "server": "How a portal runs is said by its administrators; see docs/howto/standalone.md.",
    "inventory": "Machines come with the portal, not from a person's file.",
    "system": OLD_SHELL,
    "shell": OLD_SHELL,
    "logging": OLD_SHELL,
    "plugins": OLD_SHELL,
    "variables": OLD_SHELL,
    "storage": "Storage services have no driver here.",
}


def blanked(text: str, what: str) -> tuple[str, tuple[Left, ...]]:
    """The text with a blank at each `{{…}}` of a template, and a word about them. Raises Invalid for a `{%…%}`."""
    lines = ENDS.split(text)
    for number, line in enumerate(lines, 1):
        if STATEMENT.search(line):
            raise Invalid(
                f"Line {number} of {what} is an instruction of a template ({{% … %}}), which is not run here. Give the "
                "file that was made from the template.",
                line=number,
                hint=masked(lines, number),
            )
    places = [number for number, line in enumerate(lines, 1) if PLACE.search(line)]
    if not places:
        return text, ()
    where = f"line {places[0]}" if len(places) == 1 else f"{len(places)} lines, the first is {places[0]}"
    reason = f"A template would fill them ({where} of {what}); they are missing here. Give me.yaml beside it."
    return PLACE.sub(lambda place: BLANK * len(place[0]), text), (Left(name="{{ }}", reason=reason),)


def read(tree: Tree) -> Found:
    """What a cloudmesh.yaml of any age holds."""
    body = _resolved(_dict(tree).get("cloudmesh", tree), tree)
    clouds = _dict(body.get("cloud") or body.get("clouds"))
    draft = _new_draft if body.get("cloud") else _old_draft
    active = [name for name in _list(body.get("active")) if name in clouds]
    drafts = tuple(draft(name, _dict(said), active) for name, said in clouds.items())
    return Found(
        clouds=drafts,
        keys=tuple(_keys(body)),
        defaults=(*_defaults(body, active), *_of_clouds(clouds)),
        left=tuple(_left(body)),
    )


def read_me(tree: Tree) -> Found:
    """What a me.yaml holds: credentials without the addresses of their clouds, which are in cloudmesh.yaml."""
    body = _dict(tree)
    return Found(
        clouds=tuple(_my_draft(name, _dict(said)) for name, said in _dict(body.get("clouds")).items()),
        keys=tuple(_keys(body)),
        defaults=tuple(_defaults(body, [])),
        left=tuple(_left(body)),
    )


def _old_draft(name: str, said: Mapping[str, Tree], active: list[str]) -> Draft:
    """1.x and 4.1: everything that is not the credential begins with cm_."""
    return Draft(
        name=name,
        kind=_text(said, "cm_type").lower(),
        said={**_flat(said.get("credentials")), **_flat({"cm_openrc": said.get("cm_openrc")})},
        label=_text(said, "cm_heading") or _text(said, "cm_label"),
        version=_text(said, "cm_type_version"),
        is_idle=bool(active) and name not in active,
    )


def _new_draft(name: str, said: Mapping[str, Tree], active: list[str]) -> Draft:
    """V4: what is not the credential stands below `cm`."""
    about = _dict(said.get("cm"))
    return Draft(
        name=name,
        kind=_text(about, "kind").lower(),
        said=_flat(said.get("credentials")),
        label=_text(about, "heading") or _text(about, "label"),
        version=_text(about, "version"),
        is_idle=_text(about, "active").lower() in ("false", "no", "0"),
    )


def _my_draft(name: str, said: Mapping[str, Tree]) -> Draft:
    user = {"username": said["username"]} if is_given(said.get("username")) else {}
    return Draft(name=name, said={**user, **_flat(said.get("credential") or said.get("credentials"))})


def _flat(said: Tree) -> dict[str, str]:
    """The values that are given, those of `auth` among the others, as V4 has them."""
    pairs = _dict(said)
    pairs = {**{key: value for key, value in pairs.items() if key != "auth"}, **_dict(pairs.get("auth"))}
    return {key: value.strip() for key, value in pairs.items() if is_given(value)}


def _keys(body: Mapping[str, Tree]) -> Iterator[Key]:
    for name, said in _dict(_dict(body.get("keys")).get("keylist")).items():
        if is_given(said):
            yield Key(name=name, text=said) if said.startswith(("ssh-", "ecdsa-", "sk-")) else Key(name=name, path=said)
    if path := _text(_dict(body.get("profile")), "publickey"):
        yield Key(name="", path=path)


def _defaults(body: Mapping[str, Tree], active: list[str]) -> Iterator[Default]:
    said = {**body, "cloud": "", "key": "", **_dict(body.get("defaults")), **_dict(body.get("default"))}
    found: Iterable[tuple[str, Tree]] = (
        *((key, said.get(name)) for name, key in OF_ALL.items()),
        ("cloud", active[0] if active else ""),
        ("key", _dict(body.get("keys")).get("default")),
        ("project", _dict(body.get("projects")).get("default") or said.get("project")),
    )
    return (Default(key=key, value=value) for key, value in found if is_given(value))


def _of_clouds(clouds: Mapping[str, Tree]) -> Iterator[Default]:
    for cloud, said in clouds.items():
        for name, value in _dict(_dict(said).get("default")).items():
            if name in OF_CLOUD and is_given(value):
                yield Default(key=OF_CLOUD[name], value=value, cloud=cloud)


def _left(body: Mapping[str, Tree]) -> Iterator[Left]:
    for name in body:
        if name not in USED and body[name]:
            yield Left(name=name, reason=ELSEWHERE.get(name, "Nothing here is called so."))


def _resolved(tree: Tree, root: Tree) -> Tree:
    """With what `{cloudmesh.profile.user}` and the like name put in their place, once."""
    if isinstance(tree, dict):
        return {key: _resolved(value, root) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_resolved(value, root) for value in tree]
    return REFERENCE.sub(lambda named: _named(root, named[1]), tree)


def _named(root: Tree, path: str) -> str:
    for name in path.split("."):
        root = _dict(root).get(name)
    return root if isinstance(root, str) and not REFERENCE.search(root) else BLANK


def _dict(tree: Tree) -> dict[str, Tree]:
    return tree if isinstance(tree, dict) else {}


def _list(tree: Tree) -> list[str]:
    return [each for each in tree if isinstance(each, str)] if isinstance(tree, list) else []


def _text(said: Mapping[str, Tree], name: str) -> str:
    value = said.get(name)
    return str(value).strip() if is_given(value) else ""


READERS: Mapping[str, Callable[[Tree], Found]] = {"cloudmesh": read, "me": read_me}
