"""The staff's first page: what waits, what is in trouble, for whom it is."""

import datetime
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AccountState, PortalRole, User
from activity import lifecycle
from clouds.models import CloudAccount
from operations.models import Health, Operation, OperationState
from projects.models import Application, ApplicationState, Policy, PolicyState, Project
from tests import factories

pytestmark = pytest.mark.django_db
COUNT = re.compile(r'<span class="matter-count" data-part>(\d+)</span>\s*<span>([^<]+)</span>')


@pytest.fixture
def operator(db: None) -> User:
    return make_staff("bob", PortalRole.OPERATOR)


def make_staff(name: str, role: PortalRole) -> User:
    user = factories.make_user(name)
    lifecycle.change(user, portal_roles=[role])
    return user


def page_of(client: Client, user: User) -> str:
    client.force_login(user)
    answer = client.get("/staff/")
    assert answer.status_code == 200
    return answer.content.decode()


def counts(page: str) -> dict[str, int]:
    return {label: int(number) for number, label in COUNT.findall(page)}


def test_it_counts_what_waits_for_somebody(client: Client, admin: User, project: Project, member: User) -> None:
    assert set(counts(page_of(client, admin)).values()) == {0}
    lifecycle.begin([User(username="ada", email="ada@example.org", state=AccountState.CONFIRMED, is_active=False)])
    Application.objects.create(project=project, applicant=member, state=ApplicationState.SUBMITTED)
    Policy.objects.create(name="bare-metal", service="machines:i[1-4]", state=PolicyState.PROPOSED)
    page = page_of(client, admin)
    assert counts(page) == {
        "Accounts that wait": 1,
        "Applications to decide": 1,
        "Wishes that wait for approval": 0,
        "Policies proposed": 1,
        "Failed in the last day": 0,
    }
    assert 'href="/staff/accounts/?state=confirmed"' in page


def test_it_counts_the_wishes_that_wait_or_failed(
    client: Client, operator: User, account: CloudAccount, member: User
) -> None:
    operation = Operation.objects.get(kind="cloud.verify")
    now = timezone.now()
    Operation.objects.filter(pk=operation.pk).update(state=OperationState.FAILED, finished_at=now)
    assert counts(page_of(client, operator))["Failed in the last day"] == 1
    Operation.objects.filter(pk=operation.pk).update(finished_at=now - datetime.timedelta(days=2))
    assert counts(page_of(client, operator))["Failed in the last day"] == 0
    Operation.objects.filter(pk=operation.pk).update(state=OperationState.WAITING)
    assert counts(page_of(client, operator))["Wishes that wait for approval"] == 1


def test_it_names_the_clouds_in_trouble(client: Client, operator: User, account: CloudAccount) -> None:
    assert "Every cloud that is switched on answers." in page_of(client, operator)
    lifecycle.change(account, health=Health.DOWN, health_reason="It does not answer.")
    page = page_of(client, operator)
    assert "It does not answer." in page
    assert f'href="/clouds/{account.pk}/"' in page
    lifecycle.change(account, is_enabled=False)
    assert "Every cloud that is switched on answers." in page_of(client, operator)


def test_each_sees_what_is_theirs_to_look_after(client: Client, project: Project) -> None:
    assert set(counts(page_of(client, make_staff("rita", PortalRole.REVIEWER)))) == {
        "Accounts that wait",
        "Applications to decide",
    }
    assert "Clouds of all projects" in page_of(client, make_staff("audrey", PortalRole.AUDITOR))


def test_it_is_for_staff_alone(client: Client, member: User, lead: User, project: Project) -> None:
    client.force_login(lead)
    assert client.get("/staff/").status_code == 403
    assert 'href="/staff/"' not in client.get("/keys/").content.decode()


def test_staff_find_it_beside_every_page(client: Client, operator: User) -> None:
    client.force_login(operator)
    assert 'href="/staff/"' in client.get("/keys/").content.decode()


def test_it_asks_few_questions(client: Client, admin: User, account: CloudAccount) -> None:
    page_of(client, admin)
    with CaptureQueriesContext(connection) as queries:
        client.get("/staff/")
    assert len(queries) <= 10, "\n".join(query["sql"][:150] for query in queries.captured_queries)


def test_who_sees_all_projects_listens_to_them_by_one_topic(client: Client, admin: User, project: Project) -> None:
    for _ in range(3):
        factories.make_project(lead=factories.make_user())
    page = page_of(client, admin)
    topics = re.search(r'data-live-topics="([^"]*)"', page)
    assert topics
    assert {"portal", "projects", "users", admin.topic} == set(topics[1].split())
