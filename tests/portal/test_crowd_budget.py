"""Projects and their members stay quick however many they are: few statements, and no page of more than 100 rows."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from activity import lifecycle
from projects import services
from projects.models import Invitation, JoinRequest, Membership, Project, ProjectState, RequestState, Role

pytestmark = pytest.mark.django_db

MOST, ROWS, CROWD = 10, 100, 1000


@pytest.fixture
def crowd(project: Project, lead: User) -> list[User]:
    users = User.objects.bulk_create(
        User(username=f"user-{n:04}", email=f"user-{n:04}@example.org", password="!") for n in range(CROWD)
    )
    Membership.objects.bulk_create(Membership(project=project, user=user, role=Role.MEMBER) for user in users)
    return users


@pytest.fixture
def projects(lead: User, member: User) -> list[Project]:
    made = lifecycle.begin(
        [
            Project(name=f"project-{n:04}", title=f"Project {n}", state=ProjectState.ACTIVE, join_open=True)
            for n in range(CROWD)
        ]
    )
    Membership.objects.bulk_create(Membership(project=each, user=lead, role=Role.LEAD) for each in made)
    return made


def measured(client: Client, path: str) -> tuple[int, int]:
    """Statements and rows of a page."""
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path)
    assert answer.status_code == 200
    assert len(asked) <= MOST, "\n".join(query["sql"][:160] for query in asked.captured_queries)
    body = re.search(r"<tbody[^>]*>(.*?)</tbody>", answer.content.decode(), re.DOTALL)
    return len(asked), body[1].count("<tr") if body else 0


@pytest.mark.parametrize("path", ["/projects/", "/projects/?q=project&sort=-name", "/projects/?page=3"])
def test_a_thousand_projects(client: Client, lead: User, projects: list[Project], path: str) -> None:
    client.force_login(lead)
    _, rows = measured(client, path)
    assert 0 < rows <= ROWS


def test_a_thousand_projects_open_to_join(client: Client, member: User, projects: list[Project]) -> None:
    client.force_login(member)
    _, rows = measured(client, "/open-projects/")
    assert 0 < rows <= ROWS


def test_a_thousand_members(client: Client, lead: User, project: Project, crowd: list[User]) -> None:
    client.force_login(lead)
    for path in ("members/", "members/?sort=-joined&page=2", "members/?q=user-09", "", "activity/", "settings/"):
        _, rows = measured(client, f"/projects/fg101/{path}")
        assert rows <= ROWS


def test_a_project_costs_the_same_with_few_and_with_many(client: Client, lead: User, project: Project) -> None:
    client.force_login(lead)
    few, _ = measured(client, "/projects/fg101/members/")
    users = [User(username=f"u{n}", email=f"u{n}@example.org", password="!") for n in range(45)]
    Membership.objects.bulk_create(Membership(project=project, user=each) for each in User.objects.bulk_create(users))
    many, rows = measured(client, "/projects/fg101/members/")
    assert (many, rows) == (few, 47)


def test_who_asks_and_who_is_invited_are_shown_in_few_statements(
    client: Client, lead: User, project: Project, crowd: list[User]
) -> None:
    Membership.objects.filter(user__in=crowd).delete()
    lifecycle.begin([JoinRequest(project=project, user=user, state=RequestState.OPEN) for user in crowd])
    for _ in range(5):
        services.make_link(actor=lead, project=project)
    made = Invitation.objects.first()
    assert made
    client.force_login(lead)
    count, rows = measured(client, "/projects/fg101/members/waiting/")
    assert (rows, count <= MOST) == (5, True)
