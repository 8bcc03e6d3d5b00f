"""Options that commands of several nouns share."""

import functools
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TextIO

import click

from cloudmesh.client import Client
from cloudmesh.config import portals
from cloudmesh.errors import CloudmeshError, near
from cloudmesh.shell import talk
from cloudmesh.shell.table import FORMATS, PORTION, Column, Layout, Row, document, documents, render, roomy

Command = Callable[..., None]

pass_client = click.make_pass_decorator(Client)
names = click.argument("names", nargs=-1, required=True, metavar="NAMES")
by_id = click.argument("id", type=click.UUID, callback=lambda context, parameter, value: str(value))
in_cloud = click.option("--cloud", help="Only on this cloud.")
in_project = click.option("--project", help="Only of this project.")
sure = click.option("-y", "--yes", "--force", is_flag=True, help="Do not ask.")
waiting = click.option("--wait/--no-wait", default=True, help="Follow it to its end; the default.")


def profile_names(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """The portals that somebody signed in to, for completion."""
    try:
        return [portal.profile for portal in portals() if portal.profile.startswith(begun)]
    except CloudmeshError:
        return []  # the command says what is wrong


class Show(NamedTuple):
    """How the person wants data shown; `show(rows)` prints them."""

    declared: tuple[str, ...]
    asked: str | None  # by an option or the environment
    wanted: str | None
    sort: str | None
    header: bool

    @property
    def form(self) -> str:
        """As asked for, or as the portal told with the data that this is the person's default."""
        client = click.get_current_context().find_object(Client)
        return self.asked or (client.output_format if client else "") or FORMATS[0]

    def __call__(self, rows: Iterable[Row], empty: str = "") -> None:
        """All rows, as they come unless they are to be sorted: however many, few are held at a time."""
        rest = iter(self.sorted(rows) if self.sort else rows)
        first = list(itertools.islice(rest, PORTION))
        found, columns = itertools.chain(first, rest), self._columns(first)
        if self.form in ("json", "yaml"):
            _print_lines(documents(self._chosen(found, columns), self.form))
        else:
            self._print(found, columns, self._roomy(first, columns))
        if not first and empty:
            talk.say(empty)

    def each(self, rows: Iterable[Row]) -> None:
        """Rows of what goes on: each on a line of its own, as soon as it comes."""
        columns: list[Column] = []
        for row in rows:
            if not columns:
                columns = self._columns([row])
                _print_lines(render((), columns, "csv", Layout(header=self.header)) if self.form == "csv" else ())
            if self.form in ("json", "yaml"):
                [chosen] = self._chosen([row], columns)
                _print_lines([document(chosen, "line") if self.form == "json" else document([chosen], "yaml")])
            elif self.form == "table":
                _print_lines(["  ".join(column.text(row) for column in columns)])
            else:
                _print_lines(render([row], columns, self.form, Layout(header=False)))

    def sorted(self, rows: Iterable[Row]) -> list[Row]:
        found, by = list(rows), self.sort or ""
        return sorted(found, key=_natural(self._column(by.removeprefix("-"), found)), reverse=by[:1] == "-")

    def drawn(self, rows: Sequence[Row]) -> list[str]:
        """The lines of a table that fits the terminal."""
        found = self.sorted(rows) if self.sort else list(rows)
        return list(render(found, self._roomy(found, self._columns(found)), "table", layout_of(self.header)))

    def one(self, record: Row) -> None:
        """A single record: an attribute a line; whole in json and yaml."""
        columns = self._columns([record])
        if self.form in ("json", "yaml"):
            [chosen] = self._chosen([record], columns)
            click.echo(document(chosen, self.form))
            return
        pairs = [{"attribute": column.title, "value": column.text(record)} for column in columns]
        both = [Column("attribute", "attribute"), Column("value", "value")]
        _print_lines(render(pairs, both, self.form, layout_of(self.header)))

    def _chosen(self, rows: Iterable[Row], columns: list[Column]) -> Iterator[Row]:
        """What programs get: whole records, unless columns were asked for."""
        return ({c.title: c.value(row) for c in columns} if self.wanted else row for row in rows)

    def _roomy(self, rows: list[Row], columns: list[Column]) -> list[Column]:
        fits = self.form == "table" and not self.wanted
        return roomy(rows, columns, layout_of(self.header)) if fits else columns

    def _print(self, rows: Iterable[Row], columns: list[Column], shown: list[Column]) -> None:
        _print_lines(render(rows, shown, self.form, layout_of(self.header)))
        if shown != columns:
            hidden = ", ".join(column.title for column in columns[len(shown) :])
            talk.say(f"No room for {hidden}; choose with --columns.")

    def _columns(self, rows: list[Row]) -> list[Column]:
        if not self.wanted:
            return [Column.parse(text) for text in self.declared]
        found = [self._column(name.strip(), rows) for name in self.wanted.split(",") if name.strip()]
        if not found:
            raise click.UsageError("Say which columns, such as: --columns name,state")
        return found

    def _column(self, name: str, rows: list[Row]) -> Column:
        known = {column.title: column for column in map(Column.parse, self.declared)}
        known |= {key: Column(key, key) for row in rows[:1] for key in row if key not in known}
        if name not in known:
            raise click.UsageError(f"There is no column {name}.{near(name, known)} Columns: {', '.join(known)}.")
        return known[name]


def listing(*declared: str) -> Callable[[Command], Command]:
    """Gives a command the options for output, and `show` to print with."""

    def decorate(command: Command) -> Command:
        @click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            envvar="CLOUDMESH_FORMAT",
            help="Instead of your default, which is a table unless you chose another.",
        )
        @click.option("--columns", metavar="A,B", help="Which columns, in which order.")
        @click.option("--sort", metavar="COLUMN", help="Sort by a column; -COLUMN for the reverse.")
        @click.option("--no-header", is_flag=True, help="Without the line of titles.")
        @functools.wraps(command)
        def run(*args: Any, form: str, columns: str | None, sort: str | None, no_header: bool, **rest: Any) -> None:
            client = click.get_current_context().find_object(Client)
            if client:
                client.want_format(wanted=not form)
            command(*args, show=Show(declared, form, columns, sort, not no_header), **rest)

        return run

    return decorate


def preview(rows: Iterable[Row], *columns: str) -> None:
    """What a question is about, beside the question."""
    found, layout = list(rows), Layout(_width(sys.stderr))
    shown = roomy(found, [Column.parse(text) for text in columns], layout)
    for line in render(found, shown, "table", layout):
        click.echo(line, err=True)


def layout_of(header: bool) -> Layout:
    if not sys.stdout.isatty():
        return Layout(header=header)
    colours = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return Layout(_width(sys.stdout), header, colours=colours)


def _width(stream: TextIO) -> int | None:
    """Of the terminal that is written to; None where it is none."""
    if not stream.isatty():
        return None
    width = os.environ.get("COLUMNS", "")
    return (int(width) if width.isdigit() else os.get_terminal_size(stream.fileno()).columns) or None


def _print_lines(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _natural(column: Column) -> Callable[[Row], list[Any]]:
    """Sorts gregor_2 before gregor_10, and what is missing last."""
    import re

    def key(row: Row) -> list[Any]:
        value = column.value(row)
        if isinstance(value, int | float):
            return [(0, value, "")]
        return [(1, int(part), "") if part.isdigit() else (2, 0, part) for part in re.split(r"(\d+)", column.text(row))]

    return key
