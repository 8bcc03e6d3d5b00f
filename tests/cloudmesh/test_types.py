"""Hostlists: what names they stand for, and what is said about those that stand for none."""

import pytest

from cloudmesh.errors import Invalid
from cloudmesh.types import MAX_NAMES, expand_names, is_glob


@pytest.mark.parametrize(
    ("hostlist", "names"),
    [
        ("gregor_1", ["gregor_1"]),
        ("sample[1-3,18]", ["sample1", "sample2", "sample3", "sample18"]),
        ("node[08-11]", ["node08", "node09", "node10", "node11"]),
        ("r[1-2]n[1-2].example.org", ["r1n1.example.org", "r1n2.example.org", "r2n1.example.org", "r2n2.example.org"]),
        ("[a,b]", ["a", "b"]),
        ("a, b,,c", ["a", "b", "c"]),
        ("a[1-2],a[2-3]", ["a1", "a2", "a3"]),
        ("gregor_*,web?", ["gregor_*", "web?"]),
        ("my vm", ["my vm"]),
        ("münchen[1-2]", ["münchen1", "münchen2"]),
        ("", []),
        (" , ", []),
    ],
)
def test_a_hostlist_stands_for_names(hostlist: str, names: list[str]) -> None:
    assert expand_names(hostlist) == names


def test_several_hostlists_are_one() -> None:
    assert expand_names("a[1-2]", "b", "a2") == ["a1", "a2", "b"]


@pytest.mark.parametrize("hostlist", ["a[1-3", "a1-3]", "a[[1]]", "a[]", "a[1,]", "]a[", "a[1-2][", "a[3-1]"])
def test_a_hostlist_that_does_not_parse_is_named(hostlist: str) -> None:
    with pytest.raises(Invalid) as refused:
        expand_names("fine", hostlist)
    assert hostlist in refused.value.message


@pytest.mark.parametrize("hostlist", ["a[1-10001]", "a[1-999999999999999999]", "a[1-101]b[1-101]", "[1-9]" * 500])
def test_too_many_names_are_refused_before_they_are_made(hostlist: str) -> None:
    with pytest.raises(Invalid, match="at most 10,000"):
        expand_names(hostlist)


def test_as_many_names_as_allowed_are_made() -> None:
    assert len(expand_names(f"a[1-{MAX_NAMES}]")) == MAX_NAMES


def test_a_limit_of_the_caller_counts() -> None:
    with pytest.raises(Invalid, match="3 names; at most 2"):
        expand_names("a[1-3]", limit=2)


def test_only_names_with_a_wildcard_are_globs() -> None:
    assert is_glob("gregor_*")
    assert is_glob("web?")
    assert not is_glob("gregor_1")
