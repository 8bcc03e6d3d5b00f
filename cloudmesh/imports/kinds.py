"""Which kind of file a text is, told by what it holds, and what it says."""

import re
from collections.abc import Callable, Mapping

from cloudmesh.errors import Invalid
from cloudmesh.imports import aws, cloudsyaml, openrc, originals, ssh
from cloudmesh.imports.documents import Document, Tree, decoded
from cloudmesh.imports.found import Draft, Found, joined

KINDS = ("cloudmesh", "me", "clouds.yaml", "openrc", "aws", "ssh")
READABLE = (
    "a cloudmesh.yaml or me.yaml of the older Cloudmesh, a clouds.yaml, an openrc, ~/.aws/credentials, "
    "~/.aws/config or ~/.ssh/config"
)
OPENRC = re.compile(r"^\s*(?:export\s+)?OS_[A-Z0-9_]+=", re.MULTILINE)
SECTION = re.compile(r"\s*\[[^\]\n]+\]\s*(?:[#;].*)?")
SSH = re.compile(r"\s*(?:host|match|include|identityfile|user|hostname|port|serveraliveinterval)[ \t=]", re.IGNORECASE)


def read(file: bytes, what: str, kind: str = "") -> Found:
    """What a file says, of the kind that is given or that it looks like. Raises Invalid."""
    if b"\0" in file:
        raise Invalid(f"{what} is no text but binary. What can be imported is {READABLE}.")
    text = decoded(file, what)
    if "PRIVATE KEY-----" in text and not kind:
        raise Invalid(f"{what} holds a private key, of which nothing is read. What can be imported is {READABLE}.")
    if not text.strip():
        raise Invalid(f"{what} is empty. What can be imported is {READABLE}.")
    plain = PLAIN.get(kind or _plain_kind(text))
    return plain(text, what) if plain else _yaml(text, what, kind)


def _plain_kind(text: str) -> str:
    """The kind of what is no YAML."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";"))]
    first = lines[0] if lines else ""
    if SECTION.fullmatch(first):
        return "aws"
    if SSH.match(first) and ":" not in first.split()[0]:
        return "ssh"
    return "openrc" if OPENRC.search(text) and not re.match(r"\s*[\w.-]+\s*:(\s|$)", first) else ""


def _yaml(text: str, what: str, kind: str) -> Found:
    blanked, left = originals.blanked(text, what)
    document = Document(blanked, what)
    root = document.root()
    tree = document.tree(root) if root else {}
    kind = kind or _yaml_kind(tree, what)
    if kind == "clouds.yaml":
        clouds = cloudsyaml.say(text, what)
        return Found(clouds=tuple(Draft(name=name, kind="openstack", said=said) for name, said in clouds.items()))
    return joined([originals.READERS[kind](tree), Found(left=left)])


def _yaml_kind(tree: Tree, what: str) -> str:
    said = tree if isinstance(tree, dict) else {}
    meta, body = said.get("meta"), said.get("cloudmesh")
    told = meta.get("kind", "") if isinstance(meta, dict) else ""
    if told == "me":
        return "me"
    if isinstance(body, dict) and ("clouds" in body or "cloud" in body):
        return "cloudmesh"
    clouds = said.get("clouds")
    if told == "clouds" or (isinstance(clouds, dict) and _has(clouds, "cm_type")):
        return "cloudmesh"
    if isinstance(clouds, dict):
        return "me" if _has(clouds, "credential") else "clouds.yaml"
    if told or isinstance(body, dict):
        about = told or ", ".join(list(body or {})[:3])
        raise Invalid(f"{what} is a file of the older Cloudmesh about {about}, which holds no clouds of yours.")
    raise Invalid(f"{what} is no file that can be imported. Such is {READABLE}. --kind says which, where I am wrong.")


def _has(clouds: Mapping[str, Tree], name: str) -> bool:
    return any(isinstance(said, dict) and name in said for said in clouds.values())


def _openrc(text: str, what: str) -> Found:
    name, said = openrc.say(text)
    return Found(clouds=(Draft(name=name, kind="openstack", said=said),))


PLAIN: Mapping[str, Callable[[str, str], Found]] = {"openrc": _openrc, "aws": aws.read, "ssh": ssh.read}
