"""Who belongs to a project and as what; and that whoever goes leaves nothing running."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import services as accounts
from accounts.models import ApiToken, Notice, User
from activity.models import Event
from cloudmesh.errors import Conflict, Invalid, NotAllowed, NotFound
from clouds import services as clouds
from clouds.models import CloudAccount, Server
from operations import services as operations
from operations.models import Operation, OperationState
from projects import access, services
from projects.models import Invitation, Membership, Project, Role
from projects.policy import Decision, Effect
from tests.factories import at_once, do_all_work, make_project, make_server, make_user
from tests.rest import Api

pytestmark = pytest.mark.django_db


def role_of(user: User, project: Project) -> str:
    return access.roles(User.objects.get(pk=user.pk)).get(project.pk, "")


def told(user: User) -> list[str]:
    return list(Notice.objects.filter(user=user).order_by("-at").values_list("title", flat=True))


# -- roles -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["lead", "manager", "member", "alumni"])
def test_a_lead_gives_every_role(project: Project, lead: User, member: User, role: str) -> None:
    services.change_role(actor=lead, project=project, user=member, role=role)
    assert role_of(member, project) == role


def test_a_new_member_is_told_with_a_link_to_the_project(project: Project, lead: User) -> None:
    ada = make_user("ada")
    services.add_member(actor=lead, project=project, user=ada, role=Role.MANAGER)
    notice = Notice.objects.get(user=ada)
    assert (notice.title, notice.url) == ("You are manager of fg101 now", "/projects/fg101/")
    assert "laszewski" in notice.text


def test_members_are_listed_with_their_names(
    project: Project, lead: User, member: User, api: Callable[..., Api]
) -> None:
    User.objects.filter(pk=member.pk).update(first_name="Ada", last_name="Lovelace")
    rows = api(lead).get("projects/fg101/members/").body["results"]
    assert {row["user"]: row["name"] for row in rows} == {member.username: "Ada Lovelace", lead.username: lead.username}


def test_somebody_who_works_there_is_not_added_again(project: Project, lead: User) -> None:
    with pytest.raises(Conflict, match="lead of fg101 already"):
        services.add_member(actor=lead, project=project, user=lead, role=Role.MEMBER)
    assert role_of(lead, project) == "lead"


def test_alumni_are_added_again(project: Project, lead: User, member: User) -> None:
    services.change_role(actor=lead, project=project, user=member, role=Role.ALUMNI)
    services.add_member(actor=lead, project=project, user=member)
    assert role_of(member, project) == "member"


def test_whose_account_is_suspended_is_not_added(project: Project, lead: User) -> None:
    gone = make_user("gone")
    User.objects.filter(pk=gone.pk).update(state="suspended", is_active=False)
    gone.refresh_from_db()
    with pytest.raises(Conflict, match="suspended"):
        services.add_member(actor=lead, project=project, user=gone)


def test_a_manager_neither_makes_nor_removes_leads(project: Project, lead: User, member: User) -> None:
    manager, second = make_user("manager"), make_user("second")
    services.add_member(actor=lead, project=project, user=manager, role=Role.MANAGER)
    services.add_member(actor=lead, project=project, user=second, role=Role.LEAD)
    for forbidden in (
        lambda: services.change_role(actor=manager, project=project, user=member, role=Role.LEAD),
        lambda: services.change_role(actor=manager, project=project, user=manager, role=Role.LEAD),
        lambda: services.change_role(actor=manager, project=project, user=second, role=Role.MEMBER),
        lambda: services.remove_member(actor=manager, project=project, user=second),
        lambda: services.add_member(actor=manager, project=project, user=make_user(), role=Role.LEAD),
        lambda: services.invite(actor=manager, project=project, email="x@example.org", role=Role.LEAD),
    ):
        with pytest.raises(NotAllowed):
            forbidden()
    services.change_role(actor=manager, project=project, user=member, role=Role.MANAGER)
    services.remove_member(actor=manager, project=project, user=member)
    assert role_of(second, project) == "lead"


def test_members_and_strangers_change_nobody(project: Project, lead: User, member: User, stranger: User) -> None:
    for actor in (member, stranger):
        for forbidden in (
            lambda actor=actor: services.change_role(actor=actor, project=project, user=member, role=Role.MANAGER),
            lambda actor=actor: services.remove_member(actor=actor, project=project, user=lead),
            lambda actor=actor: services.add_member(actor=actor, project=project, user=stranger),
            lambda actor=actor: services.make_link(actor=actor, project=project),
        ):
            with pytest.raises(NotAllowed):
                forbidden()


@pytest.mark.parametrize("role", ["boss", "", "LEAD", "x" * 500])
def test_what_is_no_role_is_refused(project: Project, lead: User, member: User, role: str) -> None:
    with pytest.raises(Invalid, match="A role is one of"):
        services.change_role(actor=lead, project=project, user=member, role=role)


# -- the last lead ---------------------------------------------------------------------------------------------


def test_the_last_lead_stays(project: Project, lead: User, admin: User) -> None:
    for forbidden in (
        lambda: services.leave_project(actor=lead, project=project),
        lambda: services.change_role(actor=lead, project=project, user=lead, role=Role.MANAGER),
        lambda: services.remove_member(actor=admin, project=project, user=lead),
    ):
        with pytest.raises(Conflict, match="only lead"):
            forbidden()
    assert role_of(lead, project) == "lead"


def test_a_lead_whose_account_ended_does_not_count(project: Project, lead: User) -> None:
    second = make_user("second")
    services.add_member(actor=lead, project=project, user=second, role=Role.LEAD)
    User.objects.filter(pk=second.pk).update(state="blocked", is_active=False)
    with pytest.raises(Conflict, match="only lead"):
        services.leave_project(actor=lead, project=project)


def test_of_two_leads_one_goes(project: Project, lead: User) -> None:
    second = make_user("second")
    services.add_member(actor=lead, project=project, user=second, role=Role.LEAD)
    services.leave_project(actor=lead, project=project)
    assert role_of(lead, project) == ""
    assert told(second)[0] == "laszewski left fg101"


@pytest.mark.django_db(transaction=True)
def test_of_two_leads_who_go_at_the_same_instant_one_stays(project: Project, lead: User) -> None:
    second = make_user("second")
    services.add_member(actor=lead, project=project, user=second, role=Role.LEAD)
    leads = [lead, second]

    def leave() -> str:
        try:
            services.leave_project(actor=User.objects.get(pk=leads.pop().pk), project=project)
        except Conflict:
            return "stays"
        return "goes"

    assert sorted(at_once(2, leave)) == ["goes", "stays"]
    assert project.memberships.filter(role=Role.LEAD).count() == 1


# -- what ends with it -----------------------------------------------------------------------------------------

ENDS = {
    "removed": lambda lead, project, user: services.remove_member(actor=lead, project=project, user=user),
    "alumni": lambda lead, project, user: services.change_role(
        actor=lead, project=project, user=user, role=Role.ALUMNI
    ),
    "left": lambda lead, project, user: services.leave_project(actor=user, project=project),
}


@pytest.fixture(params=sorted(ENDS))
def end(request: pytest.FixtureRequest, lead: User, project: Project, member: User) -> object:
    return lambda: ENDS[request.param](lead, project, member)


def test_tokens_of_the_project_end_and_others_stay(end, project: Project, member: User) -> None:  # type: ignore[no-untyped-def]
    for name, bound in (("here", project.pk), ("anywhere", None)):
        token, _ = accounts.issue_token(user=member, name=name)
        ApiToken.objects.filter(pk=token.pk).update(project_id=bound)
    end()
    assert list(ApiToken.objects.filter(user=member).values_list("name", flat=True)) == ["anywhere"]
    assert Event.objects.filter(kind="token", verb="revoked", name="here", topic=member.topic).exists()


def test_pending_wishes_end_and_those_of_others_stay(  # type: ignore[no-untyped-def]
    end, account: CloudAccount, lead: User, member: User
) -> None:
    mine, theirs = make_server(account, member), make_server(account, lead)
    queued = clouds.change_servers(actor=member, servers=[mine], action="stop")
    batch = clouds.boot_servers(actor=member, project=account.project, cloud="india", count=3)
    other = clouds.change_servers(actor=lead, servers=[theirs], action="stop")
    end()
    states = dict(Operation.objects.values_list("pk", "state"))
    assert states[queued.pk] == states[batch.pk] == OperationState.CANCELLED
    assert set(batch.children.values_list("state", flat=True)) == {OperationState.CANCELLED}
    assert states[other.pk] == OperationState.QUEUED
    assert "gregor does not work in fg101 any more" in Operation.objects.get(pk=queued.pk).state_reason
    do_all_work()
    assert not Server.objects.filter(owner=member).exclude(pk=mine.pk).exclude(provider_id="").exists()


def test_a_wish_that_waits_for_approval_ends(end, account: CloudAccount, member: User) -> None:  # type: ignore[no-untyped-def]
    server = make_server(account, member)
    waiting = operations.request(
        "server.act",
        targets=[server],
        project=account.project,
        actor=member,
        lanes=["cloud:x"],
        decision=Decision(effect=Effect.ASK, reasons=("Large.",)),
    )
    assert waiting.state == OperationState.WAITING
    end()
    waiting.refresh_from_db()
    assert waiting.state == OperationState.CANCELLED


def test_it_is_the_default_project_no_more(end, project: Project, member: User) -> None:  # type: ignore[no-untyped-def]
    services.select_project(actor=member, project=project)
    end()
    assert not Membership.objects.filter(user=member, is_default=True).exists()
    with pytest.raises(NotFound):
        access.default_project(User.objects.get(pk=member.pk))


def test_nothing_of_the_project_is_heard_any_more(end, project: Project, member: User) -> None:  # type: ignore[no-untyped-def]
    assert project.topic in access.hears(member)
    end()
    again = User.objects.get(pk=member.pk)
    assert project.topic not in access.hears(again)
    assert member.topic in access.hears(again)
    assert Event.objects.filter(topic=member.topic, kind="membership").exclude(verb="joined").exists()


def test_who_led_keeps_no_way_back_in(project: Project, lead: User, member: User) -> None:
    services.change_role(actor=lead, project=project, user=member, role=Role.MANAGER)
    theirs, _ = services.make_link(actor=member, project=project)
    other, link = services.make_link(actor=lead, project=project)
    mailed = services.invite(actor=member, project=project, email="guest@example.org")
    services.change_role(actor=lead, project=project, user=member, role=Role.MEMBER)
    revoked = dict(Invitation.objects.values_list("pk", "revoked_at"))
    assert revoked[theirs.pk]
    assert not revoked[other.pk]
    assert not revoked[mailed.pk]
    services.remove_member(actor=lead, project=project, user=member)
    with pytest.raises(NotAllowed, match="in this project before"):
        services.accept_invitation(actor=member, secret=link.rstrip("/").rpartition("/")[2])


@pytest.mark.django_db(transaction=True)
def test_no_wish_slips_in_while_its_owner_is_removed(account: CloudAccount, lead: User, member: User) -> None:
    """Whatever of the two comes first: nothing of theirs is left that could run."""
    server, project = make_server(account, member), account.project
    turns = [True, False]

    def either() -> None:
        if turns.pop():
            services.remove_member(actor=User.objects.get(pk=lead.pk), project=project, user=member)
        else:
            stale = User.objects.get(pk=member.pk)
            access.memberships(stale)
            try:
                clouds.change_servers(actor=stale, servers=[server], action="stop")
            except (NotAllowed, NotFound):
                pass

    at_once(2, either)
    assert not Operation.objects.filter(owner=member, state=OperationState.QUEUED, kind="server.act").exists()


def test_a_wish_of_somebody_just_removed_is_refused(account: CloudAccount, lead: User, member: User) -> None:
    server = make_server(account, member)
    access.memberships(member)  # read before, as in a request under way
    services.remove_member(actor=lead, project=account.project, user=User.objects.get(pk=member.pk))
    with pytest.raises(NotAllowed, match="any more"):
        clouds.change_servers(actor=member, servers=[server], action="stop")


# -- the default project, and the project itself ---------------------------------------------------------------


def test_one_project_is_the_default(project: Project, member: User) -> None:
    second = make_project("second", lead=member)
    services.select_project(actor=member, project=project)
    services.select_project(actor=member, project=second)
    assert access.default_project(User.objects.get(pk=member.pk)) == second
    assert Membership.objects.filter(user=member, is_default=True).count() == 1


def test_settings_are_for_those_who_lead(project: Project, lead: User, member: User) -> None:
    services.change_project(actor=lead, project=project, title="Clouds for all", join_open=True)
    project.refresh_from_db()
    assert (project.title, project.join_open) == ("Clouds for all", True)
    with pytest.raises(NotAllowed):
        services.change_project(actor=member, project=project, join_open=False)
    with pytest.raises(Invalid, match="title"):
        services.change_project(actor=lead, project=project, title="  ")


# -- pages -----------------------------------------------------------------------------------------------------


@pytest.fixture
def web(client: Client, lead: User) -> Client:
    client.force_login(lead)
    return client


def test_the_pages_of_a_project(web: Client, project: Project) -> None:
    for page in ("", "members/", "members/waiting/", "activity/", "settings/"):
        answer = web.get(f"/projects/fg101/{page}")
        assert answer.status_code == 200, page
        assert web.get(f"/projects/{project.pk}/{page}").status_code == 200


def test_a_project_that_is_not_mine_is_not_there(web: Client, stranger: User) -> None:
    for page in ("", "members/", "activity/", "settings/", "join/"):
        assert web.get(f"/projects/elsewhere/{page}").status_code == 404
    for deed in ("use/", "leave/", "invite/", "link/", "members/add/", "join/"):
        assert web.post(f"/projects/elsewhere/{deed}").status_code == 404


def test_members_see_no_settings_and_no_forms(client: Client, project: Project, member: User) -> None:
    client.force_login(member)
    page = client.get("/projects/fg101/members/").content.decode()
    assert "laszewski" in page
    assert "laszewski@example.org" not in page
    assert "Invite by e-mail" not in page
    assert client.get("/projects/fg101/settings/").status_code == 403
    assert client.get("/projects/fg101/members/waiting/").status_code == 403


def test_roles_are_changed_and_members_removed_from_the_page(web: Client, project: Project, member: User) -> None:
    answer = web.post(f"/projects/fg101/members/{member.pk}/role/", {"role": "manager"}, headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert role_of(member, project) == "manager"
    assert web.post(f"/projects/fg101/members/{member.pk}/remove/").status_code == 302
    assert role_of(member, project) == ""


def test_a_page_leaves_and_another_works_there(client: Client, project: Project, member: User) -> None:
    client.force_login(member)
    assert client.post("/projects/fg101/use/").headers["Location"] == "/projects/fg101/"
    assert Membership.objects.get(user=member, project=project).is_default
    assert client.post("/projects/fg101/leave/").headers["Location"] == "/projects/"
    assert client.get("/projects/fg101/").status_code == 404


def test_the_list_tells_role_and_members(web: Client, project: Project) -> None:
    page = web.get("/projects/").content.decode()
    assert "fg101" in page
    assert "lead" in page
    assert "You are in no project yet" in signed_in(make_user("loner")).get("/projects/").content.decode()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
