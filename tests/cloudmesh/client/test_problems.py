"""The tree of errors, there and back: what the portal raises is what its client raises."""

from collections.abc import Iterator

import pytest

from cloudmesh import errors
from cloudmesh.client.problems import error_of, failure_of
from cloudmesh.errors import CloudmeshError
from portal.api.problems import answer_to


def tree(parent: type[CloudmeshError]) -> Iterator[type[CloudmeshError]]:
    """All kinds of errors that clients know."""
    for kind in parent.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from tree(kind)


KINDS = [CloudmeshError, *tree(CloudmeshError)]


def test_there_are_many() -> None:
    assert len(KINDS) > 15
    assert all(kind.__name__ in str(errors.__doc__) for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_comes_back_as_it_was_raised(kind: type[CloudmeshError]) -> None:
    raised = kind("No room in india.", resource="cores", used=3)
    answer = answer_to(raised)
    told = error_of(answer.status_code, {}, answer.content, "http://portal")
    assert (type(told), told.message, told.facts) == (kind, raised.message, raised.facts)
    assert answer.status_code == kind.status


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_operation_failed_with_comes_back(kind: type[CloudmeshError]) -> None:
    result = {"error": kind.__name__, "resource": "cores"}
    told = failure_of({"state": "failed", "reason": "No room.", "result": result})
    assert (type(told), told.message, told.facts) == (kind, "No room.", {"resource": "cores"})
