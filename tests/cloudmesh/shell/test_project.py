"""`cm project` and the whole portal behind it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


def test_where_one_works_and_with_whom(run: Run, data: Data) -> None:
    [sandbox] = [project for project in data("project", "list") if project["name"] == "sandbox"]
    assert (sandbox["name"], sandbox["role"], sandbox["state"]) == ("sandbox", "lead", "active")
    assert data("project", "show") == data("project", "show", "sandbox") == sandbox
    assert run("project", "use", "sandbox").returncode == 0
    assert data("project", "show")["is_default"] is True
    [me] = data("project", "member", "list", "--role", "lead")
    assert me in data("project", "member", "list")
    assert data("project", "member", "list", "--role", "alumni") == []


def test_people_are_invited_by_mail_or_by_a_link(run: Run, data: Data) -> None:
    mailed = run("project", "invite", "ada@example.org", "--role", "manager")
    assert (mailed.returncode, "ada@example.org" in mailed.stderr) == (0, True)
    linked = run("project", "invite", "--link", "--uses", "3", "--days", "2")
    assert linked.stdout.startswith("http")
    assert "/invitations/cm_" in linked.stdout
    assert {(row["email"], row["role"], row["uses_left"]) for row in data("project", "invitations")} >= {
        ("ada@example.org", "manager", 1),
        ("", "member", 3),
    }


def test_what_cannot_be_is_refused_with_a_word(run: Run, data: Data) -> None:
    [me] = data("project", "member", "list", "--role", "lead")
    for words, said, code in (
        (["project", "show", "sandbx"], "Did you mean sandbox", 3),
        (["project", "invite"], "--link", 2),
        (["project", "invite", "ada@example.org", "--link"], "--link", 2),
        (["project", "invite", "nobody"], "no e-mail address", 2),
        (["project", "invite", "--link", "--uses", "0"], "1 to 1000 times", 2),
        (["project", "member", "add", "nobody"], "Invite the person by e-mail", 3),
        (["project", "member", "remove", me["user"], "--yes"], "only lead", 5),
        (["project", "member", "role", me["user"], "member"], "only lead", 5),
        (["project", "join", "sandbox"], "no project", 3),
    ):
        ended = run(*words)
        assert (ended.returncode, said in ended.stderr) == (code, True), (words, ended.stderr)
