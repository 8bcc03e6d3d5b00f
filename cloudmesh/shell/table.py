"""How rows are shown: the classic `+---+` table, sized to the terminal, or a format for programs."""

import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cloudmesh.shell.talk import printable

Row = Mapping[str, Any]
FORMATS = ("table", "json", "yaml", "csv", "plain")
PORTION = 1000  # rows that are held and laid out together
NARROWEST = 4  # cells of a column
READABLE = 12
WHOLE = frozenset({"id"})  # columns that are copied
MOMENTS = frozenset(
    {"at", "submitted", "expected", "started", "ended", "start", "modified"}
)  # what names of times end in
YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
COLOURS = {
    **dict.fromkeys(("active", "succeeded", "ok", "completed", "open", "free"), 32),
    **dict.fromkeys(("error", "failed", "refused", "rejected", "missing", "down", "timeout", "lost"), 31),
    **dict.fromkeys(
        (
            "requested",
            "building",
            "deleting",
            "running",
            "queued",
            "verifying",
            "rebooting",
            "slow",
            "starting",
            "ending",
        ),
        33,
    ),
}


class Column(NamedTuple):
    """A column's title and where its value is: `age:age_seconds`, `cores:limits.cores`, or both the same: `name`."""

    title: str
    path: str

    @classmethod
    def parse(cls, text: str) -> "Column":
        title, _, path = text.partition(":")
        return cls(title, path or title)

    def value(self, row: Row) -> Any:
        value: Any = row
        for key in self.path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def text(self, row: Row) -> str:
        value = self.value(row)
        if self.path.endswith("_seconds") and isinstance(value, int | float):
            return duration(value)
        if self.path.rpartition("_")[2] in MOMENTS and isinstance(value, str):
            return value[:16].replace("T", " ")
        if isinstance(value, float):
            return f"{value:.2f}"
        return printable(text_of(value))


class Layout(NamedTuple):
    """Where and how a table is drawn."""

    width: int | None = None  # of the terminal; None: as wide as it needs
    header: bool = True
    colours: bool = False


def roomy(rows: Sequence[Row], columns: Sequence[Column], layout: Layout) -> list[Column]:
    """The first columns, as many as can be read side by side; at least one."""
    room = (layout.width or sys.maxsize) - 1
    shown: list[Column] = []
    for column in columns:
        natural = max(map(_width, (column.title, *(column.text(row) for row in rows))))
        room -= 3 + (natural if column.title in WHOLE else min(natural, READABLE))
        if room < 0 and shown:
            break
        shown.append(column)
    return shown


def render(rows: Iterable[Row], columns: Sequence[Column], form: str, layout: Layout) -> Iterator[str]:
    """The lines of rows in one of FORMATS but json and yaml, which are `documents`; each as soon as it is known."""
    titles = [column.title for column in columns]
    lines = ([column.text(row) for column in columns] for row in rows)
    if form == "csv":
        yield from _csv(rows, columns, layout.header)
    elif form == "plain":
        yield from map("\t".join, itertools.chain([titles] if layout.header else [], lines))
    else:
        yield from _grid(titles, lines, layout)


def document(value: Any, form: str) -> str:
    """A record or a list of them as json or yaml, or as json on one line."""
    if form == "yaml":
        return "\n".join(_yaml(value))
    return json.dumps(value, indent=None if form == "line" else 2, ensure_ascii=False)


def documents(values: Iterable[Any], form: str) -> Iterator[str]:
    """The lines of `document` of a list, of which only one is held at a time."""
    last = None
    for value in values:
        if form == "yaml":
            yield document([value], form)
        else:
            yield "[" if last is None else f"{last},"
        last = "  " + document(value, form).replace("\n", "\n  ") if form == "json" else ""
    if last is None:
        yield "[]"
    elif form == "json":
        yield from (last, "]")


def text_of(value: Any) -> str:
    if value is None or value is False:
        return ""
    if isinstance(value, list):
        return ", ".join(map(text_of, value))
    if isinstance(value, dict):
        if value and all(isinstance(item, str) for item in value.values()):
            return ", ".join(f"{key}={item}" for key, item in value.items())
        used = {"used", "limit"} <= value.keys()
        return f"{value['used']}/{text_of(value['limit']) or '-'}" if used else json.dumps(value, ensure_ascii=False)
    return str(value)


def duration(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _grid(titles: list[str], lines: Iterator[list[str]], layout: Layout) -> Iterator[str]:
    """A table that is laid out in portions: where a later one needs more room, the columns get wider from there on."""
    natural, before, portion = [_width(title) for title in titles], "", list(itertools.islice(lines, PORTION))
    is_empty = not portion
    while portion or not before:
        natural = [max([width, *map(_width, cells)]) for width, *cells in zip(natural, *portion, strict=True)]
        widths = _fitting(titles, natural, layout)
        border = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
        if border != before:
            yield border
        if layout.header and not before:
            yield "| " + " | ".join(map(_fit, titles, widths)) + " |"
            yield border
        for line in portion:
            cells = (_colour(text, _fit(text, width), layout) for text, width in zip(line, widths, strict=True))
            yield "| " + " | ".join(cells) + " |"
        before, portion = border, list(itertools.islice(lines, PORTION))
    if not is_empty:
        yield before


def _fitting(titles: list[str], natural: list[int], layout: Layout) -> list[int]:
    widths = list(natural)
    if layout.width:
        flexible = [index for index, title in enumerate(titles) if title not in WHOLE]
        _shrink(widths, flexible, layout.width - 3 * len(widths) - 1)
    return widths


def _shrink(widths: list[int], flexible: list[int], room: int) -> None:
    """Take from the widest columns until all fit."""
    while sum(widths) > room and flexible:
        widest = max(flexible, key=widths.__getitem__)
        if widths[widest] <= NARROWEST:
            return
        widths[widest] -= 1


def _fit(text: str, width: int) -> str:
    if _width(text) > width:
        text = text[:width]
        while text and _width(text) >= width:
            text = text[:-1]
        text += "…"
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """In the cells of a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _colour(text: str, cell: str, layout: Layout) -> str:
    colour = COLOURS.get(text) if layout.colours else None
    return f"\x1b[{colour}m{cell}\x1b[0m" if colour else cell


def _csv(rows: Iterable[Row], columns: Sequence[Column], header: bool) -> Iterator[str]:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="")
    titles = [[column.title for column in columns]] if header else []
    for cells in itertools.chain(titles, ([text_of(column.value(row)) for column in columns] for row in rows)):
        writer.writerow(cells)
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _yaml(value: Any, indent: str = "") -> Iterator[str]:
    """Block style; every value in the quotes of JSON, which YAML reads too."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            nested = isinstance(item, Mapping | list) and item
            bare = key.isidentifier() and key.lower() not in YAML_WORDS
            yield f"{indent}{key if bare else _scalar(key)}:" + ("" if nested else f" {_scalar(item)}")
            if nested:
                yield from _yaml(item, indent + "  ")
    elif isinstance(value, list) and value:
        for item in value:
            first, *rest = _yaml(item, indent + "  ")
            yield f"{indent}- {first[len(indent) + 2 :]}"
            yield from rest
    else:
        yield indent + _scalar(value)


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
