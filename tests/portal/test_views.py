"""The frame of all pages, the dashboard, search, events, failures and probes."""

import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from activity import events, lifecycle
from clouds.models import CloudAccount, Server
from operations.models import Health
from portal.views import chrome, numbered
from projects.models import Project
from tests import factories
from tests.factories import make_project, make_user

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
PAGES = (
    "/", "/servers/", "/servers/boot/", "/servers/next/", "/clouds/", "/clouds/register/", "/images/", "/flavors/",
    "/keys/", "/operations/", "/events/", "/health/", "/search/?q=a",
)  # fmt: skip
OPEN = {
    "/login/",
    "/login/code/",
    "/healthz",
    "/readyz",
    "/apply/",
    "/apply/sent/",
    "/password/forgotten/",
    "/password/sent/",
}  # to strangers


@pytest.fixture
def web(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


# -- the frame -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_page_hears_again_what_happened_while_it_was_made(rf: RequestFactory, member: User) -> None:
    def page(request: HttpRequest) -> HttpResponse:
        happen(member)
        return HttpResponse()

    happen(member)
    request = rf.get("/servers/")
    request.user = member
    before = events.last()
    numbered(page).process_view(request, page, (), {})  # type: ignore[attr-defined]
    page(request)
    assert chrome(request)["live_seq"] == before < events.last()


def happen(user: User) -> None:
    lifecycle.note(kind="key", verb="created", topic=user.topic)


@pytest.mark.parametrize("path", PAGES)
def test_pages_show_to_those_who_are_signed_in_alone(web: Client, server: Server, path: str) -> None:
    assert web.get(path).status_code == 200
    assert Client().get(path).headers["Location"].startswith("/login/?next=")


def test_no_page_is_open_to_strangers_by_mistake(db: None) -> None:
    for path in plain_paths(get_resolver().url_patterns):
        if path not in OPEN and not path.startswith(("/admin/", "/api/")):
            answer = Client().get(path)
            assert answer.status_code in (302, 405), path


def plain_paths(patterns: list[Any], root: str = "/") -> list[str]:
    """Of all pages those without a variable in their path."""
    found = []
    for pattern in patterns:
        path = f"{root}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            found += plain_paths(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and "<" not in path and "(" not in path:
            found.append(path)
    return found


def test_the_frame_says_where_one_works_and_how_the_clouds_are(
    web: Client, member: User, account: CloudAccount
) -> None:
    lifecycle.change(account, health=Health.DOWN, health_reason="It is on fire.")
    context = web.get("/").context
    assert context["project"] == account.project
    assert [(cloud["name"], cloud["state"], cloud["reason"]) for cloud in context["health"]] == [
        ("india", "down", "It is on fire.")
    ]
    assert set(context["live_topics"]) == {"portal", member.topic, account.project.topic}


def test_clouds_of_others_are_not_told(web: Client, account: CloudAccount, stranger: User) -> None:
    web.force_login(stranger)
    context = web.get("/").context
    assert context["health"] == []
    assert account.project.topic not in context["live_topics"]


def test_working_elsewhere(web: Client, member: User, project: Project) -> None:
    other = make_project("fg202", lead=make_user(), members=(member,))
    assert web.post("/project/", {"project": "fg202", "next": "/servers/"}).headers["Location"] == "/servers/"
    assert web.get("/").context["project"] == other
    assert web.post("/project/", {"project": "fg999"}).status_code == 404


def test_somebody_without_a_project_can_look_around(web: Client) -> None:
    web.force_login(make_user())
    page = web.get("/")
    assert page.status_code == 200
    assert "not in any active project" in page.content.decode()
    assert web.get("/servers/").status_code == 200


# -- the dashboard, search and events --------------------------------------------------------------------------


def test_the_dashboard_shows_clouds_and_what_comes_next(web: Client, server: Server, member: User) -> None:
    context = web.get("/").context
    assert [cloud.states for cloud in context["clouds"]] == [[{"state": "active", "count": 1}]]
    assert context["next"]["name"] == "gregor_2"


def found(web: Client, words: str) -> list[tuple[str, str]]:
    results = json.loads(web.get("/search/", {"q": words}).content)["results"]
    return [(result["group"], result["title"]) for result in results]


def test_search_finds_and_offers_what_can_be_done(web: Client, server: Server) -> None:
    assert ("server", "gregor_1") in found(web, "gor_1")
    assert ("cloud", "india") in found(web, "ind")
    assert ("do", "Boot gregor_2") in found(web, "boot")
    assert ("do", "Stop gregor_1") in found(web, "stop gregor")
    assert found(web, "") == []


def test_search_finds_nothing_of_others(web: Client, server: Server, stranger: User) -> None:
    web.force_login(stranger)
    assert found(web, "gregor") == found(web, "india") == []


def test_events_are_those_of_ones_projects_and_oneself(web: Client, server: Server, stranger: User) -> None:
    lifecycle.note(kind="server", verb="seen", topic="project:0", name="not-mine", project_id=Project().pk)
    names = {event.name for event in web.get("/events/").context["events"]}
    assert "gregor_1" in names
    assert "not-mine" not in names
    web.force_login(stranger)
    assert "gregor_1" not in web.get("/events/").content.decode()


def test_what_is_of_little_news_is_found_only_by_asking(web: Client, account: CloudAccount, member: User) -> None:
    factories.boot(account, member)
    verbs = {event.verb for event in web.get("/events/").context["events"]}
    assert {"requested", "active", "succeeded"} <= verbs
    assert not {"decrypted", "progress"} & verbs
    assert "progress" in {event.verb for event in web.get("/events/?kind=operation").context["events"]}
    assert {event.verb for event in web.get("/events/?kind=credential").context["events"]} == {"decrypted"}


# -- failures --------------------------------------------------------------------------------------------------


def test_a_page_that_is_not_there_says_so(web: Client) -> None:
    for path in ("/nowhere/", "/servers/01a20000-0000-7000-8000-000000000000/"):
        answer = web.get(path)
        assert answer.status_code == 404
        assert "nothing" in answer.content.decode() or "There is no" in answer.content.decode()


def test_what_belongs_to_others_is_not_there(web: Client, server: Server, stranger: User) -> None:
    web.force_login(stranger)
    assert web.get(f"/servers/{server.pk}/").status_code == 404
    assert web.post(f"/servers/{server.pk}/stop/").status_code == 404


def test_part_of_a_page_is_told_as_a_problem(web: Client, account: CloudAccount) -> None:
    answer = web.post("/servers/boot/", {"flavor": "m1.smal"}, headers=HTMX)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.content)
    assert problem["field"] == "flavor"
    assert "Did you mean m1.small" in problem["detail"]


def test_a_change_from_another_site_is_refused(server: Server, member: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member)
    answer = strict.post(f"/servers/{server.pk}/delete/")
    assert answer.status_code == 403
    assert "reload the page" in answer.content.decode()


def test_a_mistake_of_ours_shows_no_trace(web: Client, server: Server) -> None:
    web.raise_request_exception = False
    CloudAccount.objects.update(facts=7)  # what no code of ours would write
    answer = web.get(f"/clouds/{server.account_id}/")
    assert answer.status_code == 500
    assert "The portal made a mistake" in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


@pytest.mark.parametrize("odd", ["%00", "%27%22%3Cscript%3E", "%F0%9F%92%A9", "x" * 5000])
def test_odd_questions_are_answered(web: Client, server: Server, odd: str) -> None:
    for path in ("/servers/", "/images/", "/operations/", "/events/"):
        answer = web.get(f"{path}?q={odd}&state={odd}&cloud={odd}&sort={odd}&page={odd}&project={odd}")
        assert answer.status_code == 200
        assert b"<script>" not in answer.content.replace(b"<script src", b"")


def test_pages_forbid_foreign_scripts_and_frames(web: Client, project: Project) -> None:
    policy = web.get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


# -- probes ----------------------------------------------------------------------------------------------------


def test_probes_answer_to_anybody(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"
    assert json.loads(client.get("/readyz").content) == {"ready": True, "down": {}}


def test_readyz_names_what_is_down(client: Client, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert json.loads(answer.content) == {"ready": False, "down": {"redis": "ConnectionError"}}
