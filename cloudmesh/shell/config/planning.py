"""What an import would do: each thing that was found, beside what the portal has already."""

import dataclasses
import os
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from cloudmesh.client import Client
from cloudmesh.errors import CloudmeshError, NotFound, near
from cloudmesh.imports.found import Default, Found, Key
from cloudmesh.imports.settling import Cloud, Drivers, settle
from cloudmesh.shell.config import reading
from cloudmesh.types import Json, expand_names

NEW, THERE, LEFT = "new", "there already", "left out"
PER_CLOUD = {"image": "images", "flavor": "flavors", "network": "networks", "login": "logins"}


@dataclasses.dataclass(kw_only=True)
class Step:
    """One thing that was found, what is to become of it, and why not."""

    kind: str
    name: str
    what: Cloud | Key | Default | None = None
    value: str = ""
    user: str = ""
    project: str = ""
    missing: tuple[str, ...] = ()
    state: str = NEW
    reason: str = ""

    @property
    def row(self) -> Json:
        row = {key: value for key, value in vars(self).items() if key != "what"}
        return {**row, "missing": list(self.missing)}


@dataclasses.dataclass(kw_only=True)
class Plan:
    """All steps, in the order in which they are done, in one project."""

    project: str
    drivers: Drivers
    steps: list[Step]

    def new(self, kind: str) -> list[Step]:
        return [step for step in self.steps if step.kind == kind and step.state == NEW]


def plan(client: Client, found: Found, only: Collection[str], project: str | None) -> Plan:
    """Raises NotFound for a cloud that is to be taken and not there, or a project that is not one's own."""
    where = client.project(project or "")["name"]
    drivers = {each["name"]: {field["name"]: field for field in each["fields"]} for each in client.drivers()}
    names = expand_names(*only)
    clouds = _clouds(client, found, names, drivers, where)
    if names:
        chosen = {step.name for step in clouds}
        own = (each for each in found.defaults if _name(clouds, each.cloud) in chosen)
        found = dataclasses.replace(found, keys=(), left=(), defaults=tuple(own))
    mine = {each["name"]: _body(each["public_key"]) for each in list(client.keys())}
    keys = list(_keys(found, mine))
    usable = {step.name for step in keys if step.state != LEFT} | mine.keys()
    defaults = list(_defaults(client, found, clouds, usable, where))
    left = [Step(kind="section", name=each.name, state=LEFT, reason=each.reason) for each in found.left]
    return Plan(project=where, drivers=drivers, steps=[*keys, *clouds, *defaults, *left])


def _clouds(client: Client, found: Found, only: Collection[str], drivers: Drivers, project: str) -> list[Step]:
    there = {each["name"]: each for each in client.clouds(project=project)}
    drafts = [dataclasses.replace(draft, is_idle=False) if only else draft for draft in found.clouds]
    settled = [settle(draft, drivers) for draft in drafts]
    chosen = [cloud for cloud in settled if not only or any(_means(name, cloud) for name in only)]
    for name in only:
        if not any(_means(name, cloud) for cloud in settled):
            known = sorted({cloud.called for cloud in settled})
            raise NotFound(f"The files have no cloud {name}, but {', '.join(known)}.{near(name, known)}")
    return [_cloud(client, cloud, there.get(cloud.name)) for cloud in chosen]


def _means(name: str, cloud: Cloud) -> bool:
    return fnmatchcase(cloud.name, name) or fnmatchcase(cloud.called, name)


def _cloud(client: Client, cloud: Cloud, there: Json | None) -> Step:
    step = Step(
        kind="cloud",
        name=cloud.name,
        what=cloud,
        value=f"{cloud.driver} {cloud.endpoint}".strip(),
        user=cloud.user,
        project=cloud.project,
        missing=cloud.missing,
    )
    if there:
        step.missing = ()
        step.state, step.reason = _compared(cloud, client.cloud(there["id"]))
    elif cloud.reason:
        step.state, step.reason = LEFT, cloud.reason
    else:
        step.what, step.reason = _with_files(cloud)
    return step


def _compared(cloud: Cloud, there: Json) -> tuple[str, str]:
    """Whether a cloud of the same name is the same one."""
    facts: Mapping[str, str] = there["endpoint"]
    differing = (f"{key} {facts[key]}" for key in facts if cloud.credential.get(key, facts[key]) != facts[key])
    differs = next(differing, "") if there["driver"] == cloud.driver else f"the driver {there['driver']}"
    if not differs:
        return THERE, there["reason"]
    return LEFT, f"Another cloud has this name, with {differs}. Rename that one: cm cloud alias {cloud.name} NAME"


def _with_files(cloud: Cloud) -> tuple[Cloud, str]:
    """With the certificates that its file names; one that is not here is gone without, which is said."""
    contents, reason = {}, ""
    for field, path in cloud.files.items():
        try:
            contents[field] = reading.text_of(path)
        except CloudmeshError as error:
            reason = f"{error.message} The certificates that everybody trusts are taken."
    return dataclasses.replace(cloud, credential={**cloud.credential, **contents}), reason


def _keys(found: Found, mine: Mapping[str, str]) -> Iterator[Step]:
    for key in found.keys:
        name = key.name or os.path.basename(key.path).removesuffix(".pub").replace(" ", "-")
        step = Step(kind="key", name=name, value=key.path or "in the file")
        try:
            text = key.text or reading.public_key(key.path)
        except CloudmeshError as error:
            step.state, step.reason = LEFT, error.message
            yield step
            continue
        step.what = dataclasses.replace(key, name=name, text=text)
        if _body(text) in mine.values():
            step.state = THERE
        elif name in mine:
            step.state, step.reason = LEFT, f"You have another key of this name. Add it with: cm key add {key.path}"
        yield step


def _defaults(client: Client, found: Found, clouds: list[Step], keys: Collection[str], project: str) -> Iterator[Step]:
    own = {(each["key"], each["cloud"] or ""): each for each in client.defaults(project=project)}
    left = {step.name for step in clouds if step.state == LEFT}
    usable = {name for _, name in own if name} - left | {step.name for step in clouds} - left
    for default in found.defaults:
        cloud = _name(clouds, default.cloud)
        value = _name(clouds, default.value) if default.key == "cloud" else default.value
        wanted = dataclasses.replace(default, cloud=cloud, value=value)
        label = f"{default.key} on {cloud}" if cloud else default.key
        step = Step(kind="default", name=label, what=wanted, value=value)
        now: Json = own.get((default.key, cloud), {})
        if now.get("source") == "own" and value in (now["value"], now["id"]):
            step.state = THERE
        elif (cloud and cloud not in usable) or (default.key == "cloud" and value not in usable):
            step.state, step.reason = LEFT, _no_cloud(cloud or value, left)
        elif default.key == "key" and value not in keys:
            step.state, step.reason = LEFT, f"No key of yours is called {value}."
        elif default.key == "project":
            step.state, step.reason = _project(client, value, project)
        elif now.get("source") == "own":
            step.reason = f"in place of {now['value']}"
        yield step


def _no_cloud(name: str, left: Collection[str]) -> str:
    return f"The cloud {name} is left out." if name in left else f"No cloud of yours is called {name}."


def _project(client: Client, wanted: str, now: str) -> tuple[str, str]:
    if wanted == now:
        return THERE, ""
    if any(each["name"] == wanted for each in client.projects()):
        return NEW, f"in place of {now}"
    return LEFT, f"You are in no project {wanted} at this portal. Ask to join it: cm project join {wanted}"


def _name(clouds: list[Step], called: str) -> str:
    """What a cloud is called here that a file calls so."""
    known: dict[str, Any] = {step.what.called: step.name for step in clouds if isinstance(step.what, Cloud)}
    return str(known.get(called, called))


def _body(public_key: str) -> str:
    """What tells one key from another, without type and comment."""
    return next((word for word in public_key.split() if word.startswith("AAAA")), public_key)
