"""The language of policies' subjects, and the windows in which they hold."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmesh.errors import Invalid
from projects.policy.rule import And, Is, Not, Or, Rule, RuleError, leaves, parse
from projects.policy.window import window

NOW = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
GREGOR = {
    "user": frozenset({"gregor"}),
    "project": frozenset({"fg82"}),
    "role": frozenset({"lead"}),
    "portal_role": frozenset[str](),
}

words = st.from_regex(r"[a-z][a-z0-9.@_-]{0,8}(\[[0-9]-[1-9][0-9]\])?", fullmatch=True)
odd = st.text(st.characters(codec="utf-8", exclude_characters="\"'[]*?,", exclude_categories=("Cc", "Cs")), min_size=1)
keywords = st.sampled_from(["and", "or", "not", "in", "user"])
names = words | keywords | odd.filter(lambda text: text.strip() == text and text != "")
atoms = st.builds(
    Is, st.sampled_from(["project", "user", "role", "portal_role"]), st.lists(names, min_size=1, max_size=4).map(tuple)
)


def _grown(inner: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, inner) | st.builds(And, several) | st.builds(Or, several)


rules = st.recursive(atoms, _grown, max_leaves=8)


@given(rules)
def test_what_a_rule_is_written_as_means_the_same_rule(rule: Rule) -> None:
    assert parse(str(rule)) == rule


@given(st.text(max_size=60) | st.text("projectusernotandorin=!(),'\" []1-9", max_size=60))
def test_any_text_is_a_rule_or_is_refused_with_its_place(text: str) -> None:
    assert place_of_error(text) in range(-1, len(text) + 1)


def place_of_error(text: str) -> int:
    """Where a rule breaks; -1 when it does not."""
    try:
        parse(text)
    except RuleError as error:
        return int(error.facts["position"])
    return -1


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("user = gregor", True),
        ("user != gregor", False),
        ("project in (fg82, fg355) and not user = gregor", False),
        ("project in (fg82, fg355) and not user = gregor or role = lead", True),
        ("project in (fg82, fg355) and (not user = gregor or role = lead)", True),
        ("not (project = fg82)", False),
        ("project in (fg[80-90])", True),
        ("project in (fg[83-90])", False),
        ('user = "gregor"', True),
        ("portal_role = operator", False),
        ("USER = gregor AND ROLE = lead", True),
        ("not not user = gregor", True),
    ],
)
def test_a_rule_holds_or_does_not(rule: str, holds: bool) -> None:
    assert parse(rule).holds(GREGOR) is holds


@pytest.mark.parametrize(
    ("rule", "position", "said"),
    [
        ("", 0, "project, user, role, portal_role, not or ( is expected there, not the end"),
        ("projct = fg82", 0, "Did you mean project?"),
        ("project in fg82", 11, "( is expected there, not 'fg82'"),
        ("project in (fg82 and", 17, ") or , is expected there, not 'and'"),
        ("project in (fg82", 16, ") or , is expected there, not the end"),
        ("user = gregor role = lead", 14, "and, or or the end"),
        ("user gregor", 5, "in, = or != is expected"),
        ("user = ", 7, "a name is expected there, not the end"),
        ("user = and", 7, "a name is expected there, not 'and'"),
        ("user = 'gregor", 7, "this quote is never closed"),
        ("user = gregor;", 13, "not ';'"),
        ("user in ()", 9, "a name"),
        ("user = s[3-1]", 7, "counts down"),
        ("(" * 50 + "user = a" + ")" * 50, 40, "at most 40 parentheses deep"),
    ],
)
def test_a_rule_that_breaks_says_where_and_what_was_expected(rule: str, position: int, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(rule)
    assert caught.value.facts["position"] == position
    assert said in caught.value.message


def test_a_rule_is_read_once() -> None:
    assert parse("user = gregor") is parse("user = gregor")


def test_all_tests_of_a_rule_are_found() -> None:
    found = leaves(parse("project in (a, b) and not (user = c or role = lead)"))
    assert [(test.field, sorted(test.meant)) for test in found] == [
        ("project", ["a", "b"]),
        ("user", ["c"]),
        ("role", ["lead"]),
    ]


@pytest.mark.parametrize(
    ("starts", "ends", "found"),
    [
        ("", "", (None, None)),
        ("", "+3d2h", (None, NOW + datetime.timedelta(days=3, hours=2))),
        ("+1d", "+1w", (NOW + datetime.timedelta(days=1), NOW + datetime.timedelta(days=8))),
        (
            "2026-12-24",
            "2026-12-24T18:00",
            (
                datetime.datetime(2026, 12, 24, tzinfo=datetime.UTC),
                datetime.datetime(2026, 12, 24, 18, tzinfo=datetime.UTC),
            ),
        ),
        ("", "2026-12-24T18:00+01:00", (None, datetime.datetime(2026, 12, 24, 17, tzinfo=datetime.UTC))),
    ],
)
def test_windows(starts: str, ends: str, found: tuple[datetime.datetime | None, datetime.datetime | None]) -> None:
    assert window(starts, ends, now=NOW) == found


@pytest.mark.parametrize("text", ["tomorrow", "+", "+3", "+3x", "3d", "2026-13-01", "+99999w"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        window("", text, now=NOW)
    assert caught.value.facts["field"] == "ends"


def test_nothing_ends_before_it_begins() -> None:
    with pytest.raises(Invalid, match="before it begins"):
        window("2026-12-24", "2026-12-23", now=NOW)
    with pytest.raises(Invalid, match="before it is written"):
        window("", "2026-11-21", now=NOW)
