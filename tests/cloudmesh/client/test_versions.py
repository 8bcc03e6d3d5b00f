"""A portal that is older or newer than the client: said once, where it matters, with both versions."""

from contextlib import closing

import pytest

from cloudmesh import errors
from cloudmesh.client import Client
from cloudmesh.client.session import Session
from cloudmesh.config import Portal
from cloudmesh.version import VERSIONS, __version__
from tests.cloudmesh.shell.terminal import cm
from tests.cloudmesh.speaker import Server, page, problem

NO_PATH = "There is no '/api/v1/dreams/'. See /api/v1/schema/."


def told(answer: bytes, version: str) -> bytes:
    """An answer of a portal of this version."""
    return answer.replace(b"\r\n", f"\r\nCloudmesh-Version: {version}\r\n".encode(), 1)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("0.3; api=0; oldest=0", "the portal at {url} is version 0.3, older than this cm ({ours}) works with"),
        ("9.9; api=99; oldest=98", "this cm ({ours}) is older than the portal at {url} (9.9) works with"),
    ],
)
def test_versions_that_are_too_far_apart_are_told_once(server: Server, version: str, said: str) -> None:
    server.answer = lambda asked: told(page(), version)
    warned: list[str] = []
    with Client(server.url, "cm_x", warn=warned.append) as client:
        assert [list(client.servers()) for _ in range(3)] == [[], [], []]
    [text] = warned
    assert text.startswith(said.format(url=server.url, ours=__version__))


@pytest.mark.parametrize("version", [VERSIONS, "9.9; api=99; oldest=1", "nonsense", ""])
def test_a_little_difference_is_nobodys_business(server: Server, version: str) -> None:
    server.answer = lambda asked: told(page(), version)
    ended = cm("vm", "list", CLOUDMESH_URL=server.url)
    assert (ended.returncode, ended.stderr) == (0, "No servers. Boot one with: cm vm boot\n")


def test_the_shell_warns_beside_the_data_and_goes_on(server: Server) -> None:
    server.answer = lambda asked: told(page({"name": "gregor_1"}), "0.3; api=0; oldest=0")
    ended = cm("vm", "list", CLOUDMESH_URL=server.url)
    assert (ended.returncode, "gregor_1" in ended.stdout) == (0, True)
    assert ended.stderr.startswith("cm: warning: the portal at")


def test_without_anybody_to_tell_it_is_a_python_warning(server: Server) -> None:
    server.answer = lambda asked: told(page(), "0.3; api=0; oldest=0")
    with Client(server.url, "cm_x") as client, pytest.warns(UserWarning, match="version 0.3"):
        assert list(client.servers()) == []


@pytest.mark.parametrize(
    ("version", "hint"),
    [
        ("0.3; api=0; oldest=0", "(0.3) is older than this cm"),
        ("9.9; api=99; oldest=1", "is older than the portal"),
        ("", "does not tell its version"),
    ],
)
@pytest.mark.parametrize("detail", [NO_PATH, "There is no field 'dream' here; there are: name."])
def test_what_a_portal_does_not_know_may_be_for_its_age(server: Server, version: str, hint: str, detail: str) -> None:
    answer = problem(404, "not-found", detail)
    server.answer = lambda asked: told(answer, version) if version else answer
    quiet = Session(Portal(server.url), 5, lambda text: None)
    with closing(quiet) as session, pytest.raises(errors.NotFound) as refused:
        session.get("dreams/")
    assert hint in refused.value.facts["hint"]


@pytest.mark.parametrize(
    ("version", "detail"), [(VERSIONS, NO_PATH), ("9.9; api=99; oldest=1", "No server is named x.")]
)
def test_other_refusals_have_nothing_to_do_with_it(server: Server, version: str, detail: str) -> None:
    server.answer = lambda asked: told(problem(404, "not-found", detail), version)
    with closing(Session(Portal(server.url), 5)) as session, pytest.raises(errors.NotFound) as refused:
        session.get("dreams/")
    assert "hint" not in refused.value.facts
