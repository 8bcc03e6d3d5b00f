"""Doing what a plan says: keys, clouds with their verification, then the defaults that need them."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import TextIO

import click

from cloudmesh.client import Client
from cloudmesh.errors import CloudmeshError
from cloudmesh.imports.found import Default, Key
from cloudmesh.imports.settling import Cloud
from cloudmesh.shell import talk
from cloudmesh.shell.config.planning import LEFT, PER_CLOUD, Plan, Step
from cloudmesh.shell.follow import follow, until
from cloudmesh.types import Json

DONE, FAILED = "done", "refused"
PATIENCE = 30  # seconds for the first reading of a cloud, in which its images come
Secrets = Mapping[tuple[str, str], str]  # cloud and field → value; for any cloud that lacks the field: ""


def secrets_of(file: TextIO | None) -> Secrets:
    """Lines `CLOUD.FIELD=VALUE`, or `FIELD=VALUE` for the only cloud that lacks it. Raises UsageError."""
    secrets = {}
    for line in file.read().splitlines() if file else ():
        name, equals, value = line.partition("=")
        if line.strip() and not equals:
            raise click.UsageError("A secret is written CLOUD.FIELD=VALUE.")  # without the line: it may be a secret
        if line.strip():
            cloud, _, field = name.strip().rpartition(".")
            secrets[cloud, field] = value.strip()
    return secrets


def carry(client: Client, plan: Plan, secrets: Secrets) -> None:
    """Each step ends done, refused or left out; what fails stops nothing else."""
    gathered = [(step, _filled(plan, step, secrets)) for step in plan.new("cloud")]
    for step in plan.new("key"):
        _try(step, functools.partial(_add, client, step))
    wishes = [(step, wish) for step, cloud in gathered if cloud and (wish := _registered(client, plan, step, cloud))]
    for step, wish in wishes:
        _verified(client, step, wish)
    failed = {step.name for step in plan.steps if step.kind == "cloud" and step.state in (FAILED, LEFT)}
    for step in plan.new("default"):
        _set(client, plan, step, failed)


def _filled(plan: Plan, step: Step, secrets: Secrets) -> Cloud | None:
    """The cloud with what its file does not hold; None where nobody can be asked."""
    cloud = step.what
    if not isinstance(cloud, Cloud):
        return None
    lacking = [each.name for each in plan.new("cloud") if each.missing]
    answers: dict[str, str] = {}
    for field in cloud.missing:
        plain = secrets.get(("", field)) if lacking == [step.name] else None
        answer = secrets.get((step.name, field)) or secrets.get((cloud.called, field)) or plain
        if not answer and not talk.can_ask():
            step.state = LEFT
            step.reason = f"{field} is missing, and nobody can answer here. Give it with --secret-file."
            return None
        answers[field] = answer or _asked(plan, cloud, field)
    step.missing = ()
    return dataclasses.replace(cloud, credential={**cloud.credential, **answers})


def _asked(plan: Plan, cloud: Cloud, field: str) -> str:
    declared = plan.drivers[cloud.driver][field]
    who = f" of {cloud.user}" if cloud.user and declared["secret"] else ""
    return talk.ask(f"{cloud.name}: {declared['label']}{who}", secret=declared["secret"])


def _registered(client: Client, plan: Plan, step: Step, cloud: Cloud) -> Json | None:
    """The operation that verifies it; None where the portal refuses it at once."""
    try:
        wish = client.register(
            cloud.name, driver=cloud.driver, credential=dict(cloud.credential), label=cloud.label or None,
            project=plan.project,
        )  # fmt: skip
    except CloudmeshError as error:
        step.state, step.reason = FAILED, error.message
        return None
    operation: Json = wish["operation"]
    return operation


def _verified(client: Client, step: Step, operation: Json) -> None:
    """The portal forgets by itself what a cloud refuses; here its words are told."""
    ended = follow(client, operation)
    is_done = ended["state"] == "succeeded"
    step.state, step.reason = (DONE, ended["step"]) if is_done else (FAILED, ended["reason"])


def _add(client: Client, step: Step) -> None:
    if isinstance(step.what, Key):
        client.add_key(step.what.text, step.what.name)


def _set(client: Client, plan: Plan, step: Step, failed: set[str]) -> None:
    default = step.what
    if not isinstance(default, Default):
        return
    if default.cloud in failed or (default.key == "cloud" and default.value in failed):
        step.state, step.reason = LEFT, f"The cloud {default.cloud or default.value} was not registered."
    elif default.key == "project":
        _try(step, lambda: client.use_project(default.value))
    elif default.key in PER_CLOUD:
        _try(step, lambda: _of_cloud(client, plan, default))
    else:
        _try(step, lambda: client.set_defaults(**{default.key: default.value, "project": plan.project}))


def _of_cloud(client: Client, plan: Plan, default: Default) -> None:
    """Of a cloud that was just registered the first reading is awaited; what is not there then is not there."""
    known = {"flavor": client.flavors, "image": client.images}.get(default.key)
    if known:
        until(client, lambda: any(known(cloud=default.cloud, project=plan.project, page_size=1)), PATIENCE)
    client.set_defaults(**{PER_CLOUD[default.key]: {default.cloud: default.value}, "project": plan.project})


def _try(step: Step, act: Callable[[], object]) -> None:
    try:
        act()
    except CloudmeshError as error:
        step.state, step.reason = FAILED, error.message
    else:
        step.state = DONE
