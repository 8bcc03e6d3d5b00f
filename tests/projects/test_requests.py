"""Asking to be let into a project, and what its leaders answer."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Notice, User
from cloudmesh.errors import Conflict, Invalid, NotAllowed, NotFound
from projects import access, services
from projects.models import JoinRequest, Project, ProjectState, RequestState, Role
from tests.factories import at_once, make_user
from tests.rest import Api

pytestmark = pytest.mark.django_db

Login = Callable[..., Api]


@pytest.fixture
def ada(db: None) -> User:
    return make_user("ada")


@pytest.fixture
def open_project(project: Project, lead: User) -> Project:
    return services.change_project(actor=lead, project=project, join_open=True)


@pytest.fixture
def asked(open_project: Project, ada: User) -> JoinRequest:
    return services.ask_to_join(actor=ada, project=open_project, text="I count engines.")


def told(user: User) -> tuple[str, str]:
    notice = Notice.objects.filter(user=user).latest("at")
    return notice.title, notice.text


def test_the_leaders_are_told_who_asks_and_why(asked: JoinRequest, lead: User, member: User) -> None:
    assert told(lead) == ("ada asks to join fg101", "I count engines.")
    assert not Notice.objects.filter(user=member, title__contains="ada").exists()


def test_a_project_that_is_not_open_cannot_be_asked(project: Project, ada: User) -> None:
    assert not access.joinable(ada).exists()
    with pytest.raises(NotFound):
        services.ask_to_join(actor=ada, project=project)


def test_a_project_that_is_over_cannot_be_asked(open_project: Project, ada: User) -> None:
    Project.objects.update(state=ProjectState.COMPLETED)
    with pytest.raises(NotFound):
        services.ask_to_join(actor=ada, project=open_project)


def test_members_do_not_ask(open_project: Project, member: User) -> None:
    with pytest.raises(NotFound):
        services.ask_to_join(actor=member, project=open_project)


def test_asking_shows_nothing_of_the_project(asked: JoinRequest, ada: User, project: Project) -> None:
    assert list(access.joinable(ada)) == [project]
    assert not access.visible(Project, ada).exists()
    assert project.topic not in access.hears(ada)


def test_one_asks_once(asked: JoinRequest, ada: User, open_project: Project) -> None:
    with pytest.raises(Conflict, match="already"):
        services.ask_to_join(actor=ada, project=open_project)


@pytest.mark.django_db(transaction=True)
def test_of_four_requests_at_the_same_instant_one_is_made(open_project: Project, ada: User) -> None:
    def ask() -> bool:
        try:
            services.ask_to_join(actor=User.objects.get(pk=ada.pk), project=open_project)
        except Conflict:
            return False
        return True

    assert sorted(at_once(4, ask)) == [False, False, False, True]


@pytest.mark.parametrize("role", ["member", "manager", "lead"])
def test_who_is_let_in_has_the_role_and_is_told(asked: JoinRequest, lead: User, ada: User, role: str) -> None:
    services.accept_request(actor=lead, asked=asked, role=role)
    assert access.roles(User.objects.get(pk=ada.pk)) == {asked.project_id: role}
    assert told(ada)[0] == f"You are {role} of fg101 now"
    assert (asked.state, asked.answered_by) == (RequestState.ACCEPTED, lead)


def test_who_is_refused_is_told_why(asked: JoinRequest, lead: User, ada: User) -> None:
    with pytest.raises(Invalid, match="Say why"):
        services.refuse_request(actor=lead, asked=asked, reason=" ")
    services.refuse_request(actor=lead, asked=asked, reason="We are full.")
    assert told(ada) == ("You were not let into fg101", "laszewski: We are full.")
    assert not access.roles(ada)


def test_what_is_answered_is_not_answered_again(asked: JoinRequest, lead: User, ada: User) -> None:
    services.withdraw_request(actor=ada, asked=asked)
    for late in (
        lambda: services.accept_request(actor=lead, asked=asked),
        lambda: services.refuse_request(actor=lead, asked=asked, reason="No."),
        lambda: services.withdraw_request(actor=ada, asked=asked),
    ):
        with pytest.raises(Conflict, match="withdrawn already"):
            late()


def test_only_leaders_answer_and_managers_make_no_leads(
    asked: JoinRequest, lead: User, member: User, ada: User
) -> None:
    with pytest.raises(NotAllowed):
        services.accept_request(actor=member, asked=asked)
    with pytest.raises(NotAllowed):
        services.refuse_request(actor=member, asked=asked, reason="No.")
    with pytest.raises(NotAllowed):
        services.accept_request(actor=ada, asked=asked)
    with pytest.raises(NotAllowed):
        services.withdraw_request(actor=lead, asked=asked)
    services.change_role(actor=lead, project=asked.project, user=member, role=Role.MANAGER)
    with pytest.raises(NotAllowed):
        services.accept_request(actor=User.objects.get(pk=member.pk), asked=asked, role=Role.LEAD)


def test_who_is_added_otherwise_asks_no_more(asked: JoinRequest, lead: User, ada: User) -> None:
    services.add_member(actor=lead, project=asked.project, user=ada)
    asked.refresh_from_db()
    assert asked.state == RequestState.ACCEPTED


# -- pages and REST --------------------------------------------------------------------------------------------


def test_asking_and_letting_in_from_the_pages(client: Client, open_project: Project, lead: User, ada: User) -> None:
    client.force_login(ada)
    assert "fg101" in client.get("/open-projects/").content.decode()
    assert client.get("/projects/fg101/").status_code == 404
    assert "Ask to join" in client.get("/projects/fg101/join/").content.decode()
    client.post("/projects/fg101/join/", {"text": "Please."})
    assert "You asked" in client.get("/projects/fg101/join/").content.decode()
    asked = JoinRequest.objects.get()
    assert client.post(f"/requests/{asked.pk}/accept/").status_code == 403
    client.force_login(lead)
    assert "Please." in client.get("/projects/fg101/members/waiting/").content.decode()
    assert client.post(f"/requests/{asked.pk}/withdraw/").status_code == 404
    assert client.post(f"/requests/{asked.pk}/accept/", {"role": "manager"}).status_code == 302
    client.force_login(ada)
    assert client.get("/projects/fg101/").status_code == 200


def test_members_over_rest(api: Login, project: Project, lead: User, member: User, ada: User) -> None:
    leading, watching = api(lead), api(member)
    assert [(row["user"], row["role"]) for row in watching.get("projects/fg101/members/").results] == [
        ("gregor", "member"),
        ("laszewski", "lead"),
    ]
    assert leading.post("projects/fg101/members/", {"user": "ada", "role": "manager"}).status == 201
    assert leading.post("projects/fg101/members/", {"user": "ada"}).status == 409
    assert "Invite the person" in leading.post("projects/fg101/members/", {"user": "nobody"}).detail
    assert leading.change("projects/fg101/members/ada/", {"role": "member"})["role"] == "member"
    assert watching.change("projects/fg101/members/ada/", {"role": "lead"}).status == 403
    assert leading.change(f"projects/fg101/members/{ada.pk}/", {"role": "boss"}).status == 400
    assert leading.delete("projects/fg101/members/ada/").status == 204
    assert leading.delete("projects/fg101/members/ada/").status == 404
    assert api(ada).get("projects/fg101/members/").status == 404


def test_invitations_over_rest(api: Login, project: Project, lead: User, member: User, ada: User) -> None:
    leading, guest = api(lead), api(ada)
    mailed = leading.post("projects/fg101/invitations/", {"email": "bob@example.org", "role": "manager"})
    assert (mailed.status, mailed["role"], mailed["link"]) == (201, "manager", "")
    made = leading.post("projects/fg101/invitations/", {"uses": 2, "days": 1})
    secret = made["link"].rstrip("/").rpartition("/")[2]
    assert len(leading.get("projects/fg101/invitations/").results) == 2
    assert api(member).get("projects/fg101/invitations/").status == 403
    assert guest.post(f"invitations/{secret}/accept/").body == {"project": "fg101", "role": "member"}
    assert guest.post("invitations/cm_nothing/accept/").status == 404
    assert leading.delete(f"projects/fg101/invitations/{mailed['id']}/").status == 204
    assert leading.post("projects/fg101/invitations/", {"role": "lead"}).status == 400
    assert leading.post("projects/fg101/invitations/", {"email": "x@example.org", "uses": 3}).status == 400


def test_requests_over_rest(api: Login, open_project: Project, lead: User, member: User, ada: User) -> None:
    leading, asking = api(lead), api(ada)
    assert [row["name"] for row in asking.get("projects/", {"joinable": "true"}).results] == ["fg101"]
    assert asking.get("projects/").results == []
    asked = asking.post("projects/fg101/requests/", {"text": "Please."})
    assert (asked.status, asked["state"], asked["user"]) == (201, "open", "ada")
    assert len(asking.get("projects/fg101/requests/").results) == 1
    assert api(member).get("projects/fg101/requests/").results == []
    path = f"projects/fg101/requests/{asked['id']}/"
    assert asking.post(f"{path}accept/").status == 404
    assert leading.post(f"{path}refuse/", {}).status == 400
    assert leading.post(f"{path}refuse/", {"reason": "Full."})["reason"] == "Full."
    second = asking.post("projects/fg101/requests/")
    assert asking.delete(f"projects/fg101/requests/{second['id']}/").status == 204
    third = asking.post("projects/fg101/requests/")
    assert leading.post(f"projects/fg101/requests/{third['id']}/accept/", {"role": "manager"})["state"] == "accepted"
    assert asking.get("projects/fg101/")["role"] == "manager"


def test_a_project_is_changed_and_used_over_rest(api: Login, project: Project, lead: User, member: User) -> None:
    assert api(lead).change("projects/fg101/", {"title": "New", "join_open": True})["title"] == "New"
    assert api(member).change("projects/fg101/", {"title": "Mine"}).status == 403
    assert api(member).post("projects/fg101/use/")["is_default"] is True
    assert api(member).get("me/")["project"] == "fg101"
