"""The names that boots hand out: a schema that is filled in, and a number counted for each project and pattern."""

import dataclasses
import re
from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet

from cloudmesh.errors import Conflict, Invalid, near
from cloudmesh.types import ServerState, expand_names
from clouds.models import NameCounter, Server
from projects.models import Project

MAX_COUNT = 1000
MAX_NUMBER = 2_000_000_000
LONGEST = 63
MAX_SCHEMA = 200
NAME = re.compile(rf"[A-Za-z0-9]([A-Za-z0-9._-]{{0,{LONGEST - 2}}}[A-Za-z0-9])?\Z")
PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,61}\Z")
SEPARATORS = "-_."
NUMBER = "{number}"
WORDS = ("prefix", "user", "project", "group", "cloud", "number")  # what a schema may have in braces
RULE = "use 1 to 63 letters (a–z), digits, dots, dashes and underscores, beginning and ending with a letter or digit."

_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Naming:
    """How the next names look."""

    pattern: str  # the schema filled in, but for the number
    width: int = 1  # digits that a number has at least

    def name(self, number: int) -> str:
        name = self.pattern.replace(NUMBER, f"{number:0{self.width}d}")
        if not NAME.match(name):
            raise Invalid(
                f"The next name would be {name[:80]!r}, and that cannot be a server's name: {RULE} "
                "Choose another schema or prefix: cm label --schema SCHEMA --prefix PREFIX",
                field="schema",
            )
        return name


def usual_schema(prefix: str) -> str:
    """`gregor` gives gregor_1; a prefix that ends with a separator has its own: `gregor-` gives gregor-1."""
    return "{prefix}{number}" if prefix.endswith(tuple(SEPARATORS)) else "{prefix}_{number}"


def fill(schema: str, words: Mapping[str, str]) -> str:
    """The pattern of a schema; words that come from elsewhere lose what no name can have."""
    known = {name: text if name == "prefix" else plain(text) for name, text in words.items()} | {"number": NUMBER}
    return _BRACES.sub(lambda found: known[found[1]], schema)


def plain(text: str) -> str:
    """What of a text can be in a name."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", text).strip("-")[:40]


def check_schema(schema: str) -> str:
    """Raises Invalid where a schema could never give names, or always the same."""
    for word in _BRACES.findall(schema):
        if word not in WORDS:
            raise Invalid(
                f"A schema has no {{{word[:40]}}}; there are: {', '.join(f'{{{each}}}' for each in WORDS)}."
                + near(word[:40], WORDS),
                field="schema",
            )
    if schema.count(NUMBER) != 1:
        raise Invalid(
            f"A schema has {NUMBER} once, so that each name is another; {schema[:80]!r} has not.", field="schema"
        )
    if len(schema) > MAX_SCHEMA or not NAME.match(_BRACES.sub("0", schema)):
        raise Invalid(f"{schema[:80]!r} gives no names of servers: beside what is in braces, {RULE}", field="schema")
    return schema


def check_prefix(prefix: str) -> str:
    if not PREFIX.match(prefix):
        raise Invalid(
            f"{prefix[:40]!r} cannot be a prefix: use up to 62 letters, digits, dots, dashes and underscores, "
            "the first a letter or digit.",
            field="prefix",
        )
    return prefix


def check_width(text: str) -> str:
    if not re.fullmatch("[1-9]", text):
        raise Invalid(f"width is a number from 1 to 9, such as 3 for 007; not {text[:40]!r}.", field="width")
    return text


def next_numbers(project: Project, naming: Naming, count: int) -> list[int]:
    """The numbers that the next boot would get; nothing is taken."""
    counter = NameCounter.objects.filter(project=project, pattern=naming.pattern).first()
    return _free(project, naming, counter.next if counter else 1, count)


def next_names(project: Project, naming: Naming, count: int) -> list[str]:
    """The names that the next boot would get; nothing is taken."""
    return [naming.name(number) for number in next_numbers(project, naming, count)]


@transaction.atomic
def take_names(project: Project, naming: Naming, count: int) -> list[str]:
    """Hand out the next names of a pattern; whoever asks at the same instant waits and gets the following ones."""
    counter = _hold_counter(project, naming)
    numbers = _free(project, naming, counter.next, count)
    counter.next = numbers[-1] + 1
    counter.save(update_fields=["next"])
    return [naming.name(number) for number in numbers]


@transaction.atomic
def set_number(project: Project, naming: Naming, number: int) -> None:
    """Count on from `number`; names that servers have are passed over all the same."""
    if not 1 <= number <= MAX_NUMBER:
        raise Invalid(f"number must be between 1 and {MAX_NUMBER}, not {number}.", field="number")
    naming.name(number)  # or it says what is wrong
    counter = _hold_counter(project, naming)
    counter.next = number
    counter.save(update_fields=["next"])


def check_names(project: Project, text: str) -> list[str]:
    """The names a person gave, as a hostlist; raises Invalid for impossible, Conflict for taken ones."""
    names = expand_names(text, limit=MAX_COUNT)
    for name in names:
        if not NAME.match(name):
            raise Invalid(f"{name[:40]!r} cannot be a server's name: {RULE}", field="name")
    taken = sorted(_live(project).filter(name__in=names).values_list("name", flat=True)[:5])
    if taken or len(set(names)) < len(names):
        raise Conflict(
            f"There is a server named {', '.join(taken) or 'like this twice'} already. Choose another name.",
            field="name",
        )
    return names


def check_count(count: int) -> int:
    if not 1 <= count <= MAX_COUNT:
        raise Invalid(f"count must be between 1 and {MAX_COUNT}, not {count}.", field="count")
    return count


def _hold_counter(project: Project, naming: Naming) -> NameCounter:
    """Locked until the transaction ends."""
    naming.name(1)  # or it says what is wrong
    place = {"project": project, "pattern": naming.pattern}
    NameCounter.objects.bulk_create([NameCounter(**place)], ignore_conflicts=True)
    return NameCounter.objects.select_for_update(no_key=True).get(**place)


def _free(project: Project, naming: Naming, start: int, count: int) -> list[int]:
    """The next `count` numbers from `start` whose names no server has."""
    before = naming.pattern.partition(NUMBER)[0]
    taken = set(_live(project).filter(name__startswith=before).values_list("name", flat=True))
    numbers: list[int] = []
    number = start
    while len(numbers) < count:
        numbers += [] if naming.name(number) in taken else [number]
        number += 1
    return numbers


def _live(project: Project) -> QuerySet[Server]:
    return Server.objects.filter(project=project).exclude(state=ServerState.DELETED)
