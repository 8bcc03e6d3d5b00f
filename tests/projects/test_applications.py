"""What applicants do: drafts, answers, submissions, changes, and who sees which of it."""

import datetime
import json
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import Notice, User
from cloudmesh.errors import Conflict, Invalid, NotAllowed, NotFound
from projects import access, services
from projects.models import (
    Application,
    ApplicationKind,
    ApplicationState,
    Membership,
    Project,
    ProjectState,
    Remark,
    Review,
    Role,
)
from projects.services.sections import TEN
from tests import factories
from tests.projects import applying
from tests.rest import Api

pytestmark = pytest.mark.django_db

Login = Callable[..., Api]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ada(db: None) -> User:
    return factories.make_user("ada")


# -- drafts --------------------------------------------------------------------------------------------------------


def test_a_new_application_makes_a_draft_project_that_the_applicant_leads(ada: User) -> None:
    application = services.start_application(actor=ada, title="Quantum Wetter für Köln")
    project = application.project
    assert (project.name, project.title, project.state) == (
        "quantum-wetter-fur-koln",
        "Quantum Wetter für Köln",
        ProjectState.DRAFT,
    )
    assert Membership.objects.get(project=project).role == Role.LEAD
    assert application.state == ApplicationState.DRAFT
    assert application.answers == {"information": {"title": "Quantum Wetter für Köln"}}


def test_two_projects_of_one_title_get_different_names(ada: User) -> None:
    names = [services.start_application(actor=ada, title="Weather").project.name for _ in range(2)]
    assert names == ["weather", "weather-2"]
    with pytest.raises(Conflict, match="'weather' already"):
        services.start_application(actor=ada, title="Another", name="weather")


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_instant_get_different_names() -> None:
    people = iter([factories.make_user(), factories.make_user()])
    names = factories.at_once(2, lambda: services.start_application(actor=next(people), title="Race").project.name)
    assert sorted(names) == ["race", "race-2"]


def test_a_project_needs_a_title(ada: User) -> None:
    with pytest.raises(Invalid, match="title"):
        services.start_application(actor=ada)


def test_nobody_hoards_drafts(ada: User) -> None:
    for number in range(10):
        services.start_application(actor=ada, title=f"Draft {number}")
    with pytest.raises(Conflict, match="10 open applications"):
        services.start_application(actor=ada, title="One more")


def test_a_draft_keeps_what_is_said_and_loses_nothing(ada: User) -> None:
    application = services.start_application(actor=ada, title="Weather")
    services.save_draft(actor=ada, application=application, answers={"details": {"abstract": "Rain."}})
    services.save_draft(actor=ada, application=application, answers={"details": {"results": "Snow."}})
    services.save_draft(actor=ada, application=application, answers={"information": {"title": "Sun"}})
    application.refresh_from_db()
    assert application.answers["details"] == {"abstract": "Rain.", "results": "Snow."}
    assert Project.objects.get().title == "Sun"


def test_who_saves_on_top_of_anothers_answers_is_told(ada: User) -> None:
    application = services.start_application(actor=ada, title="Weather")
    seen = application.version
    services.save_draft(actor=ada, application=application, answers={"details": {"abstract": "A"}}, version=seen)
    with pytest.raises(Conflict, match="Somebody else saved"):
        services.save_draft(actor=ada, application=application, answers={"details": {"abstract": "B"}}, version=seen)
    assert Application.objects.get().answers["details"]["abstract"] == "A"


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"detials": {}}, "There is no section 'detials'.*Did you mean details"),
        ({"details": {"abstrakt": "x"}}, "no question 'abstrakt'.*Did you mean abstract"),
        ({"details": {"abstract": 3}}, "Abstract: this must be text"),
        ({"details": {"abstract": "x" * 8001}}, "at most 8000 characters"),
        ({"details": "x"}, "must be an object"),
        ({"information": {"category": "sience"}}, "Category: 'sience' is no choice"),
        ({"information": {"url": "javascript:alert(1)"}}, "is no web address"),
        ({"resources": {"services": "mpi"}}, "must be a list of choices"),
        ({"agreements": {"use": "yes"}}, "true or false"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_in_words(ada: User, answers: object, sentence: str) -> None:
    application = services.start_application(actor=ada, title="Weather")
    with pytest.raises(Invalid, match=sentence):
        services.save_draft(actor=ada, application=application, answers=answers)  # type: ignore[arg-type]


# -- submitting and taking back ------------------------------------------------------------------------------------


def test_all_that_is_missing_is_named_by_section_and_question(ada: User) -> None:
    application = services.start_application(actor=ada, title="Weather")
    with pytest.raises(Invalid) as refused:
        services.submit_application(actor=ada, application=application)
    assert "Details: Abstract, Intellectual merit, Broader impact" in refused.value.message
    assert "Information: Category, Keywords" in refused.value.message
    assert {"section": "location", "question": "country"} in refused.value.facts["gaps"]
    required = sum(question.required for section in TEN for question in section.questions)
    assert len(refused.value.facts["gaps"]) == required - 1


def test_an_agreement_that_is_not_agreed_to_is_a_gap(ada: User) -> None:
    application = applying.draft(ada)
    services.save_draft(actor=ada, application=application, answers={"agreements": {"software": False}})
    with pytest.raises(Invalid, match="Agreements: We will share the software"):
        services.submit_application(actor=ada, application=application)


def test_submitting_moves_both_and_tells_the_committee(ada: User) -> None:
    judge = applying.reviewer("judge")
    application = applying.submitted(ada)
    assert (application.state, application.round, application.project.state) == ("submitted", 1, "pending")
    assert Notice.objects.get(user=judge).url == f"/committee/{application.pk}/"
    assert not Notice.objects.filter(user=ada).exists()
    with pytest.raises(Conflict, match="answers change only in a draft"):
        services.save_draft(actor=ada, application=application, answers={})
    with pytest.raises(Conflict):
        services.submit_application(actor=ada, application=application)


def test_what_was_withdrawn_can_be_applied_for_again(ada: User) -> None:
    application = applying.submitted(ada)
    services.withdraw_application(actor=ada, application=application)
    assert (application.state, application.project.state) == ("withdrawn", "draft")
    with pytest.raises(Conflict):
        services.withdraw_application(actor=ada, application=application)
    again = services.start_application(actor=ada, project=application.project)
    assert again.answers == application.answers
    services.submit_application(actor=ada, application=again)
    assert again.project.state == ProjectState.PENDING


def test_one_of_each_kind_is_open_at_a_time(project: Project, lead: User) -> None:
    services.start_application(actor=lead, kind=ApplicationKind.CHANGE, project=project)
    with pytest.raises(Conflict, match="open application already"):
        services.start_application(actor=lead, kind=ApplicationKind.CHANGE, project=project)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_instant_one_begins(project: Project, lead: User) -> None:
    def begin() -> str:
        try:
            return services.start_application(actor=lead, kind=ApplicationKind.CHANGE, project=project).state
        except Conflict:
            return "refused"

    assert sorted(factories.at_once(2, begin)) == ["draft", "refused"]


def test_a_token_of_one_project_applies_for_no_other(ada: User) -> None:
    ada.only_project = factories.make_project(lead=ada).pk
    with pytest.raises(NotAllowed, match="API token"):
        services.start_application(actor=ada, title="Elsewhere")


# -- changes, renewals, allocations --------------------------------------------------------------------------------


def test_a_change_holds_only_what_is_different(project: Project, lead: User) -> None:
    Project.objects.filter(pk=project.pk).update(details=applying.complete_answers(title="Old"))
    project.refresh_from_db()
    whole = applying.complete_answers(title="Old")
    whole["details"]["abstract"] = "Something else"
    whole["location"]["street"] = ""
    application = services.start_application(
        actor=lead, kind=ApplicationKind.CHANGE, project=project, answers={**whole, "reason": {"text": "News"}}
    )
    assert application.answers == {"reason": {"text": "News"}, "details": {"abstract": "Something else"}}
    [difference] = services.application_differences(application)
    assert (difference.question.label, difference.before, difference.after) == (
        "Abstract",
        "About abstract",
        "Something else",
    )


def test_a_change_says_why_and_what(project: Project, lead: User) -> None:
    application = services.start_application(actor=lead, kind=ApplicationKind.CHANGE, project=project)
    with pytest.raises(Invalid, match="Reason: Why the project changes"):
        services.submit_application(actor=lead, application=application)
    services.save_draft(actor=lead, application=application, answers={"reason": {"text": "Because"}})
    with pytest.raises(Invalid, match="Nothing is changed yet"):
        services.submit_application(actor=lead, application=application)


@pytest.mark.parametrize(("day", "sentence"), [("2001-01-01", "after today"), ("2999-01-01", "five years")])
def test_a_renewal_ends_in_some_years(project: Project, lead: User, day: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        applying.renewal(lead, project, day)


def test_a_renewal_goes_beyond_the_end_there_is(project: Project, lead: User) -> None:
    today = datetime.datetime.now(datetime.UTC)
    Project.objects.filter(pk=project.pk).update(ends_at=today + datetime.timedelta(days=90))
    project.refresh_from_db()
    with pytest.raises(Invalid, match="already; ask for a later day"):
        applying.renewal(lead, project, (today + datetime.timedelta(days=30)).date().isoformat())


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ({"resource": "core", "limit": 1}, "'core' is no resource.*Did you mean cores"),
        ({"resource": "cores", "limit": -1}, "whole number from 0"),
        ({"resource": "cores", "limit": True}, "whole number"),
        ({"resource": "cores", "limit": 1, "scope": "cloud:nowhere"}, "no 'cloud:nowhere'"),
        ({"resource": "cores", "limit": 1, "for": "me"}, "a limit is an object"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_in_words(
    project: Project, lead: User, limit: dict[str, object], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        applying.allocation(lead, project, limit)


def test_members_ask_for_nothing_and_blocked_projects_get_nothing(project: Project, lead: User, member: User) -> None:
    with pytest.raises(NotAllowed):
        services.start_application(actor=member, kind=ApplicationKind.CHANGE, project=project)
    Project.objects.filter(pk=project.pk).update(state=ProjectState.BLOCKED)
    project.refresh_from_db()
    for kind in (ApplicationKind.CHANGE, ApplicationKind.RENEWAL, ApplicationKind.ALLOCATION):
        with pytest.raises(Conflict, match="is blocked"):
            services.start_application(actor=lead, kind=kind, project=project)


# -- who sees what -------------------------------------------------------------------------------------------------


def test_drafts_are_the_applicants_and_submissions_the_committees_too(ada: User, stranger: User, admin: User) -> None:
    judge = applying.reviewer()
    application = applying.draft(ada)
    for user, sees in ((ada, True), (stranger, False), (judge, False), (admin, True)):
        assert access.visible(Application, user).filter(pk=application.pk).exists() is sees
    services.submit_application(actor=ada, application=application)
    for user, sees in ((stranger, False), (judge, True)):
        assert access.visible(Application, user).filter(pk=application.pk).exists() is sees
    with pytest.raises(NotFound):
        access.fetch(Application, application.pk, actor=stranger, permission="application.view")
    with pytest.raises(NotAllowed):
        access.fetch(Application, application.pk, actor=judge, permission="application.edit")


def test_internal_remarks_and_votes_never_reach_applicants_be_they_reviewers(ada: User, client: Client) -> None:
    judge, applicant = applying.reviewer("judge"), applying.reviewer("applicant")
    application = applying.submitted(applicant)
    services.remark(actor=judge, application=application, text="Weak, I think.", is_internal=True)
    services.remark(actor=judge, application=application, text="How many servers?")
    services.review_application(actor=judge, application=application, vote="deny", comment="Too weak.")
    assert access.visible(Review, judge).count() == 1
    assert not access.visible(Review, applicant).exists()
    assert [each.text for each in access.visible(Remark, applicant)] == ["How many servers?"]
    assert not Notice.objects.filter(user=applicant, text__contains="weak").exists()
    client.force_login(applicant)
    for path in ("applications", "committee"):
        page = client.get(f"/{path}/{application.pk}/").content.decode()
        assert "How many servers?" in page
        assert "eak" not in page.replace("break", "")


def test_questions_and_answers_reach_the_other_side(ada: User) -> None:
    judge = applying.reviewer("judge")
    application = applying.submitted(ada)
    Notice.objects.all().delete()
    services.remark(actor=judge, application=application, text="How many?")
    assert [(each.user, each.text) for each in Notice.objects.all()] == [(ada, "How many?")]
    services.remark(actor=ada, application=application, text="Seven.")
    assert Notice.objects.filter(user=judge, text="Seven.").count() == 1
    with pytest.raises(NotAllowed):
        services.remark(actor=ada, application=application, text="Psst.", is_internal=True)
    with pytest.raises(Invalid):
        services.remark(actor=ada, application=application, text="  ")


# -- pages ---------------------------------------------------------------------------------------------------------


def test_from_the_first_page_to_the_submission(client: Client, ada: User) -> None:
    client.force_login(ada)
    begun = client.post("/applications/new/?kind=new", {"title": "Weather", "name": ""})
    application = Application.objects.get()
    assert begun.headers["Location"] == f"/applications/{application.pk}/edit/"
    page = f"/applications/{application.pk}/edit/"
    assert client.get(page).headers["Location"].endswith("/edit/information/")
    answers = applying.complete_answers(title="Weather")
    for section in TEN:
        where = f"{page}{section.name}/"
        assert client.get(where).status_code == 200
        given = {name: "on" if value is True else value for name, value in answers[section.name].items()}
        version = str(Application.objects.get().version)
        assert client.post(where, {**given, "version": version, "go": "on"}).status_code == 302
    assert not services.application_gaps(Application.objects.get())
    client.post(f"/applications/{application.pk}/submit/")
    assert Application.objects.get().state == ApplicationState.SUBMITTED
    assert client.get(f"/applications/{application.pk}/").status_code == 200
    assert client.get(f"{page}details/").headers["Location"] == f"/applications/{application.pk}/"


def test_each_answer_is_kept_as_it_is_given(client: Client, ada: User) -> None:
    client.force_login(ada)
    application = services.start_application(actor=ada, title="Weather")
    where = f"/applications/{application.pk}/edit/details/"
    saved = client.post(where, {"abstract": "Rain.", "version": application.version}, headers=HTMX)
    assert saved.status_code == 200
    assert f'name="version" value="{application.version + 1}"' in saved.content.decode()
    late = client.post(where, {"abstract": "Sun.", "version": application.version}, headers=HTMX)
    assert (late.status_code, "Somebody else" in json.loads(late.content)["detail"]) == (409, True)
    wrong = client.post(f"/applications/{application.pk}/edit/information/", {"category": "x"}, headers=HTMX)
    assert wrong.status_code == 400
    assert Application.objects.get().answers["details"]["abstract"] == "Rain."


def test_limits_are_asked_for_in_rows(client: Client, project: Project, lead: User) -> None:
    client.force_login(lead)
    client.post("/applications/new/?kind=allocation", {"project": project.name})
    application = Application.objects.get()
    where = f"/applications/{application.pk}/edit/allocation/"
    assert client.get(where).status_code == 200
    row = {"limits_0": "", "limits_1": "cores", "limits_2": "64", "reason": "Large"}
    assert client.post(where, row).status_code == 302
    application.refresh_from_db()
    assert application.answers["allocation"]["limits"] == [{"scope": "", "resource": "cores", "limit": 64}]
    refused = client.post(where, row | {"limits_2": "many"})
    assert (refused.status_code, "as a whole number" in refused.content.decode()) == (400, True)


def test_a_list_of_many_asks_a_constant_number_of_questions(
    client: Client, ada: User, django_assert_max_num_queries: object
) -> None:
    for number in range(8):
        services.start_application(actor=ada, title=f"Draft {number}")
    client.force_login(ada)
    client.get("/applications/")
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        page = client.get("/applications/")
    assert len(page.context["applications"]) == 8


# -- over REST -----------------------------------------------------------------------------------------------------


def test_applying_over_rest(api: Login, ada: User, stranger: User) -> None:
    asking = api(ada)
    made = asking.post("applications/", {"title": "Weather", "answers": {"details": {"abstract": "Rain."}}})
    assert (made.status, made["project"], made["state"], made["standing"]) == (201, "weather", "draft", None)
    place = f"applications/{made['id']}/"
    refused = asking.post(f"{place}submit/")
    assert (refused.status, {"section": "details", "question": "broader_impact"} in refused["gaps"]) == (400, True)
    saved = asking.change(place, {"answers": applying.complete_answers(title="Sun"), "version": made["version"]})
    assert (saved.status, saved["gaps"], saved["title"]) == (200, [], "Sun")
    assert asking.change(place, {"answers": {"grant": {"id": "7"}}, "version": made["version"]}).status == 409
    assert asking.post(f"{place}submit/")["state"] == "submitted"
    assert [each["id"] for each in asking.get("applications/", {"state": "submitted"}).results] == [made["id"]]
    assert api(stranger).get(place).status == 404
    assert asking.post(f"{place}withdraw/", {"reason": "Later."})["reason"] == "Later."


def test_reviewing_and_deciding_over_rest(api: Login, ada: User, settings: LazySettings) -> None:
    settings.COMMITTEE_QUORUM = 1
    judge = applying.reviewer("judge")
    application = applying.submitted(ada)
    place, judging = f"applications/{application.pk}/", api(judge)
    judging.post(f"{place}remark/", {"text": "Hm.", "is_internal": True})
    voted = judging.post(f"{place}review/", {"vote": "approve"})
    assert (voted["standing"]["approving"], voted["reviews"][0]["vote"]) == (1, "approve")
    assert api(ada).post(f"{place}decide/", {"decision": "approve"}).status == 403
    assert judging.post(f"{place}decide/", {"decision": "approve", "ends_at": "2001-01-01"}).status == 400
    assert judging.post(f"{place}decide/", {"decision": "approve"})["state"] == "approved"
    seen = api(ada).get(place)
    assert (seen["remarks"], seen["reviews"], seen["standing"]) == ([], [], None)
    assert judging.post(f"{place}undo/")["state"] == "submitted"


def test_the_questions_are_told(api: Login, ada: User) -> None:
    told = api(ada).get("sections/new/").results
    assert [each["name"] for each in told] == [section.name for section in TEN]
    assert told[0]["questions"][1]["choices"][0] == "computer-science"
    assert "kind is one of" in api(ada).get("sections/newest/").detail
