"""Signing in with a real directory over TLS, and keeping up with it; see tests/live/directories.py for which one."""

import dataclasses
import io
import logging
import os
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib import auth
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import lifecycle
from accounts import services as accounts
from accounts.backends.ldap import census, config
from accounts.backends.ldap.backend import OUTAGE, SAYS
from accounts.backends.ldap.config import Config
from accounts.backends.ldap.directory import directory
from accounts.backends.ldap.wire import Bound
from accounts.models import AccountState, ApiToken, User
from accounts.services.signin import WRONG
from accounts.tasks.directory import sync_directory
from activity.models import Event
from cloudmesh.errors import Conflict, Refused, Unreachable
from projects.models import Membership
from tests.factories import PASSWORD, make_project, make_user
from tests.live.directories import ROOT, Site, named

pytestmark = [pytest.mark.live, pytest.mark.django_db]


@pytest.fixture(scope="module")
def anywhere() -> Site:
    site = named()
    if site is None:
        pytest.skip("no directory: run tests/live/ldap/up.sh, or set CLOUDMESH_LIVE_LDAP, …_USER and …_PASSWORD")
    return site


@pytest.fixture
def site(anywhere: Site, settings: LazySettings) -> Iterator[Site]:
    """The portal as it is with that directory."""
    settings.CLOUDMESH_LDAP = str(anywhere.path)
    settings.CLOUDMESH_LDAP_PASSWORD = os.environ.get("CLOUDMESH_LDAP_PASSWORD", "") if not anywhere.ours else ""
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "accounts.backends.ldap.backend.LdapBackend",
    ]
    cache.clear()
    yield anywhere
    directory.cache_clear()


@pytest.fixture
def ours(site: Site) -> Site:
    if not site.ours:
        pytest.skip("needs people whom only our own directory has")
    return site


@pytest.fixture
def somebody(ours: Site) -> Iterator[str]:
    """Somebody new in the directory, for one test."""
    uid = f"live-{uuid.uuid4().hex[:8]}"
    dn = ours.add(uid)
    yield uid
    ours.remove(dn)


def sign_in(name: str, password: str) -> str:
    """Where it leads, or what it says."""
    answer = Client().post("/login/", {"username": name, "password": password})
    return answer.headers.get("Location") or str(answer.context["message"])


def use(settings: LazySettings, tmp_path: Any, site: Site, **changes: str) -> Config:
    """Set the portal up with a changed file."""
    text = site.path.read_text()
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    for name in ("bind-password", "tls"):
        (tmp_path / name).symlink_to(site.path.parent / name)
    file = tmp_path / "directory.toml"
    file.write_text(text)
    settings.CLOUDMESH_LDAP = str(file)
    return config.current()


# -- passwords -------------------------------------------------------------------------------------------------


def test_the_right_password_signs_in(site: Site) -> None:
    assert sign_in(site.user, site.password) == "/"
    user = User.objects.get(username__iexact=site.user)
    assert (user.source, user.state) == ("ldap", AccountState.ACTIVE)
    assert user.directory_dn


@pytest.mark.parametrize("password", ["wrong", "", " ", "\0", "\x7f", "\xad", "*", "p" * 5000])
def test_any_other_does_not(site: Site, password: str) -> None:
    assert sign_in(site.user, password) == WRONG
    assert not User.objects.exists()


def test_an_unknown_name_looks_like_a_wrong_password(site: Site) -> None:
    assert sign_in(f"nobody-{uuid.uuid4().hex}", "password") == WRONG


@pytest.mark.parametrize(
    "name",
    ["*", "{user}*", "{user})(uid=*", "*)(|(uid=*", "{user},ou=People", "{user}\\", "{user}\0", "\\2a", "(", "#{user}"],
)
def test_a_name_is_a_name_and_no_filter_nor_dn(site: Site, name: str) -> None:
    name = name.replace("{user}", site.user)
    direct = dataclasses.replace(site.config.people, dn_template=f"uid={{name}},{site.config.people.base}")
    assert site.directory().sign_in(name, site.password).bound is Bound.WRONG
    assert site.directory(people=direct).sign_in(name, site.password).bound is Bound.WRONG
    assert site.directory().find(name) is None


def test_utf_8_passwords_and_names(ours: Site) -> None:
    assert sign_in("fsuni", "pä$$wörd 密码") == "/"
    user = User.objects.get(username="fsuni")
    assert (user.first_name, user.last_name) == ("Zoë", "Müller")
    assert sign_in("fsuni", "pa$$word 密码") == WRONG


def test_an_address_and_any_case_sign_in_too(ours: Site) -> None:
    assert sign_in("FsAlice", "alicepw") == sign_in("fsalice@futuresystems.example.org", "alicepw") == "/"
    assert User.objects.count() == 1


def test_people_with_odd_dns_sign_in(ours: Site) -> None:
    person = ours.directory().sign_in("fsodd", "oddpw").person
    assert person is not None
    assert "fg82" in person.groups


def test_direct_bind_needs_no_service(ours: Site) -> None:
    people = dataclasses.replace(ours.config.people, dn_template=f"uid={{name}},ou=People,{ROOT}")
    alone = ours.directory(people=people, bind_dn="")
    answer = alone.sign_in("fsalice", "alicepw")
    assert answer.bound is Bound.WELCOME
    assert answer.person is not None
    assert answer.person.email == "fsalice@futuresystems.example.org"
    assert alone.sign_in("fsalice", "wrong").bound is Bound.WRONG


# -- accounts that are locked, expired or incomplete -----------------------------------------------------------


def test_expired_passwords_are_told_to_those_who_know_them(ours: Site) -> None:
    assert sign_in("fsaged", "agnespw") == SAYS[Bound.PASSWORD_EXPIRED]
    assert sign_in("fsaged", "wrong") == WRONG
    assert sign_in("fsreset", "ritapw") == SAYS[Bound.MUST_CHANGE]


def test_expired_accounts_do_not_come_in(ours: Site) -> None:
    assert "expired" in sign_in("fsshadow", "sampw")
    assert sign_in("fsshadow", "wrong") == WRONG


def test_locked_accounts_do_not_come_in(ours: Site) -> None:
    assert sign_in("fslocked", "leopw") == SAYS[Bound.LOCKED]


def test_too_many_wrong_passwords_lock_and_end_nobody_s_tokens(ours: Site, somebody: str) -> None:
    assert sign_in(somebody, "password") == "/"
    for _ in range(6):
        ours.directory().sign_in(somebody, "wrong")
    assert sign_in(somebody, "password") == SAYS[Bound.LOCKED]
    census.take(ours.directory(), ours.config)
    assert User.objects.get(username=somebody).is_active


def test_who_has_no_address_is_told_so(ours: Site) -> None:
    assert "no e-mail address" in sign_in("fsnomail", "norapw")


def test_a_local_account_of_that_name_is_not_taken_over(ours: Site, caplog: pytest.LogCaptureFixture) -> None:
    local = make_user("fsalice", password=PASSWORD)
    with caplog.at_level(logging.WARNING):
        assert "same name" in sign_in("fsalice", "alicepw")
    assert "uid=fsalice,ou=People" in caplog.text
    assert "alicepw" not in caplog.text
    assert sign_in("fsalice", PASSWORD) == "/"
    local.refresh_from_db()
    assert local.source == User.Source.LOCAL


# -- servers ---------------------------------------------------------------------------------------------------


def test_a_certificate_of_a_stranger_is_refused(ours: Site) -> None:
    strange = ours.directory(ca_file=str(ours.path.parent / "tls/stranger.crt"))
    with pytest.raises(Unreachable) as raised:
        strange.sign_in("fsalice", "alicepw")
    assert raised.value.message.count("an authority that ca_file does not hold") == 2  # StartTLS and LDAPS


def test_a_certificate_for_another_name_is_refused(ours: Site) -> None:
    servers = tuple(each.replace("localhost", "127.0.0.1") for each in ours.config.servers)
    with pytest.raises(Unreachable) as raised:
        ours.directory(servers=servers).sign_in("fsalice", "alicepw")
    assert raised.value.message.count("its certificate is for another address") == 2


def test_each_server_alone_will_do(site: Site) -> None:
    for server in site.config.servers:
        assert site.directory(servers=(server,)).sign_in(site.user, site.password).bound is Bound.WELCOME


def test_the_next_server_is_asked_when_one_is_down_or_mute(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        down, silent = "ldaps://localhost:9", f"ldaps://127.0.0.1:{mute.getsockname()[1]}"
        patient = site.directory(servers=(down, silent, *site.config.servers), answer_seconds=1)
        assert patient.sign_in(site.user, site.password).bound is Bound.WELCOME
        began = timezone.now()
        assert patient.sign_in(site.user, site.password).bound is Bound.WELCOME
    assert (timezone.now() - began).total_seconds() < 1  # those that failed are asked last from now on


def test_an_outage_is_told_and_local_accounts_come_in(ours: Site, settings: LazySettings, tmp_path: Any) -> None:
    local = make_user("root", password=PASSWORD, is_admin=True)
    servers = ours.config.servers
    use(settings, tmp_path, ours, one=(servers[0], "ldap://localhost:9"), two=(servers[1], "ldaps://localhost:9"))
    assert sign_in("fsalice", "alicepw") == sign_in("root", "wrong") == OUTAGE
    assert sign_in(local.username, PASSWORD) == "/"
    with pytest.raises(Unreachable):
        auth.authenticate(None, username="fsalice", password="alicepw")


def test_a_refused_service_is_no_wrong_password(ours: Site, settings: LazySettings) -> None:
    settings.CLOUDMESH_LDAP_PASSWORD = "wrong"
    assert sign_in("fsalice", "alicepw") == OUTAGE
    with pytest.raises(Refused, match="check bind_dn and its password"):
        ours.directory(bind_password="wrong").find("fsalice")


# -- groups and keys -------------------------------------------------------------------------------------------


def test_groups_give_projects_and_roles(ours: Site) -> None:
    lead = make_user("lead")
    for name in ("fg82", "fg17"):
        make_project(name, lead=lead)
    assert sign_in("fsalice", "alicepw") == sign_in("fsbob", "bobpw") == sign_in("fscarol", "carolpw") == "/"
    assert roles("fsalice") == {"fg82": "lead"}
    assert roles("fsbob") == {"fg82": "member", "fg17": "member"}
    assert set(Membership.objects.filter(user__source="ldap").values_list("source", flat=True)) == {"ldap"}
    assert User.objects.get(username="fsalice").portal_roles == ["operator"]  # posixGroup
    # a group of the same name in a place that nobody configured means nothing
    assert User.objects.get(username="fscarol").portal_roles == []


def test_a_member_who_leaves_the_group_leaves_the_project(ours: Site, somebody: str) -> None:
    lead = make_user("lead")
    make_project("fg82", lead=lead)
    group = f"cn=fg82,ou=Projects,{ROOT}"
    dn = f"uid={somebody},ou=People,{ROOT}"
    with ours.administrator() as admin:
        admin.modify(group, {"member": [("MODIFY_ADD", [dn])]})
    try:
        assert sign_in(somebody, "password") == "/"
        assert roles(somebody) == {"fg82": "member"}
    finally:
        with ours.administrator() as admin:
            admin.modify(group, {"member": [("MODIFY_DELETE", [dn])]})
    census.take(ours.directory(), ours.config)
    assert roles(somebody) == {}


def test_ssh_keys_come_along(ours: Site) -> None:
    assert sign_in("fsalice", "alicepw") == "/"
    keys = User.objects.get(username="fsalice").ssh_keys.all()
    assert {(key.source, key.comment) for key in keys} == {("ldap", "alice@laptop"), ("ldap", "alice@desk")}


def roles(name: str) -> dict[str, str]:
    return dict(Membership.objects.filter(user__username=name).values_list("project__name", "role"))


# -- the periodic sync -----------------------------------------------------------------------------------------


def test_everybody_is_read_in_pages(site: Site) -> None:
    people = site.directory().everybody()
    assert site.user.lower() in {person.username.lower() for person in people}
    if site.ours:
        assert len(people) > 600  # more than a page


def test_the_sync_says_what_login_says(site: Site) -> None:
    alone = site.directory().sign_in(site.user, site.password).person
    (among,) = (each for each in site.directory().everybody() if alone and each.dn == alone.dn)
    assert among == alone


def test_who_left_is_out_at_once_and_may_come_back(ours: Site, somebody: str) -> None:
    client = Client()
    client.post("/login/", {"username": somebody, "password": "password"})
    user = User.objects.get(username=somebody)
    accounts.issue_token(user=user, name="laptop")
    assert client.get("/").status_code == 200
    ours.remove(user.directory_dn)
    sync_directory()
    user.refresh_from_db()
    assert (user.state, user.is_active) == (AccountState.SUSPENDED, False)
    assert "does not have this account any more" in user.state_reason
    assert not ApiToken.objects.filter(user=user).exists()
    assert client.get("/").status_code == 302
    ours.add(somebody, sn="Back")
    sync_directory()
    user.refresh_from_db()
    assert (user.state, user.is_active, user.last_name) == (AccountState.ACTIVE, True, "Back")
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    ("attribute", "value", "word"),
    [("shadowExpire", "10000", "expired"), ("pwdAccountLockedTime", "000001010000Z", "locked")],
)
def test_who_is_locked_or_expired_is_suspended(
    ours: Site, attribute: str, value: str, word: str, somebody: str
) -> None:
    assert sign_in(somebody, "password") == "/"
    dn = User.objects.get(username=somebody).directory_dn
    ours.change(dn, **{attribute: value})
    sync_directory()
    user = User.objects.get(username=somebody)
    assert user.state == AccountState.SUSPENDED
    assert word in user.state_reason
    ours.change(dn, **{attribute: []})
    assert sign_in(somebody, "password") == "/"


def test_whom_an_administrator_suspended_stays_out(ours: Site, somebody: str) -> None:
    assert sign_in(somebody, "password") == "/"
    lifecycle.move(User.objects.get(username=somebody), AccountState.SUSPENDED, reason="Mined coins.")
    sync_directory()
    assert User.objects.get(username=somebody).state_reason == "Mined coins."
    assert "Mined coins." in sign_in(somebody, "password")


def test_a_directory_that_is_half_empty_changes_nothing(ours: Site, settings: LazySettings, tmp_path: Any) -> None:
    for name in ("fsalice", "fsbob", "fscarol", "fsuni"):
        accounts_of(ours, name)
    narrowed = use(settings, tmp_path, ours, filter=("(objectClass=posixAccount)", "(uid=fsalice)"))
    with pytest.raises(Conflict, match="1 of the 4 users"):
        census.take(directory(narrowed), narrowed)
    sync_directory()
    assert User.objects.filter(is_active=True).count() == 4
    assert "too little to be true" in Event.objects.filter(kind="directory").latest("id").reason
    assert "3 suspended" in run("sync", "--force")
    assert list(User.objects.filter(is_active=True).values_list("username", flat=True)) == ["fsalice"]


def test_an_empty_answer_changes_nothing(ours: Site, settings: LazySettings, tmp_path: Any) -> None:
    accounts_of(ours, "fsalice")
    narrowed = use(settings, tmp_path, ours, filter=("(objectClass=posixAccount)", "(uid=nobody)"))
    with pytest.raises(Conflict, match="answers with 0 people"):
        census.take(directory(narrowed), narrowed)


def test_an_answer_that_was_cut_off_changes_nothing(ours: Site) -> None:
    accounts_of(ours, "fsuni")
    cut = {"bind_dn": f"cn=narrow,ou=services,{ROOT}", "bind_password": "narrowpw"}  # slapd gives it 500 and no more
    with pytest.raises(Unreachable, match="sizeLimitExceeded"):
        census.take(ours.directory(**cut), dataclasses.replace(ours.config, **cut))
    assert User.objects.get().is_active


def accounts_of(site: Site, name: str) -> User:
    """The user that `name` becomes at the first login."""
    found = site.directory().find(name)
    assert found is not None
    return User.objects.create(
        username=name, email=found.email, source=User.Source.LDAP, directory_dn=found.dn, first_name=found.first_name
    )


# -- manage.py ldap --------------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("ldap", *arguments, stdout=out)
    return out.getvalue()


def test_check_explains_each_step(ours: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("alicepw\n"))
    said = run("check", "fsalice", "--password")
    for words in (
        "StartTLS with a certificate",
        "TLS with a certificate",
        "may search under ou=People",
        "The password is right.",
        "The entry is uid=fsalice",
        "E-mail (mail): fsalice@futuresystems.example.org.",
        "SSH keys (sshPublicKey): 2.",
        "Groups: cm-operators, fg82, fg82-leads.",
        "fg82 as lead",
        "portal roles: operator",
        "Neither locked",
        "No account here yet",
    ):
        assert words in said
    assert "WRONG" not in said
    assert "alicepw" not in said
    assert "portalpw" not in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fslocked", "an administrator locked this account there"),
        ("fsshadow", "this account expired there"),
        ("fsnomail", "no e-mail address"),
        ("nobody", "There is no entry, or more than one, for nobody"),
    ],
)
def test_check_ends_badly_when_somebody_cannot_sign_in(
    ours: Site, name: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("ldap", "check", name)
    assert ended.value.code == 1
    assert words in capsys.readouterr().out


def test_check_tells_a_wrong_authority_from_a_server_that_is_down(
    ours: Site, settings: LazySettings, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    use(
        settings,
        tmp_path,
        ours,
        ca=("tls/ca.crt", "tls/stranger.crt"),
        down=(ours.config.servers[1], "ldaps://localhost:9"),
    )
    with pytest.raises(SystemExit):
        call_command("ldap", "check", "fsalice")
    said = capsys.readouterr().out
    assert "an authority that ca_file does not hold. The port is open: check ca_file" in said
    assert "nothing listens there. Check its name and port" in said
    assert "No server can be used" in said


def test_without_a_directory_the_command_says_so(settings: LazySettings) -> None:
    settings.CLOUDMESH_LDAP = ""
    with pytest.raises(CommandError, match="No directory is set up"):
        run("check", "fsalice")
