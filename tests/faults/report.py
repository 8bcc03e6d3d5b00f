"""What a full run saw, as tables in REPORT.md."""

import datetime
import importlib.metadata
import os
import platform
from collections import defaultdict
from pathlib import Path

PATH = Path(__file__).with_name("REPORT.md")
HEAD = """\
# What was killed, and what came of it

Written by `.venv/bin/python -m pytest tests/faults --full-faults`. Every row is a test that passed: exactly one server
at the provider for each wish, every operation succeeded, every server ACTIVE with its address, every transition of
every record told by one event, and the events numbered from 1 without a gap.

{where}
"""
Row = dict[str, str]
_tables: defaultdict[str, list[Row]] = defaultdict(list)
_notes: dict[str, str] = {}


def add(table: str, **row: object) -> None:
    """One row of a table; the columns are those of its first row."""
    _tables[table].append({name.replace("_", " "): _text(value) for name, value in row.items()})


def note(table: str, text: str) -> None:
    """What is to be known before a table is read."""
    _notes[table] = text


def write() -> None:
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("Django", "celery", "kombu", "redis")
    )
    where = (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {platform.system()} with {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {versions}."
    )
    parts = [HEAD.format(where=where)]
    for name, rows in _tables.items():
        parts.append("\n".join([f"## {name}", "", *([_notes[name], ""] if name in _notes else []), *_lines(rows), ""]))
    PATH.write_text("\n".join(parts))


def _lines(rows: list[Row]) -> list[str]:
    columns = list(rows[0])
    head = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    return head + [f"| {' | '.join(row.get(name, '') for name in columns)} |" for row in rows]


def _text(value: object) -> str:
    return f"{value:.1f} s" if isinstance(value, float) else str(value)
