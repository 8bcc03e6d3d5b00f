"""What is known of a directory without one: its file, its groups' meaning, and the users it makes here."""

import dataclasses
import datetime
import pathlib
import socket
import tomllib

import pytest
from django.conf import LazySettings
from django.core.checks import CheckMessage
from django.utils import timezone

from accounts import lifecycle
from accounts.backends.ldap import config, people
from accounts.backends.ldap.config import Address, Config, Group
from accounts.backends.ldap.directory import Directory, expiry
from accounts.backends.ldap.wire import Bound, policy_error
from accounts.backends.persons import Person
from accounts.models import AccountState, SshKey, User
from accounts.services.directory import check_directory
from cloudmesh.errors import Conflict, Invalid, NotAllowed, Unreachable
from projects.models import Membership, Role
from projects.services import add_member
from projects.services.directory import check_roles
from tests.factories import make_project, make_user, public_key

LEAST = """
servers = ["ldaps://ldap.example.org"]
bind_dn = "cn=portal,dc=example,dc=org"
[people]
base = "ou=People,dc=example,dc=org"
"""
MEANT = """
[groups]
bases = ["ou=Groups,dc=example,dc=org"]
[[projects]]
group = "{project}-Leads"
role = "lead"
[[projects]]
group = "fg*[0-9]"
[[projects]]
group = "CN=staff, ou=Groups,dc=Example,dc=org"
project = "operations"
role = "manager"
[[portal_roles]]
group = "cm-operators"
role = "operator"
[[portal_roles]]
group = "cm-admins"
role = "administrator"
"""


def parse(text: str, *, password: str = "secret") -> Config:
    return config.parse(tomllib.loads(text), folder=pathlib.Path("/nowhere"), password=password)


def group(name: str, place: str = "ou=Groups,dc=example,dc=org") -> Group:
    return Group(name, f"cn={name},{place}")


def person(**more: object) -> Person:
    told = {
        "dn": "uid=alice,ou=People,dc=example,dc=org",
        "username": "alice",
        "email": "alice@example.org",
        "first_name": "Alice",
        "last_name": "Adams",
    }
    return Person(**{**told, **more})  # type: ignore[arg-type]


# -- the file --------------------------------------------------------------------------------------------------


def test_a_short_file_is_enough() -> None:
    known = parse(LEAST)
    assert known.addresses == (Address("ldap.example.org", 636, True),)
    assert known.people.attributes.username == "uid"
    assert known.tls.check_hostname


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("ldaps://ldap.example.org", "http://ldap.example.org"), "is no address of a directory"),
        (("ldaps://ldap.example.org", "ldaps://ldap.example.org:x"), "is no address of a directory"),
        (('"ldaps://ldap.example.org"', ""), "name at least one"),
        (('servers = ["ldaps://ldap.example.org"]', 'servers = "ldaps://ldap.example.org"'), "servers is a list"),
        (("base =", "bas ="), "people.bas means nothing here. Did you mean base?"),
        (('base = "ou=People,dc=example,dc=org"', ""), "people.base is missing"),
        (("bind_dn", 'bind_password = "x"\nbind_dn'), "does not stand in this file"),
        (("[people]", "connect_seconds = true\n[people]"), "connect_seconds is a whole number, not True"),
        (("[people]", "connect_seconds = 0\n[people]"), "1 or more"),
        (("[people]", 'ca_file = "missing.pem"\n[people]'), "/nowhere/missing.pem holds no certificate"),
        (("[people]", 'bind_password_file = "x"\n[people]'), ""),
        (("base =", 'filter = "(uid=x"\nbase ='), "parentheses do not match"),
        (("base =", 'dn_template = "uid=x"\nbase ='), "holds {name} once"),
        (('bind_dn = "cn=portal,dc=example,dc=org"', ""), "Give bind_dn"),
        (("base =", "[people.attributes]\nemails = 'mail'\n[x]\nbase ="), "means nothing here"),
    ],
)
def test_what_is_wrong_is_named(change: tuple[str, str], said: str) -> None:
    text = LEAST.replace(*change)
    assert text != LEAST
    if not said:  # the environment's password comes before the file's
        assert parse(text).bind_password == "secret"
        return
    with pytest.raises(Invalid) as raised:
        parse(text)
    assert said in raised.value.message
    assert "secret" not in raised.value.message


def test_rules_need_places_and_roles_that_there_are() -> None:
    with pytest.raises(Invalid, match=r"groups\.bases"):
        parse(LEAST + MEANT.replace('[groups]\nbases = ["ou=Groups,dc=example,dc=org"]', ""))
    with pytest.raises(Invalid, match="Did you mean operator"):
        parse(LEAST + MEANT.replace('"operator"', '"operater"'))
    with pytest.raises(Invalid, match="leave project out"):
        parse(LEAST + MEANT.replace('role = "lead"', 'role = "lead"\nproject = "x"'))
    with pytest.raises(Invalid, match="needs its password"):
        parse(LEAST, password="")


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(parse(LEAST))


def wrong_with_it() -> list[CheckMessage]:
    return [*check_directory(), *check_roles()]


def test_check_says_what_is_wrong_with_the_file(settings: LazySettings, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "directory.toml"
    settings.CLOUDMESH_LDAP, settings.CLOUDMESH_LDAP_PASSWORD = str(file), "secret"
    assert [found.id for found in wrong_with_it()] == ["accounts.E001"]
    file.write_text(LEAST + MEANT.replace('"manager"', '"boss"'))
    (found,) = wrong_with_it()
    assert found.id == "projects.E001"
    assert "'boss'" in found.msg
    file.write_text(LEAST)
    settings.CLOUDMESH_LDAP_PASSWORD = "another"  # one file is read once
    assert wrong_with_it() == []


# -- groups ----------------------------------------------------------------------------------------------------


def test_groups_stand_for_projects_and_the_first_rule_counts() -> None:
    known = parse(LEAST + MEANT)
    assert known.projects_of([group("FG82"), group("fg82-leads"), group("fg17"), group("-leads"), group("others")]) == {
        "fg82": "lead",
        "fg17": "member",
    }
    assert known.portal_roles_of([group("cm-operators"), group("fg82")]) == {"operator"}


def test_a_rule_with_a_dn_is_about_that_group_alone() -> None:
    known = parse(LEAST + MEANT)
    assert known.projects_of([group("staff")]) == {"operations": "manager"}
    assert known.projects_of([group("staff", "ou=Lists,ou=Groups,dc=example,dc=org")]) == {}


# -- what the directory says -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "day"),
    [
        ("", None),
        ("-1", None),
        ("x", None),
        ("99999999999", None),
        ("0", datetime.date(1970, 1, 1)),
        ("20000", datetime.date(2024, 10, 4)),
    ],
)
def test_shadow_expire_is_a_day(days: str, day: datetime.date | None) -> None:
    assert expiry(days) == day


def test_an_account_expires_at_the_beginning_of_its_day() -> None:
    day = datetime.date(2024, 10, 4)
    assert person(expires_on=day).is_expired(day)
    assert not person(expires_on=day).is_expired(day - datetime.timedelta(days=1))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", -1),
        (b"\x30\x00", -1),
        (b"\x30\x03\x81\x01\x00", 0),
        (b"\x30\x03\x81\x01\x01", 1),
        (b"\x30\x08\xa0\x03\x80\x01\x05\x81\x01\x02", 2),
        (b"\x30\x05\xa0\x03\x80\x01\x05", -1),
        (b"\x30", -1),
        (b"\xff\xff\xff", -1),
    ],
)
def test_the_password_policy_answers_in_ber(answer: bytes, error: int) -> None:
    assert policy_error(answer) == error


def test_an_empty_password_is_not_even_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        directory = Directory(parse(LEAST.replace("ldaps://ldap.example.org", address(listening))))
        assert directory.sign_in("alice", "").bound is Bound.WRONG
        assert directory.sign_in("  ", "password").bound is Bound.WRONG
        with pytest.raises(TimeoutError):
            listening.accept()


def test_a_server_that_says_nothing_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, socket.create_server(("127.0.0.1", 0)) as closed:
        servers = f'{address(mute)}", "{address(mute, "ldap")}", "{address(closed)}'
        closed.close()
        known = parse(LEAST.replace("ldaps://ldap.example.org", servers))
        began = timezone.now()
        with pytest.raises(Unreachable) as raised:
            Directory(dataclasses.replace(known, connect_seconds=1, answer_seconds=1)).sign_in("alice", "password")
    assert timezone.now() - began < datetime.timedelta(seconds=5)
    assert raised.value.message.count("it does not answer in time") == 2
    assert raised.value.message.count("nothing listens there") == 1


def address(listening: socket.socket, scheme: str = "ldaps") -> str:
    return f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"


# -- users -----------------------------------------------------------------------------------------------------

KNOWN = parse(LEAST + MEANT)


def welcome(**more: object) -> User:
    return people.welcome(person(**more), KNOWN)


@pytest.mark.django_db
def test_the_first_login_makes_a_user_and_the_next_brings_it_up_to_date() -> None:
    first = welcome(phone="+1 812")
    assert (first.source, first.state, first.email) == ("ldap", AccountState.ACTIVE, "alice@example.org")
    assert not first.has_usable_password()
    again = User.objects.get(pk=welcome(username="Alice", last_name="Brown", dn="uid=alice,ou=Alumni").pk)
    assert (again.pk, again.username, again.last_name, again.directory_dn) == (
        first.pk,
        "alice",
        "Brown",
        "uid=alice,ou=Alumni",
    )
    assert again.profile.phone == "+1 812"


@pytest.mark.django_db
def test_a_local_account_is_never_taken_over() -> None:
    local = make_user("Alice", is_admin=True)
    with pytest.raises(Conflict, match="same name"):
        welcome(email="other@example.org")
    with pytest.raises(Conflict, match="same e-mail address"):
        welcome(username="alice2", email="ALICE@example.org")
    local.refresh_from_db()
    assert (local.source, local.directory_dn, local.first_name) == ("local", "", "")
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_an_address_that_somebody_else_has_is_not_taken_later() -> None:
    welcome()
    make_user("bob")
    assert User.objects.get(pk=welcome(email="bob@example.org", first_name="Al").pk).email == "alice@example.org"
    assert User.objects.get(username="alice").first_name == "Al"


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"email": ""}, {"email": "alice"}, {"username": "a lice"}, {"username": ""}])
def test_entries_that_make_no_user_are_explained(wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="The directory"):
        welcome(**wrong)


@pytest.mark.django_db
def test_locked_and_expired_people_do_not_come_in() -> None:
    with pytest.raises(NotAllowed, match="locked"):
        welcome(is_locked=True)
    with pytest.raises(NotAllowed, match="expired"):
        welcome(expires_on=timezone.now().date())
    assert not User.objects.exists()


@pytest.mark.django_db
def test_whom_an_administrator_suspended_the_directory_does_not_let_in() -> None:
    lifecycle.move(welcome(), AccountState.SUSPENDED, reason="Mined coins.")
    with pytest.raises(NotAllowed, match=r"suspended\. Mined coins\."):
        welcome()
    assert people.known_users() == []


@pytest.mark.django_db
def test_whom_the_directory_suspended_comes_back_with_it() -> None:
    people.suspend(welcome(), people.GONE)
    assert welcome().state == AccountState.ACTIVE


@pytest.mark.django_db
def test_portal_roles_of_rules_come_and_go_and_others_stay() -> None:
    User.objects.filter(pk=welcome().pk).update(portal_roles=["reviewer"])
    user = welcome(portal_roles=frozenset({"operator", "administrator"}))
    assert (user.portal_roles, user.is_superuser, user.is_staff) == (["operator", "reviewer"], True, True)
    user = welcome()
    assert (user.portal_roles, user.is_superuser, user.is_staff) == (["reviewer"], False, False)


@pytest.mark.django_db
def test_keys_of_the_directory_come_and_go_and_own_ones_stay() -> None:
    laptop, desk, own = (public_key(name) for name in ("laptop", "desk", "own"))
    user = welcome(ssh_keys=(laptop, "no key at all", laptop))
    SshKey.objects.create(user=user, name="own", public_key=" ".join(own.split()[:2]), fingerprint="SHA256:own")
    welcome(ssh_keys=(laptop, desk))
    assert names(user) == ["directory-1", "directory-2", "own"]
    welcome(ssh_keys=(desk, own))
    assert names(user) == ["directory-2", "own"]
    assert user.ssh_keys.get(name="own").source == User.Source.LOCAL


def names(user: User) -> list[str]:
    return sorted(user.ssh_keys.values_list("name", flat=True))


@pytest.mark.django_db
def test_memberships_of_groups_come_and_go_and_others_stay() -> None:
    lead = make_user("lead")
    given, own = make_project("fg82", lead=lead), make_project("own", lead=lead)
    user = welcome(projects={"fg82": "member", "missing": "lead"})
    add_member(actor=lead, project=own, user=user, role=Role.MANAGER)
    welcome(projects={"fg82": "manager", "own": "member"})
    assert roles(user) == {"fg82": "manager", "own": "manager"}
    welcome()
    assert roles(user) == {"own": "manager"}
    assert list(Membership.objects.filter(project=given).values_list("user__username", flat=True)) == ["lead"]


@pytest.mark.django_db
def test_the_only_lead_stays_whatever_the_groups_say() -> None:
    first = make_user("lead")
    project = make_project("fg82", lead=first)
    user = welcome(projects={"fg82": "lead"})
    Membership.objects.filter(project=project, user=first).delete()
    welcome()
    assert roles(user) == {"fg82": "lead"}


def roles(user: User) -> dict[str, str]:
    return dict(Membership.objects.filter(user=user).values_list("project__name", "role"))
