"""Deciding with `cm`: accounts, roles, applications and wishes that wait for a yes, each to its good end."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import OURS, Run
from tests.cloudmesh.shell.terminal import CM

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]

#: People who came by the web: two applicants, somebody who works in the sandbox, an operator, and one who leaves.
PEOPLE = """
import json
from accounts import services
from accounts.models import AccountState, Profile, User
from projects import services as projects
from projects.models import Project

def make(name):
    return services.create_user(username=name, email=f"{name}@example.org")

for name in ("applicant1", "applicant2"):
    user = make(name)
    User.objects.filter(pk=user.pk).update(state=AccountState.CONFIRMED, is_active=False)
    Profile.objects.create(user=user, institution="Analytical Engines")
admin = User.objects.filter(is_superuser=True).first()
worker, operator, _ = make("worker"), make("operator1"), make("leaver")
services.set_roles(actor=admin, user=operator, roles=["operator"])
projects.add_member(actor=admin, project=Project.objects.get(name="sandbox"), user=worker, role="member")
print(json.dumps({user.username: services.issue_token(user=user, name="test")[1] for user in (worker, operator)}))
"""


@pytest.fixture(scope="module")
def tokens(portal: Path) -> dict[str, str]:
    """What the people sign in with, by name."""
    env = {name: text for name, text in os.environ.items() if not OURS.match(name)}
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", PEOPLE],
        cwd=CM.parent, env={**env, "CLOUDMESH_STATE_DIR": str(portal)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told: dict[str, str] = json.loads(made.stdout.splitlines()[-1])
    return told


def test_applicants_are_let_in_or_not_and_it_can_be_taken_back(run: Run, data: Data, tokens: dict[str, str]) -> None:
    assert {each["username"] for each in data("user", "list", "--state", "confirmed")} == {"applicant1", "applicant2"}
    assert data("user", "approve", "applicant1")["state"] == "approved"
    assert data("user", "reconsider", "applicant1")["state"] == "confirmed"
    denied = data("user", "deny", "applicant2", "--reason", "Nobody knows you.", "--yes")
    assert (denied["state"], denied["state_reason"]) == ("denied", "Nobody knows you.")
    refused = run("user", "approve", "applicant1", CLOUDMESH_TOKEN=tokens["worker"])
    assert refused.returncode in (3, 4)
    assert data("user", "show", "applicant1")["state"] == "confirmed"


def test_somebody_is_kept_out_and_let_back_in(data: Data, tokens: dict[str, str]) -> None:
    assert data("user", "suspend", "leaver", "--reason", "On leave", "--yes")["state"] == "suspended"
    assert data("user", "activate", "leaver")["state"] == "active"


def test_roles_are_given_and_taken(run: Run, data: Data, tokens: dict[str, str]) -> None:
    assert data("user", "role", "worker", "auditor")["portal_roles"] == ["auditor"]
    assert data("user", "role", "worker", "reviewer")["portal_roles"] == ["auditor", "reviewer"]
    assert [each["username"] for each in data("user", "roles", "--role", "reviewer")] == ["worker"]
    assert {each["username"] for each in data("user", "roles")} == {"operator1", "worker"}
    for role in ("reviewer", "auditor"):
        left = data("user", "role", "worker", role, "--take")["portal_roles"]
    assert left == []
    refused = run("user", "roles", CLOUDMESH_TOKEN=tokens["worker"])
    assert (refused.returncode, "portal's staff" in refused.stderr) == (4, True)
    assert run("user", "role", "worker", "king").returncode == 2


def test_an_application_is_voted_on_decided_and_taken_back(
    run: Run, data: Data, tokens: dict[str, str], tmp_path: Path
) -> None:
    answers: dict[str, dict[str, Any]] = {}
    for question in data("application", "questions"):
        if question["required"]:
            answers.setdefault(question["section"], {})[question["name"]] = _some(question)
    file = tmp_path / "application.json"
    file.write_text(json.dumps({"title": "Weather of the moon", "answers": answers}))
    theirs = {"CLOUDMESH_TOKEN": tokens["worker"]}
    asked = run("application", "apply", "--file", str(file), "--format", "json", **theirs)
    assert asked.returncode == 0, asked.stderr
    id = json.loads(asked.stdout)["id"]
    assert id in [each["id"] for each in data("review", "list")]
    assert data("review", "vote", id, "approve", "--comment", "Good")["standing"]["my_vote"] == "approve"
    assert run("review", "remark", id, "Which moon?").returncode == 0
    assert data("review", "decide", id, "approve")["state"] == "approved"
    assert data("review", "undo", id, "--reason", "Too early")["state"] == "submitted"
    assert data("review", "decide", id, "deny", "--reason", "No budget")["state"] == "denied"


def test_wishes_that_wait_get_a_yes_or_a_no(run: Run, data: Data, tokens: dict[str, str]) -> None:
    words = ["--effect", "ask", "--service", "cloud:alamo", "--for", "user", "--subject", "worker"]
    rule = run("policy", "add", "asked", *words, "--propose", "--format", "json", CLOUDMESH_TOKEN=tokens["operator1"])
    assert rule.returncode == 0, rule.stderr
    assert data("policy", "approve", "asked")["state"] == "approved"
    names = ("first", "second", "third")
    for name in names:
        boot = ["vm", "boot", "--name", name, "--cloud", "alamo", "--no-wait"]
        assert run(*boot, CLOUDMESH_TOKEN=tokens["worker"]).returncode == 0
    waiting = {each["target"]["name"]: each["id"] for each in data("approve", "list")}
    assert set(waiting) == set(names)
    refused = run("approve", waiting["first"], CLOUDMESH_TOKEN=tokens["worker"])
    assert refused.returncode == 4
    assert data("approve", waiting["first"])["state"] in ("queued", "running", "succeeded")
    assert data("approve", "yes", waiting["second"])["state"] in ("queued", "running", "succeeded")
    rejected = data("approve", "reject", waiting["third"], "--reason", "Too large")
    assert (rejected["state"], rejected["reason"]) == ("rejected", "Too large")
    assert data("approve", "list") == []
    assert run("operation", "wait", waiting["first"]).returncode == 0
    assert run("policy", "retire", "asked", "--reason", "Tried", "--yes").returncode == 0


def test_an_id_that_is_none_is_no_yes(run: Run) -> None:
    assert run("approve", "00000000-0000-0000-0000-000000000000").returncode == 3
    assert run("approve", "lsit").returncode == 2


def _some(question: dict[str, Any]) -> Any:
    if question["kind"] == "flag":
        return True
    if question["kind"] == "choices":
        return question["choices"][:1]
    return question["choices"][0] if question["kind"] == "choice" else "Something"
