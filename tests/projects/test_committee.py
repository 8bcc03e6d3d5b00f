"""What the committee does: votes, quorum, conflicts of interest, decisions and their undoing; and how projects end."""

import datetime
import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import Notice, PortalRole, User
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import Conflict, IllegalTransition, Invalid, NotAllowed
from projects import services, tasks
from projects.models import Application, Project, ProjectState, Quota, Review, Role
from tests import factories
from tests.projects import applying

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def quorum(settings: LazySettings) -> None:
    settings.COMMITTEE_QUORUM = 2


@pytest.fixture
def ada(db: None) -> User:
    return factories.make_user("ada")


@pytest.fixture
def judges(db: None) -> tuple[User, User]:
    return applying.reviewer("jan"), applying.reviewer("jo")


@pytest.fixture
def application(ada: User) -> Application:
    return applying.submitted(ada)


def day(days: int) -> str:
    return (timezone.now() + datetime.timedelta(days=days)).date().isoformat()


# -- votes ---------------------------------------------------------------------------------------------------------


def test_an_approval_needs_the_quorum(application: Application, judges: tuple[User, User], ada: User) -> None:
    jan, jo = judges
    services.review_application(actor=jan, application=application, vote="approve")
    with pytest.raises(Conflict, match="1 of 2 approving votes"):
        services.decide_application(actor=jan, application=application, decision="approve")
    applying.approve(application, jo)
    project = application.project
    assert (application.state, project.state) == ("approved", "active")
    assert project.details == application.answers
    assert project.title == "Quantum weather"
    weeks = (project.ends_at - timezone.now()) / datetime.timedelta(weeks=1)
    assert weeks == pytest.approx(24, abs=0.01)
    assert Notice.objects.filter(user=ada, title__endswith="is approved").count() == 1


def test_with_as_many_against_nothing_is_approved(application: Application, judges: tuple[User, User]) -> None:
    third, fourth = applying.reviewer(), applying.reviewer()
    for judge in judges:
        services.review_application(actor=judge, application=application, vote="approve")
    for judge in (third, fourth):
        services.review_application(actor=judge, application=application, vote="deny", comment="Weak.")
    with pytest.raises(Conflict, match="2 deny it and 2 approve it"):
        services.decide_application(actor=third, application=application, decision="approve")


def test_a_vote_can_be_changed_and_counts_once(application: Application, judges: tuple[User, User]) -> None:
    jan, _ = judges
    for vote in ("approve", "abstain", "approve"):
        services.review_application(actor=jan, application=application, vote=vote)
    assert services.standing(jan, application).approving == 1
    assert Review.objects.count() == 1


@pytest.mark.parametrize(
    ("vote", "sentence"), [("maybe", "A vote is one of"), ("deny", "Say in the comment why"), ("change", "why")]
)
def test_a_vote_that_cannot_be_is_refused_in_words(
    application: Application, judges: tuple[User, User], vote: str, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        services.review_application(actor=judges[0], application=application, vote=vote)


def test_each_submission_is_voted_on_anew(application: Application, judges: tuple[User, User], ada: User) -> None:
    jan, jo = judges
    services.review_application(actor=jan, application=application, vote="approve")
    services.decide_application(actor=jo, application=application, decision="return", reason="How many servers?")
    assert (application.state, application.project.state) == ("returned", "pending")
    services.save_draft(actor=ada, application=application, answers={"resources": {"scale": "Seven"}})
    services.submit_application(actor=ada, application=application)
    assert (application.round, services.standing(jan, application).approving) == (2, 0)
    applying.approve(application, jan, jo)
    assert Review.objects.filter(reviewer=jan).count() == 2


def test_only_what_is_submitted_is_judged(ada: User, judges: tuple[User, User]) -> None:
    draft = applying.draft(ada)
    with pytest.raises(Conflict, match="only what is submitted"):
        services.review_application(actor=judges[0], application=draft, vote="approve")
    with pytest.raises(Conflict, match="only what is submitted"):
        services.decide_application(actor=judges[0], application=draft, decision="deny", reason="No")


# -- conflicts of interest -----------------------------------------------------------------------------------------


def test_nobody_judges_what_they_applied_for(judges: tuple[User, User]) -> None:
    jan, _ = judges
    own = applying.submitted(jan)
    with pytest.raises(NotAllowed, match="You applied for this yourself"):
        services.review_application(actor=jan, application=own, vote="approve")
    with pytest.raises(NotAllowed, match="You applied for this yourself"):
        services.decide_application(actor=jan, application=own, decision="deny", reason="No")


def test_nobody_judges_a_project_of_theirs(project: Project, lead: User, judges: tuple[User, User]) -> None:
    jan, jo = judges
    services.add_member(actor=lead, project=project, user=jan, role=Role.MEMBER)
    services.add_member(actor=lead, project=project, user=jo, role=Role.MEMBER)
    services.remove_member(actor=lead, project=project, user=jo)
    asked = applying.change(lead, project, abstract="Other")
    for judge, reason in ((jan, "You belong to this project"), (jo, "You belonged to this project once")):
        assert services.standing(judge, asked).conflict.startswith(reason)
        with pytest.raises(NotAllowed, match=reason):
            services.review_application(actor=judge, application=asked, vote="approve")
    assert not services.to_do(jan, Application.objects.all()).exists()


def test_a_declared_conflict_stays(application: Application, judges: tuple[User, User]) -> None:
    jan, _ = judges
    assert list(services.to_do(jan, Application.objects.all())) == [application]
    services.review_application(actor=jan, application=application, vote="conflict", comment="A cousin.")
    assert not services.to_do(jan, Application.objects.all()).exists()
    with pytest.raises(NotAllowed, match="You declared a conflict"):
        services.review_application(actor=jan, application=application, vote="approve")
    with pytest.raises(NotAllowed, match="You declared a conflict"):
        services.decide_application(actor=jan, application=application, decision="deny", reason="No")


def test_an_administrator_with_a_conflict_decides_nothing(admin: User, judges: tuple[User, User]) -> None:
    own = applying.submitted(admin)
    for judge in judges:
        services.review_application(actor=judge, application=own, vote="approve")
    with pytest.raises(NotAllowed, match="others decide"):
        services.decide_application(actor=admin, application=own, decision="approve")


def test_who_is_no_reviewer_neither_votes_nor_decides(application: Application, stranger: User) -> None:
    operator = factories.make_user()
    operator.portal_roles = [PortalRole.OPERATOR]
    for user in (stranger, operator):
        with pytest.raises(NotAllowed):
            services.review_application(actor=user, application=application, vote="approve")
        with pytest.raises(NotAllowed):
            services.decide_application(actor=user, application=application, decision="approve")


# -- decisions -----------------------------------------------------------------------------------------------------


def test_a_denial_says_why_and_ends_the_project(application: Application, judges: tuple[User, User], ada: User) -> None:
    with pytest.raises(Invalid, match="Say why"):
        services.decide_application(actor=judges[0], application=application, decision="deny", reason=" ")
    services.decide_application(actor=judges[0], application=application, decision="deny", reason="Out of scope.")
    assert (application.state, application.project.state) == ("denied", "denied")
    assert Notice.objects.get(user=ada, title__endswith="is denied").text == "Out of scope."
    again = services.start_application(actor=ada, project=application.project)
    assert services.submit_application(actor=ada, application=again).project.state == ProjectState.PENDING


def test_another_end_date_is_granted(application: Application, judges: tuple[User, User]) -> None:
    until = timezone.now() + datetime.timedelta(days=30)
    applying.approve(application, *judges, ends_at=until)
    assert application.project.ends_at == until


def test_what_cannot_be_granted_is_refused(application: Application, judges: tuple[User, User]) -> None:
    with pytest.raises(Invalid, match="Only an allocation"):
        applying.approve(application, *judges, limits=[])
    with pytest.raises(Invalid, match="after today"):
        applying.approve(application, *judges, ends_at=timezone.now() - datetime.timedelta(days=1))
    application.refresh_from_db()
    assert (application.state, application.project.state) == ("submitted", "pending")


def test_a_change_becomes_part_of_what_was_approved(project: Project, lead: User, judges: tuple[User, User]) -> None:
    Project.objects.filter(pk=project.pk).update(details=applying.complete_answers(title="Old"))
    project.refresh_from_db()
    asked = applying.change(lead, project, abstract="New words")
    applying.approve(asked, *judges)
    project.refresh_from_db()
    assert project.details["details"]["abstract"] == "New words"
    assert project.details["information"]["title"] == "Old"
    assert "reason" not in project.details
    [difference] = services.application_differences(asked)
    assert (difference.before, difference.after) == ("About abstract", "New words")


def test_an_expired_project_is_renewed(project: Project, lead: User, judges: tuple[User, User]) -> None:
    yesterday = timezone.now() - datetime.timedelta(days=1)
    Project.objects.filter(pk=project.pk).update(state=ProjectState.EXPIRED, ends_at=yesterday)
    project.refresh_from_db()
    asked = applying.renewal(lead, project, day(100))
    applying.approve(asked, *judges)
    assert (asked.project.state, asked.project.ends_at.date().isoformat()) == ("active", day(100))
    services.undo_decision(actor=judges[0], application=asked)
    assert (asked.project.state, asked.project.ends_at) == ("expired", yesterday)


def test_limits_are_granted_as_asked_or_otherwise(project: Project, lead: User, judges: tuple[User, User]) -> None:
    Quota.objects.create(project=project, resource="cores", limit=8)
    cores, ram = {"resource": "cores", "limit": 64}, {"resource": "ram", "limit": 2048}
    asked = applying.allocation(lead, project, cores, ram)
    applying.approve(asked, *judges, limits=[{"scope": "", "resource": "cores", "limit": 32}])
    assert limits(project) == {"cores": 32}
    told = {each.resource: (each.before, each.asked, each.granted) for each in services.asked_limits(asked, {})}
    assert told["ram"][1:] == (2048, None)
    services.undo_decision(actor=judges[0], application=asked)
    assert limits(project) == {"cores": 8}
    applying.approve(asked, *judges)
    assert limits(project) == {"cores": 64, "ram": 2048}
    services.undo_decision(actor=judges[0], application=asked)
    assert limits(project) == {"cores": 8}


def limits(project: Project) -> dict[str, int]:
    return dict(Quota.objects.filter(project=project).values_list("resource", "limit"))


def test_a_project_that_was_blocked_meanwhile_gets_nothing(
    project: Project, lead: User, admin: User, judges: tuple[User, User]
) -> None:
    asked = applying.allocation(lead, project, {"resource": "cores", "limit": 64})
    services.block_project(actor=admin, project=project, reason="Mining")
    with pytest.raises(Conflict, match="is blocked by now"):
        applying.approve(asked, *judges)
    assert limits(project) == {}


# -- at the same instant -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_at_the_same_instant_one_wins(settings: LazySettings) -> None:
    settings.COMMITTEE_QUORUM = 1
    jan, jo = applying.reviewer("jan"), applying.reviewer("jo")
    application = applying.submitted(factories.make_user("ada"))
    services.review_application(actor=jan, application=application, vote="approve")
    wishes: Any = iter([(jan, "approve"), (jo, "deny")])

    def decide() -> str:
        judge, decision = next(wishes)
        mine = Application.objects.get(pk=application.pk)
        try:
            return services.decide_application(
                actor=judge, application=mine, decision=decision, reason="So it is."
            ).state
        except Conflict:
            return "late"

    outcomes = factories.at_once(2, decide)
    application.refresh_from_db()
    assert sorted(outcomes) == sorted([application.state, "late"])
    assert application.project.state == {"approved": "active", "denied": "denied"}[application.state]
    decided = Event.objects.filter(object_id=application.pk, to_state__in=["approved", "denied"])
    assert decided.count() == 1


# -- taking back ---------------------------------------------------------------------------------------------------


def test_a_decision_is_taken_back_while_nothing_followed(application: Application, judges: tuple[User, User]) -> None:
    applying.approve(application, *judges)
    services.undo_decision(actor=judges[0], application=application)
    project = application.project
    assert (application.state, project.state, project.details, project.ends_at) == ("submitted", "pending", {}, None)
    assert services.standing(judges[0], application).approving == 2
    services.decide_application(actor=judges[0], application=application, decision="deny", reason="No, after all.")
    services.undo_decision(actor=judges[0], application=application)
    assert (application.state, application.project.state) == ("submitted", "pending")


def test_what_followed_is_named(application: Application, judges: tuple[User, User], ada: User) -> None:
    applying.approve(application, *judges)
    later = services.start_application(actor=ada, kind="renewal", project=application.project)
    assert services.why_not_undo(judges[0], application) == (
        f"This followed from it already: application {later} created. Block or complete the project instead."
    )
    with pytest.raises(Conflict, match="followed from it already"):
        services.undo_decision(actor=judges[0], application=application)


def test_a_wish_or_a_quota_is_something_that_followed(application: Application, judges: tuple[User, User]) -> None:
    applying.approve(application, *judges)
    project = application.project
    for kind, verb in (("operation", "created"), ("quota", "changed")):
        lifecycle.note(kind=kind, verb=verb, topic=project.topic, project_id=project.pk, name="it")
    followed = services.why_not_undo(judges[0], application)
    assert "operation it created, quota it changed" in followed


def test_only_a_decision_is_taken_back_and_only_by_those_without_a_conflict(
    application: Application, judges: tuple[User, User], stranger: User
) -> None:
    with pytest.raises(Conflict, match="only an approval or a denial"):
        services.undo_decision(actor=judges[0], application=application)
    applying.approve(application, *judges)
    with pytest.raises(NotAllowed):
        services.undo_decision(actor=stranger, application=application)


# -- the end -------------------------------------------------------------------------------------------------------


def test_leads_are_warned_once_and_then_it_ends(project: Project, lead: User, member: User) -> None:
    def end_in(**time: float) -> None:
        Project.objects.filter(pk=project.pk).update(ends_at=timezone.now() + datetime.timedelta(**time))
        Notice.objects.all().delete()
        for _ in range(2):
            tasks.end_projects()

    end_in(days=31)
    assert not Notice.objects.exists()
    end_in(days=29)
    assert [notice.user for notice in Notice.objects.all()] == [lead]
    end_in(days=6.9)
    assert [notice.user for notice in Notice.objects.all()] == [lead]
    end_in(days=-0.1)
    project.refresh_from_db()
    assert project.state == ProjectState.EXPIRED
    assert {notice.user for notice in Notice.objects.all()} == {lead, member}


def test_completing_takes_back_what_is_asked_for(project: Project, lead: User, member: User, admin: User) -> None:
    asked = applying.allocation(lead, project, {"resource": "cores", "limit": 64})
    with pytest.raises(NotAllowed):
        services.complete_project(actor=member, project=project)
    services.complete_project(actor=lead, project=project, reason="Done.")
    asked.refresh_from_db()
    assert (project.state, asked.state) == ("completed", "withdrawn")
    with pytest.raises(IllegalTransition):
        services.block_project(actor=admin, project=project, reason="Too late")


def test_a_blocked_project_goes_on_when_administrators_say_so(project: Project, lead: User, admin: User) -> None:
    with pytest.raises(NotAllowed):
        services.block_project(actor=lead, project=project, reason="Why not")
    with pytest.raises(Invalid):
        services.block_project(actor=admin, project=project, reason="")
    services.block_project(actor=admin, project=project, reason="Mining.")
    with pytest.raises(NotAllowed):
        services.complete_project(actor=lead, project=project)
    services.unblock_project(actor=admin, project=project)
    assert project.state == ProjectState.ACTIVE


# -- pages ---------------------------------------------------------------------------------------------------------


def test_the_inbox_shows_what_is_mine_to_do(
    client: Client, application: Application, judges: tuple[User, User], django_assert_max_num_queries: Any
) -> None:
    jan, _ = judges
    own = applying.submitted(jan, "Jan's own")
    for number in range(5):
        applying.submitted(factories.make_user(), f"Project {number}")
    client.force_login(jan)
    client.get("/committee/")
    with django_assert_max_num_queries(10):
        page = client.get("/committee/")
    shown = page.context["applications"]
    assert [each.pk for each in shown][:2] == [application.pk, own.pk]
    assert shown[1].standing.conflict
    assert own.pk not in [each.pk for each in client.get("/committee/?show=todo").context["applications"]]
    assert client.get("/committee/?show=decided").context["applications"] == []


def test_the_committees_pages_are_its_own(client: Client, application: Application, ada: User, stranger: User) -> None:
    for user, status in ((ada, 403), (stranger, 403)):
        client.force_login(user)
        assert client.get("/committee/").status_code == status
    for user, status in ((ada, 403), (stranger, 404)):
        client.force_login(user)
        assert client.get(f"/committee/{application.pk}/").status_code == status
        assert client.post(f"/committee/{application.pk}/decide/", {"decision": "approve"}).status_code == status


def test_from_vote_to_decision_and_back_on_the_page(
    client: Client, application: Application, judges: tuple[User, User]
) -> None:
    page = f"/committee/{application.pk}/"
    for judge in judges:
        client.force_login(judge)
        before = client.get(page).context["decisions"]
        assert "more must approve" in before[0]["why_not"]
        assert client.post(f"{page}vote/", {"vote": "approve"}, headers=HTMX).status_code == 204
    refused = client.post(f"{page}decide/", {"decision": "deny"}, headers=HTMX)
    assert (refused.status_code, json.loads(refused.content)["detail"]) == (400, "Say why; the applicant reads it.")
    granted = {"decision": "approve", "ends_at": day(50)}
    assert client.post(f"{page}decide/", granted, headers=HTMX).status_code == 204
    application.refresh_from_db()
    assert application.project.ends_at.date().isoformat() == day(50)
    assert client.get(page).context["why_not_undo"] == ""
    assert client.post(f"{page}undo/", headers=HTMX).status_code == 204
    assert Application.objects.get().state == "submitted"


def test_an_allocation_is_granted_on_the_page(
    client: Client, project: Project, lead: User, judges: tuple[User, User]
) -> None:
    asked = applying.allocation(lead, project, {"resource": "cores", "limit": 64})
    for judge in judges:
        services.review_application(actor=judge, application=asked, vote="approve")
    client.force_login(judges[0])
    page = f"/committee/{asked.pk}/"
    assert 'value="64"' in client.get(page).content.decode()
    granted = {"decision": "approve", "limits_0": "", "limits_1": "cores", "limits_2": "16"}
    assert client.post(f"{page}decide/", granted).status_code == 302
    assert limits(project) == {"cores": 16}


def test_a_project_tells_its_course_and_ends_on_its_page(
    client: Client, project: Project, lead: User, member: User, admin: User
) -> None:
    page = f"/projects/{project.name}"
    client.force_login(member)
    assert client.get(f"{page}/applications/").status_code == 403
    assert client.post(f"{page}/complete/").status_code == 403
    client.force_login(lead)
    asks = client.get(f"{page}/applications/").context["asks"]
    assert [kind for kind, _ in asks] == ["change", "renewal", "allocation"]
    client.force_login(admin)
    assert client.post(f"{page}/block/", {"reason": "Mining"}, headers=HTMX).status_code == 204
    assert client.get(f"{page}/applications/").context["may_unblock"]
    assert client.post(f"{page}/unblock/", headers=HTMX).status_code == 204
    client.force_login(lead)
    assert client.post(f"{page}/complete/", headers=HTMX).status_code == 204
    assert [kind for kind, _ in client.get(f"{page}/applications/").context["asks"]] == ["renewal"]
