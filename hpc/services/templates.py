"""Jobs that a project saved: a script with parameters, and what it asks for.

A parameter is given to the script as a variable, quoted for the shell; nothing is put into its text.
"""

import dataclasses
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotAllowed, near
from cloudmesh.types import Json
from hpc.models import Template
from projects import access
from projects.models import Project

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}\Z")
MOST_PARAMETERS, LONGEST_VALUE, LARGEST_SCRIPT = 40, 4096, 2**20
WANTED = ("cluster", "queue", "account", "qos", "nodes", "tasks", "cores", "gpus", "memory", "walltime", "array")
TEXTS = frozenset({"cluster", "queue", "account", "qos", "array"})  # of these; the others are whole numbers


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


#: What a parameter says of itself beside name and type → whether it can be that.
DECLARED: Mapping[str, Callable[[Any], bool]] = {
    "label": lambda value: isinstance(value, str),
    "default": lambda value: isinstance(value, str | int | float),
    "choices": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    "least": _is_number,
    "most": _is_number,
    "required": lambda value: isinstance(value, bool),
}
TYPES = ("text", "integer", "number", "boolean", "choice")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Filled:
    """What a template comes to with values for its parameters."""

    script: str
    wanted: Mapping[str, Any]


@transaction.atomic
def save_template(
    *,
    actor: User,
    project: Project,
    name: str,
    script: str,
    label: str = "",
    parameters: Sequence[Json] = (),
    wanted: Mapping[str, Any] | None = None,
    locked: Sequence[str] = (),
) -> Template:
    """Save a job under a name, or change the one of that name. Raises NotAllowed, Invalid, Conflict.

    What leaders locked nobody else changes, here or when a job is made of it.
    """
    access.require(actor, "template.create", project)
    known = Template.objects.filter(project=project, name=name).first()
    if known:
        access.permitted(known, actor=actor, permission="template.change")
    if list(locked) != (known.locked if known else []):
        access.require(actor, "template.lock", project)
    facts = {
        "label": label[:200],
        "script": _script(script),
        "parameters": [_parameter(each) for each in parameters[: MOST_PARAMETERS + 1]],
        "wanted": _wanted(wanted or {}),
        "locked": [_locked(each, parameters) for each in locked],
    }
    _check_locks(actor, project, known, facts)
    return _store(known or Template(project=project, name=_name(name), owner=actor), facts, actor)


@transaction.atomic
def delete_template(*, actor: User, template: Template) -> None:
    """Forget a template; jobs made of it stay. Raises NotAllowed."""
    access.permitted(template, actor=actor, permission="template.change")
    _note(template, "deleted", actor)
    template.delete()


def fill_template(
    *, actor: User, template: Template, values: Mapping[str, Any] | None = None, wanted: Mapping[str, Any] | None = None
) -> Filled:
    """The script with its parameters set, and what it asks for. Raises NotAllowed, Invalid with the field."""
    access.permitted(template, actor=actor, permission="template.view")
    given, more = dict(values or {}), {name: value for name, value in (wanted or {}).items() if value not in (None, "")}
    known = [str(each["name"]) for each in template.parameters]
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise Invalid(f"{template} has no parameter {unknown[:40]!r}.{near(unknown[:40], known)}", field=unknown[:40])
    for name in {*given, *more}.intersection(template.locked):
        raise NotAllowed(f"{name} is locked in the template {template}; ask a lead or manager of {template.project}.")
    return Filled(script=filled_script(template, given), wanted=dict(template.wanted) | more)


def filled_script(template: Template, values: Mapping[str, Any]) -> str:
    """The script with its parameters set below its directives. Raises Invalid with the field."""
    lines = [_assignment(each, values.get(each["name"])) for each in template.parameters]
    first, _, rest = template.script.partition("\n")
    head, body = (first, rest) if first.startswith("#!") else ("#!/bin/bash", template.script)
    directives, commands = _directives(body)
    return "\n".join([head, *directives, *lines, commands])


def _directives(body: str) -> tuple[list[str], str]:
    """The comment lines at the top stay there: schedulers read their directives only before the first command."""
    lines = body.split("\n")
    count = next((number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    return lines[:count], "\n".join(lines[count:])


def _assignment(parameter: Json, value: Any) -> str:
    name = str(parameter["name"])
    return f"export {name}={shlex.quote(_value(parameter, parameter.get('default') if value is None else value))}"


def _value(parameter: Json, value: Any) -> str:
    """A value as text, of the parameter's type and in its bounds. Raises Invalid."""
    name, kind = str(parameter["name"]), parameter.get("type", "text")
    if isinstance(value, list | dict):
        raise Invalid(f"{name} is one value, not {str(value)[:40]!r}.", field=name)
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    if not text and parameter.get("required"):
        raise Invalid(f"{parameter.get('label') or name} is missing.", field=name)
    if len(text) > LONGEST_VALUE or "\0" in text:
        raise Invalid(f"{name} has at most {LONGEST_VALUE} characters and no NUL.", field=name)
    if text and kind in ("integer", "number"):
        _check_number(parameter, text)
    if text and kind == "boolean" and text not in ("true", "false"):
        raise Invalid(f"{name} is true or false, not {text[:40]!r}.", field=name)
    if text and kind == "choice" and text not in parameter.get("choices", []):
        raise Invalid(f"{name} is one of {', '.join(parameter['choices'])}, not {text[:40]!r}.", field=name)
    return text


def _check_number(parameter: Json, text: str) -> None:
    name, whole = str(parameter["name"]), parameter["type"] == "integer"
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        raise Invalid(f"{name} is a {'whole ' if whole else ''}number, not {text[:40]!r}.", field=name) from None
    least, most = parameter.get("least"), parameter.get("most")
    if (least is not None and number < least) or (most is not None and number > most):
        raise Invalid(f"{name} is from {least} to {most}, not {text[:40]}.", field=name)


# -- checking what is saved ------------------------------------------------------------------------------------


def _name(name: str) -> str:
    if not NAME.match(name):
        raise Invalid(f"{name[:64]!r} cannot be a template's name: lower-case letters, digits, - and _.", field="name")
    return name


def _script(script: str) -> str:
    if not script.strip() or len(script.encode()) > LARGEST_SCRIPT:
        raise Invalid(f"A template has a script of at most {LARGEST_SCRIPT} bytes.", field="script")
    return script


def _parameter(given: Json) -> Json:
    """A parameter whose default is one of its values. Raises Invalid."""
    name, kind = str(given.get("name", "")), str(given.get("type") or "text")
    if not VARIABLE.match(name):
        raise Invalid(f"{name[:40]!r} cannot be a parameter: letters, digits and _, as a variable.", field="parameters")
    if kind not in TYPES:
        raise Invalid(f"A parameter is {', '.join(TYPES)}, not {kind[:40]!r}.{near(kind, TYPES)}", field="parameters")
    if kind == "choice" and not given.get("choices"):
        raise Invalid(f"The parameter {name} has no choices.", field="parameters")
    kept = {key: given[key] for key in DECLARED if given.get(key) is not None}
    for key, value in kept.items():
        if not DECLARED[key](value):
            raise Invalid(f"{key} of the parameter {name} cannot be {str(value)[:40]!r}.", field="parameters")
    checked: Json = {"name": name, "type": kind, **kept}
    if kept.get("default") is not None:
        _value(checked, kept["default"])
    return checked


def _wanted(wanted: Mapping[str, Any]) -> dict[str, Any]:
    unknown = next((name for name in wanted if name not in WANTED), None)
    if unknown is not None:
        raise Invalid(f"A job asks for {', '.join(WANTED)}, not {unknown[:40]!r}.", field="wanted")
    kept = {name: value for name, value in wanted.items() if value not in (None, "")}
    for name, value in kept.items():
        if type(value) is not (str if name in TEXTS else int):
            kind = "text" if name in TEXTS else "a whole number"
            raise Invalid(f"wanted: {name} is {kind}, not {str(value)[:40]!r}.", field="wanted")
    return kept


def _locked(name: str, parameters: Sequence[Json]) -> str:
    if name not in (*WANTED, *(each.get("name") for each in parameters)):
        raise Invalid(f"{name[:40]!r} is no parameter and nothing that a job asks for.", field="locked")
    return name


def _check_locks(actor: User, project: Project, known: Template | None, facts: Json) -> None:
    """Whoever may not lock does not change what is locked."""
    if known is None or not known.locked or not access.why_not(actor, "template.lock", project):
        return
    before: Json = {**{each["name"]: each for each in known.parameters}, **known.wanted}
    after: Json = {**{each["name"]: each for each in facts["parameters"]}, **facts["wanted"]}
    for name in known.locked:
        if before.get(name) != after.get(name):
            raise NotAllowed(f"{name} is locked in the template {known}; ask a lead or manager of {project}.")


def _store(template: Template, facts: Json, actor: User) -> Template:
    is_new = template._state.adding
    for name, value in facts.items():
        setattr(template, name, value)
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        raise Conflict(f"{template.project} has a template {template} already.", field="name") from error
    _note(template, "created" if is_new else "changed", actor)
    return template


def _note(template: Template, verb: str, actor: User) -> None:
    lifecycle.note(
        kind="template", verb=verb, topic=f"project:{template.project_id}", object_id=template.pk, name=template.name,
        project_id=template.project_id, actor=actor,
    )  # fmt: skip
