"""Ways into a project by a link: mailed to one person, or given around."""

import datetime
import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Mail, Notice, User
from cloudmesh.errors import Conflict, Invalid, NotAllowed, NotFound
from projects import access, services
from projects.models import Invitation, Membership, Project, ProjectState, Role
from tests.factories import at_once, make_user

pytestmark = pytest.mark.django_db


def secret_of(link: str) -> str:
    found = re.search(r"/invitations/(cm_[\w-]+)/", link)
    assert found, link
    return found[1]


def mailed(to: str) -> str:
    """The secret in the newest mail to an address."""
    return secret_of(Mail.objects.filter(to=to).latest("pk").text)


def join(link: str, user: User) -> Membership:
    return services.accept_invitation(actor=user, secret=secret_of(link))


# -- by mail ---------------------------------------------------------------------------------------------------


def test_who_is_invited_joins_in_the_role_and_once(project: Project, lead: User) -> None:
    services.invite(actor=lead, project=project, email="Ada@Example.org", role=Role.MANAGER)
    ada, secret = make_user("ada"), mailed("ada@example.org")
    assert services.accept_invitation(actor=ada, secret=secret).role == "manager"
    assert Notice.objects.filter(user=lead, title="ada joined fg101 as manager").exists()
    services.remove_member(actor=lead, project=project, user=ada)
    with pytest.raises(Conflict, match="taken back"):
        services.accept_invitation(actor=ada, secret=secret)


def test_the_mail_says_who_invites_and_to_what_in_text_and_html(project: Project, lead: User) -> None:
    services.invite(actor=lead, project=project, email="ada@example.org", days=3)
    mail = Mail.objects.get(to="ada@example.org")
    assert mail.subject == "laszewski invites you to the project fg101 at Cloudmesh"
    for body in (mail.text, mail.html):
        assert "as member" in body
        assert f"{timezone.now() + datetime.timedelta(days=3):%Y-%m-%d}" in body
        assert f"/invitations/{mailed('ada@example.org')}/" in body


def test_a_title_of_somebodys_making_adds_no_header_and_no_markup(project: Project, lead: User) -> None:
    services.change_project(actor=lead, project=project, title="Free\r\nBcc: all@example.org <b>x</b>")
    User.objects.filter(pk=lead.pk).update(first_name="Eve\nBcc: all@example.org")
    lead.refresh_from_db()
    services.invite(actor=lead, project=project, email="ada@example.org")
    mail = Mail.objects.get(to="ada@example.org")
    assert "\n" not in mail.subject
    assert "<b>x</b>" not in mail.html


def test_nobody_else_uses_a_mailed_invitation(project: Project, lead: User, stranger: User) -> None:
    services.invite(actor=lead, project=project, email="ada@example.org")
    with pytest.raises(NotAllowed, match="another address"):
        services.accept_invitation(actor=stranger, secret=mailed("ada@example.org"))
    assert Invitation.objects.get().uses_left == 1


def test_a_second_mail_ends_the_first(project: Project, lead: User) -> None:
    services.invite(actor=lead, project=project, email="ada@example.org")
    first = mailed("ada@example.org")
    services.invite(actor=lead, project=project, email="ADA@example.org")
    with pytest.raises(Conflict, match="taken back"):
        services.accept_invitation(actor=make_user("ada"), secret=first)
    assert services.open_invitations(project).count() == 1


def test_alumni_come_back_by_mail_alone(project: Project, lead: User, member: User) -> None:
    services.change_role(actor=lead, project=project, user=member, role=Role.ALUMNI)
    _, link = services.make_link(actor=lead, project=project)
    with pytest.raises(NotAllowed, match="before"):
        join(link, member)
    services.invite(actor=lead, project=project, email=member.email)
    assert services.accept_invitation(actor=member, secret=mailed(member.email)).role == "member"


def test_who_works_there_is_not_invited(project: Project, lead: User, member: User) -> None:
    with pytest.raises(Conflict, match="gregor has that address"):
        services.invite(actor=lead, project=project, email="GREGOR@example.org")


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"email": "nobody"}, "no e-mail address"),
        ({"email": ""}, "no e-mail address"),
        ({"email": "a@example.org\nBcc: b@example.org"}, "no e-mail address"),
        ({"email": "a@example.org", "role": "alumni"}, "Nobody is invited as alumni"),
        ({"email": "a@example.org", "role": "king"}, "A role is one of"),
        ({"email": "a@example.org", "days": 0}, "1 to 90 days"),
        ({"email": "a@example.org", "days": 91}, "1 to 90 days"),
    ],
)
def test_an_invitation_that_cannot_be_is_refused(
    project: Project, lead: User, wish: dict[str, object], words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        services.invite(actor=lead, project=project, **wish)  # type: ignore[arg-type]
    assert not Mail.objects.exists()


# -- by a link -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_ten_come_in(project: Project, lead: User) -> None:
    _, link = services.make_link(actor=lead, project=project, uses=10)
    guests = [make_user() for _ in range(50)]

    def accept() -> str:
        try:
            return join(link, guests.pop()).role
        except Conflict:
            return ""

    assert sorted(at_once(50, accept)) == [""] * 40 + ["member"] * 10
    assert Invitation.objects.get().uses_left == 0
    assert project.memberships.count() == 12


@pytest.mark.django_db(transaction=True)
def test_the_same_person_twice_at_once_uses_it_once(project: Project, lead: User) -> None:
    _, link = services.make_link(actor=lead, project=project, uses=5)
    ada = make_user("ada")
    at_once(4, lambda: join(link, User.objects.get(pk=ada.pk)))
    assert Invitation.objects.get().uses_left == 4


def test_who_works_there_stays_what_they_are(project: Project, lead: User) -> None:
    made, link = services.make_link(actor=lead, project=project, uses=1)
    assert join(link, lead).role == "lead"
    made.refresh_from_db()
    assert made.uses_left == 1


def test_a_link_that_ended_lets_nobody_in(project: Project, lead: User) -> None:
    made, link = services.make_link(actor=lead, project=project)
    ada = make_user("ada")
    for change, words in (
        ({"expires_at": timezone.now() - datetime.timedelta(seconds=1)}, "ended on"),
        ({"revoked_at": timezone.now(), "expires_at": made.expires_at}, "taken back"),
    ):
        Invitation.objects.filter(pk=made.pk).update(**change)
        with pytest.raises(Conflict, match=words):
            join(link, ada)
    _, other = services.make_link(actor=lead, project=project)
    Project.objects.filter(pk=project.pk).update(state=ProjectState.EXPIRED)
    with pytest.raises(Conflict, match="expired"):
        join(other, ada)
    assert not access.roles(ada)


def test_a_link_is_taken_back_by_those_who_may(project: Project, lead: User, member: User) -> None:
    made, link = services.make_link(actor=lead, project=project)
    with pytest.raises(NotAllowed):
        services.revoke_invitation(actor=member, invitation=made)
    services.revoke_invitation(actor=lead, invitation=made)
    with pytest.raises(Conflict, match="taken back"):
        join(link, make_user())


def test_only_a_digest_is_kept(project: Project, lead: User) -> None:
    made, link = services.make_link(actor=lead, project=project)
    assert secret_of(link) not in str(Invitation.objects.values().get(pk=made.pk))


def test_what_was_never_a_link_is_not_there(member: User) -> None:
    with pytest.raises(NotFound):
        services.accept_invitation(actor=member, secret="cm_" + "x" * 43)


# -- the page --------------------------------------------------------------------------------------------------


def test_somebody_without_an_account_signs_in_and_comes_back(client: Client, project: Project, lead: User) -> None:
    _, link = services.make_link(actor=lead, project=project)
    path = f"/invitations/{secret_of(link)}/"
    page = client.get(path)
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert f'href="/login/?next={path}"' in page.content.decode()
    assert client.post(path).headers["Location"] == f"/login/?next={path}"
    ada = make_user("ada", password="correct horse battery staple")
    signed = client.post("/login/", {"username": "ada", "password": "correct horse battery staple", "next": path})
    assert signed.headers["Location"] == path
    assert not access.roles(ada)  # looking joins nothing
    client.get(path)
    assert not Membership.objects.filter(user=ada).exists()
    assert client.post(path).headers["Location"] == "/projects/fg101/"
    assert Membership.objects.get(user=ada).role == "member"


def test_who_got_an_account_meanwhile_finds_the_invitation_among_the_projects(
    client: Client, project: Project, lead: User, stranger: User
) -> None:
    services.invite(actor=lead, project=project, email="Ada@example.org", role=Role.MANAGER)
    made, ada = Invitation.objects.get(), make_user("ada")
    for other in (stranger, lead):
        client.force_login(other)
        assert "invites you" not in client.get("/projects/").content.decode()
        assert client.post(f"/invitations/{made.pk}/join/").status_code == 404
    client.force_login(ada)
    assert "invites you to <strong>fg101</strong> as manager" in client.get("/projects/").content.decode()
    assert client.post(f"/invitations/{made.pk}/join/").headers["Location"] == "/projects/fg101/"
    assert Membership.objects.get(user=ada).role == "manager"
    assert client.post(f"/invitations/{made.pk}/join/").status_code == 404


def test_a_join_link_is_joined_by_its_secret_alone(client: Client, project: Project, lead: User) -> None:
    made, _ = services.make_link(actor=lead, project=project)
    nameless = make_user("nameless")
    User.objects.filter(pk=nameless.pk).update(email="")
    client.force_login(nameless)
    assert client.post(f"/invitations/{made.pk}/join/").status_code == 404


def test_the_page_of_a_link_that_ended_says_so(client: Client, project: Project, lead: User) -> None:
    made, link = services.make_link(actor=lead, project=project)
    services.revoke_invitation(actor=lead, invitation=made)
    page = client.get(f"/invitations/{secret_of(link)}/")
    assert page.status_code == 410
    assert "taken back" in page.content.decode()
    assert client.get("/invitations/cm_nonsense/").status_code == 404


def test_the_wrong_person_is_told_so(client: Client, project: Project, lead: User, stranger: User) -> None:
    services.invite(actor=lead, project=project, email="ada@example.org")
    client.force_login(stranger)
    path = f"/invitations/{mailed('ada@example.org')}/"
    assert "whose address is another one" in client.get(path).content.decode()
    assert client.post(path).status_code == 403


def test_a_lead_invites_from_the_page(client: Client, project: Project, lead: User) -> None:
    client.force_login(lead)
    sent = client.post("/projects/fg101/invite/", {"email": "ada@example.org", "role": "manager", "days": "7"})
    assert sent.status_code == 302
    assert Invitation.objects.get().role == "manager"
    made = client.post("/projects/fg101/link/", {"uses": "3", "days": ""}, headers={"HX-Request": "true"})
    assert join(made.content.decode(), make_user("bob")).role == "member"
    waiting = client.get("/projects/fg101/members/waiting/").content.decode()
    assert "ada@example.org" in waiting
    for uses in ("0", "many", "-1", "1001", "9" * 30):
        assert client.post("/projects/fg101/link/", {"uses": uses}).status_code == 400
