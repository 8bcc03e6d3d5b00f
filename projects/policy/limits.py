"""How much a policy allows: `cores=8, ram=16384`, in one wish or all together."""

import dataclasses
from collections.abc import Callable, Mapping

from cloudmesh.errors import Invalid, near

EACH = "_per_wish"
MOST = 2**40


@dataclasses.dataclass(frozen=True)
class Resource:
    label: str
    unit: str = ""
    is_of_a_wish: bool = False  # says how long one wish may last; there is nothing to add up


RESOURCES: Mapping[str, Resource] = {
    "instances": Resource("servers"),
    "cores": Resource("cores"),
    "ram": Resource("memory", " MiB"),
    "volumes": Resource("volumes"),
    "disk": Resource("disk", " GiB"),
    "nodes": Resource("nodes"),
    "jobs": Resource("jobs at once"),
    "core_hours": Resource("core-hours in 30 days"),
    "lease_hours": Resource("lease", " h", is_of_a_wish=True),
    "walltime_hours": Resource("walltime", " h", is_of_a_wish=True),
}
KEYS = (*RESOURCES, *(f"{name}{EACH}" for name, known in RESOURCES.items() if not known.is_of_a_wish))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Passed:
    """A limit that a wish would pass."""

    resource: str
    limit: int
    used: int | None  # None: of this one wish alone
    wanted: int

    def __str__(self) -> str:
        known = RESOURCES[self.resource]
        most = f"{self.limit}{known.unit} of {known.label}" if known.unit else f"{self.limit} {known.label}"
        if self.used is None:
            return f"at most {most} in one wish, {self.wanted}{known.unit} are wanted"
        return f"at most {most} all together, {self.used} are used and {self.wanted} more wanted"


def passed(limits: Mapping[str, int], wanted: Mapping[str, int], used: Callable[[], Mapping[str, int]]) -> list[Passed]:
    """The limits that a wish would pass; `used` is asked only where it matters."""
    found = []
    for key, limit in limits.items():
        resource = key.removesuffix(EACH)
        want = wanted.get(resource, 0)
        of_wish = key.endswith(EACH) or RESOURCES[resource].is_of_a_wish
        have = 0 if of_wish or not want else used().get(resource, 0)
        if want and have + want > limit:
            found.append(Passed(resource=resource, limit=limit, used=None if of_wish else have, wanted=want))
    return found


def checked(limits: Mapping[str, object]) -> dict[str, int]:
    """Limits that make sense. Raises Invalid with near names."""
    for key, limit in limits.items():
        if key not in KEYS:
            raise Invalid(
                f"There is no limit {key[:40]!r}; there are: {', '.join(KEYS)}.{near(key[:40], KEYS)}", field="limits"
            )
        if type(limit) is not int or not 0 <= limit <= MOST:
            raise Invalid(f"The limit of {key} must be a whole number from 0, not {str(limit)[:40]!r}.", field="limits")
    return {key: int(limits[key]) for key in KEYS if key in limits}  # type: ignore[call-overload]


def read(text: str) -> dict[str, int]:
    """What a person wrote: `cores=8, ram_per_wish=16384`. Raises Invalid."""
    found: dict[str, object] = {}
    for part in filter(None, (part.strip() for part in text.replace("\n", ",").split(","))):
        key, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals or not number.isascii() or not number.isdigit() or len(number) > 15:
            raise Invalid(f"Write limits as cores=8, ram_per_wish=16384; {part[:40]!r} is none.", field="limits")
        found[key] = int(number)
    return checked(found)


def written(limits: Mapping[str, int]) -> str:
    """The limits as `read` takes them."""
    return ", ".join(f"{key}={limit}" for key, limit in limits.items())
