"""What the pages for a new job and for a template send, as services take it."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from cloudmesh.errors import Invalid
from cloudmesh.types import Json, parse_memory, parse_walltime

NUMBERS = ("nodes", "tasks", "cores", "gpus")
WORDS = ("name", "queue", "account", "qos", "array")


def wish(form: Mapping[str, str]) -> dict[str, Any]:
    """What a job is asked to be; what was left empty is as its queue or the portal has it. Raises Invalid."""
    said = {name: value.strip() for name, value in form.items()}
    return {
        "script": form.get("script", "").replace("\r\n", "\n"),
        **{name: said.get(name, "") for name in WORDS},
        **{name: _number(name, said.get(name, "")) for name in NUMBERS},
        "memory": parse_memory(said.get("memory", "")),
        "walltime": parse_walltime(said.get("walltime", "")),
        "is_held": bool(said.get("is_held")),
    }


def _number(name: str, text: str) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        raise Invalid(f"{name} is a whole number, not {text[:40]!r}.", field=name) from None


def parameters(form: QueryDict) -> list[Json]:
    """The rows of a template's parameters; those without a name are not there. Raises Invalid."""
    columns = (form.getlist(f"p_{name}") for name in ("name", "type", "label", "default", "limits"))
    rows = [[text.strip() for text in row] for row in zip(*columns, strict=False)]
    return [_parameter(*row) for row in rows if row[0]]


def limits_text(parameter: Json) -> str:
    """The choices or bounds of a parameter, as a row shows them and `parameters` reads them."""
    if "typed" in parameter:
        return str(parameter["typed"])
    if parameter.get("choices"):
        return ", ".join(parameter["choices"])
    least, most = parameter.get("least"), parameter.get("most")
    return f"{'' if least is None else least}..{'' if most is None else most}" if (least, most) != (None, None) else ""


def _parameter(name: str, kind: str, label: str, default: str, limits: str) -> Json:
    found: Json = {"name": name, "type": kind}
    if label:
        found["label"] = label
    if default:
        found["default"] = default
    if kind == "choice":
        return found | {"choices": [each.strip() for each in limits.split(",") if each.strip()]}
    if limits and kind in ("integer", "number"):
        least, dots, most = limits.partition("..")
        if not dots:
            raise Invalid(f"The bounds of {name} are written 1..64, not {limits[:40]!r}.", field="parameters")
        found |= {"least": _bound(name, least)} if least.strip() else {}
        found |= {"most": _bound(name, most)} if most.strip() else {}
    return found


def _bound(name: str, text: str) -> float:
    try:
        return int(text) if text.strip().lstrip("-").isdecimal() else float(text)
    except ValueError:
        raise Invalid(f"The bounds of {name} are numbers, not {text[:40]!r}.", field="parameters") from None
