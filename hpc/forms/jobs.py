"""What the page for a new job sends, as services take it."""

from collections.abc import Mapping
from typing import Any

from cloudmesh.errors import Invalid
from cloudmesh.types import parse_memory, parse_walltime

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
