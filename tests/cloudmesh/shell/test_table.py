"""What rows look like in each format."""

import csv
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from cloudmesh.shell.table import PORTION, Column, Layout, document, documents, duration, render

ROWS: list[dict[str, Any]] = [
    {"name": "gregor_1", "state": "active", "addresses": ["10.0.0.5", "192.0.2.9"], "is_active": True},
    {"name": "gregor_2", "state": "error", "addresses": [], "is_active": False},
]
COLUMNS = [Column.parse(text) for text in ("name", "addresses", "active:is_active")]


def drawn(rows: list[dict[str, Any]], columns: list[Column], form: str = "table", **layout: Any) -> str:
    return "\n".join(render(rows, columns, form, Layout(**layout)))


def cell(path: str, value: Any) -> str:
    return Column.parse(path).text({path: value})


def test_the_classic_table() -> None:
    assert (
        drawn(ROWS, COLUMNS)
        == """\
+----------+---------------------+--------+
| name     | addresses           | active |
+----------+---------------------+--------+
| gregor_1 | 10.0.0.5, 192.0.2.9 | True   |
| gregor_2 |                     |        |
+----------+---------------------+--------+"""
    )


def test_a_table_without_header_or_rows() -> None:
    assert drawn(ROWS[:1], COLUMNS[:1], header=False) == "+----------+\n| gregor_1 |\n+----------+"
    assert drawn([], COLUMNS[:1]) == "+------+\n| name |\n+------+"


def test_the_widest_columns_give_way_to_the_terminal() -> None:
    lines = drawn(ROWS, COLUMNS, width=40).splitlines()
    assert {len(line) for line in lines} == {40}
    assert lines[3] == "| gregor_1 | 10.0.0.5, 192.0… | True   |"


def test_a_terminal_too_narrow_for_all_still_gets_every_column() -> None:
    assert drawn(ROWS, COLUMNS, width=10).splitlines()[1] == "| name | add… | act… |"


def test_an_id_stays_whole_since_it_is_copied() -> None:
    rows = [{"id": "01a2034f-eed0-7d4b-beab-0f1a3cc6bf85", "name": "a long name of something"}]
    columns = [Column.parse("id"), Column.parse("name")]
    assert drawn(rows, columns, width=60).splitlines()[3] == f"| {rows[0]['id']} | a long name of s… |"


def test_wide_characters_take_two_cells() -> None:
    rows = [{"name": "云云云云"}, {"name": "e\u0301te\u0301"}, {"name": "ascii"}]
    assert drawn(rows, COLUMNS[:1]).splitlines()[3:6] == ["| 云云云云 |", "| e\u0301te\u0301      |", "| ascii    |"]
    assert drawn(rows, COLUMNS[:1], width=9).splitlines()[3] == "| 云云… |"


def test_a_name_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in drawn([{"name": "\x1b[2Jgone\x07"}], COLUMNS[:1])
    assert "\x1b" not in drawn([{"name": "\x1b[2Jgone"}], COLUMNS[:1], "plain")


def test_states_have_colours_only_where_wanted() -> None:
    column = [Column.parse("state")]
    assert "\x1b[32mactive\x1b[0m" in drawn(ROWS, column, colours=True)
    assert "\x1b" not in drawn(ROWS, column)


def test_plain_is_a_line_a_row_with_tabs() -> None:
    assert drawn(ROWS, COLUMNS, "plain") == (
        "name\taddresses\tactive\ngregor_1\t10.0.0.5, 192.0.2.9\tTrue\ngregor_2\t\t"
    )


def test_csv_can_be_read_again() -> None:
    rows = [{"name": 'a "b", c\nd', "is_active": True}]
    assert list(csv.reader(drawn(rows, COLUMNS, "csv").splitlines(keepends=True))) == [
        ["name", "addresses", "active"],
        ['a "b", c\nd', "", "True"],
    ]


def test_json_can_be_read_again() -> None:
    assert json.loads(document(ROWS, "json")) == ROWS


@pytest.mark.parametrize(
    "value",
    [
        {"name": "no", "addresses": ["::1"], "limits": {"cores": {"used": 1}}, "empty": {}, "none": None},
        [{"a": [[1, [2, {"b": "c"}]], []]}, "x: y", "#", "", 1.5, True],
        {"two\nlines": 'with "quotes" \\ and umlauts: ü'},
        {"no": 1, "On": 2, "null": 3, "a b": 4, "": 5, "größe": 6},
        [],
        {},
    ],
)
def test_yaml_can_be_read_again(value: Any) -> None:
    assert yaml.safe_load(document(value, "yaml")) == value


def test_yaml_has_a_line_for_each_value() -> None:
    assert document([{"name": "a", "addresses": ["::1"]}], "yaml") == '- name: "a"\n  addresses:\n    - "::1"'


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("age_seconds", 12.4, "12 s"),
        ("seen_at", "2026-11-22T11:57:05.123Z", "2026-11-22 11:57"),
        ("cores", {"used": 3, "limit": 10}, "3/10"),
        ("cores", {"used": 3, "limit": 0}, "3/0"),
        ("cores", {"used": 3, "limit": None}, "3/-"),
        ("native", {"a": 1}, '{"a": 1}'),
        ("progress", 0, "0"),
    ],
)
def test_a_value_is_told_as_a_person_reads_it(path: str, value: Any, text: str) -> None:
    assert cell(path, value) == text


def test_what_is_nested_is_reached_and_what_is_missing_is_empty() -> None:
    column = Column.parse("cores:limits.cores")
    assert column.text({"limits": {"cores": 4}}) == "4"
    assert column.text({"limits": None}) == column.text({}) == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (1e6, "11 d")]
)
def test_a_duration_has_one_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], []])
def test_documents_are_written_item_by_item_and_read_alike(form: str, rows: list[dict[str, Any]]) -> None:
    assert "\n".join(documents(iter(rows), form)) == document(rows, form)


@pytest.mark.parametrize("form", ["table", "csv", "plain", "json", "yaml"])
def test_the_first_lines_come_before_all_rows_are_known(form: str) -> None:
    taken = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal taken
        for taken in range(10_000):
            yield {"name": f"gregor_{taken}"}

    columns = [Column.parse("name")]
    lines = documents(rows(), form) if form in ("json", "yaml") else render(rows(), columns, form, Layout())
    assert "gregor_0" in "".join(itertools.islice(lines, 4))
    assert taken <= PORTION


def test_a_later_portion_that_needs_wider_columns_gets_them() -> None:
    rows = [{"name": "a"}] * PORTION + [{"name": "a longer name"}]
    lines = drawn(rows, [Column.parse("name")]).splitlines()
    assert lines[:4] == ["+------+", "| name |", "+------+", "| a    |"]
    assert lines[-3:] == ["+---------------+", "| a longer name |", "+---------------+"]
