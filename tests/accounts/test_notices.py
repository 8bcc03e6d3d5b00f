"""What people are told: in the page, and by mail when they chose so."""

import datetime

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services
from accounts.models import Delay, Mail, Notice, NoticeChoice, NoticeKind, User
from accounts.tasks import mail_notices
from activity.models import Event
from cloudmesh.errors import Invalid
from clouds.models import CloudAccount
from clouds.services import boot_servers
from operations.models import Operation
from tests.factories import at_once, do_all_work, make_user

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 5, 4, 12, tzinfo=datetime.UTC)


@pytest.fixture
def gregor() -> User:
    return make_user("gregor")


def tell(*users: User, title: str = "Your account is active", **more: str) -> Notice:
    return services.notify(users, kind=more.pop("kind", NoticeKind.ACCOUNT), title=title, **more)[0]


def choose(user: User, delay: str, kind: str = NoticeKind.ACCOUNT) -> None:
    services.choose_delays(actor=user, choices={kind: delay})


# -- telling ---------------------------------------------------------------------------------------------------


def test_each_is_told_once_in_one_line(gregor: User) -> None:
    laszewski = make_user()
    services.notify([gregor, laszewski, gregor], kind="account", title="One\r\nBcc: all@example.org")
    assert [(each.user, each.title) for each in Notice.objects.order_by("user__username")] == [
        (gregor, "One Bcc: all@example.org"),
        (laszewski, "One Bcc: all@example.org"),
    ]


def test_open_pages_hear_of_a_notice_and_of_its_being_read(gregor: User) -> None:
    notice = tell(gregor)
    services.read_notice(actor=gregor, notice=notice)
    services.read_notice(actor=gregor, notice=notice)
    told = Event.objects.filter(kind="notice", topic=gregor.topic).order_by("pk")
    assert [(event.verb, event.object_id) for event in told] == [("created", notice.pk), ("read", notice.pk)]


def test_nobody_reads_what_somebody_else_was_told(gregor: User) -> None:
    notice = tell(gregor)
    services.read_notice(actor=make_user(), notice=notice)
    notice.refresh_from_db()
    assert notice.read_at is None


# -- by mail ---------------------------------------------------------------------------------------------------


def test_at_once_is_mailed_once(gregor: User) -> None:
    tell(gregor, title="Your account is active", text="Welcome.", url="/servers/")
    mail_notices()
    mail_notices()
    mail = Mail.objects.get()
    assert (mail.to, mail.subject) == ("gregor@example.org", "Your account is active")
    for part in (mail.text, mail.html):
        assert "Welcome." in part
        assert "http://127.0.0.1:8000/servers/" in part
        assert "http://127.0.0.1:8000/account/notices/" in part


def test_all_that_are_due_come_in_one_mail(gregor: User) -> None:
    for title in ("<One>", "Two", "Three"):
        tell(gregor, title=title)
    tell(make_user(), title="Somebody else's")
    mail_notices()
    mail = Mail.objects.get(to=gregor.email)
    assert mail.subject == "3 notices from Cloudmesh"
    assert "<One>" in mail.text
    assert "&lt;One&gt;" in mail.html
    assert "Somebody else" not in mail.text
    assert Mail.objects.count() == 2


def test_a_digest_waits_for_the_morning(gregor: User) -> None:
    choose(gregor, Delay.DIGEST)
    with time_machine.travel(NOON, tick=False):
        tell(gregor, title="One")
        tell(gregor, title="Two")
        mail_notices()
        assert not Mail.objects.exists()
    with time_machine.travel(NOON + datetime.timedelta(hours=18), tick=False):
        mail_notices()
    assert Mail.objects.get().subject == "2 notices from Cloudmesh"


def test_never_is_never(gregor: User) -> None:
    choose(gregor, Delay.NEVER)
    tell(gregor)
    tell(gregor, kind=NoticeKind.QUOTA, title="Nearly full")
    with time_machine.travel(timezone.now() + datetime.timedelta(days=30)):
        mail_notices()
    assert Mail.objects.get().subject == "Nearly full"


def test_what_was_read_here_is_not_mailed(gregor: User) -> None:
    services.read_notice(actor=gregor, notice=tell(gregor))
    mail_notices()
    assert not Mail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_the_same_instant_mail_once() -> None:
    people = [make_user() for _ in range(5)]
    for user in people:
        tell(user)
        tell(user, title="And more")
    at_once(4, mail_notices)
    assert sorted(Mail.objects.values_list("to", flat=True)) == sorted(user.email for user in people)
    assert set(Mail.objects.values_list("subject", flat=True)) == {"2 notices from Cloudmesh"}


@pytest.mark.django_db(transaction=True)
def test_a_notice_in_other_hands_is_passed_by() -> None:
    gregor = make_user()
    tell(gregor)
    with transaction.atomic():
        Notice.objects.select_for_update().get()
        at_once(1, mail_notices)
        assert not Mail.objects.exists()
    mail_notices()
    assert Mail.objects.count() == 1


def test_unknown_choices_are_refused(gregor: User) -> None:
    for kind, delay in (("account", "tomorrow"), ("nonsense", "now")):
        with pytest.raises(Invalid, match=r"account.*operation"):
            services.choose_delays(actor=gregor, choices={kind: delay})
    assert not NoticeChoice.objects.exists()


# -- the pages -------------------------------------------------------------------------------------------------


@pytest.fixture
def site(client: Client, gregor: User) -> Client:
    client.force_login(gregor)
    return client


def test_the_bell_counts_what_is_unread(site: Client, gregor: User) -> None:
    assert "bell-count" not in site.get("/").content.decode()
    for _ in range(3):
        notice = tell(gregor)
    assert '<span class="bell-count" aria-hidden="true">3</span>' in site.get("/").content.decode()
    services.read_notice(actor=gregor, notice=notice)
    assert 'aria-label="Notices: 2 unread"' in site.get("/account/notices/bell/").content.decode()


def test_the_bell_costs_no_question(site: Client, gregor: User) -> None:
    site.get("/keys/")
    with CaptureQueriesContext(connection) as without:
        site.get("/keys/")
    for _ in range(20):
        tell(gregor)
    with CaptureQueriesContext(connection) as with_notices:
        site.get("/keys/")
    assert lasting(with_notices) == lasting(without) <= 10


def lasting(queries: CaptureQueriesContext) -> int:
    """How many there were, but for what is asked now and then only."""
    return len([query for query in queries if "accounts_agreement" not in query["sql"]])


def test_the_panel_shows_the_newest(site: Client, gregor: User) -> None:
    for number in range(10):
        tell(gregor, title=f"Notice {number}")
    panel = site.get("/account/notices/bell/?panel").content.decode()
    assert "Notice 9" in panel
    assert "Notice 1<" not in panel


def test_opening_a_notice_reads_it_and_leads_to_what_it_is_about(site: Client, gregor: User) -> None:
    notice = tell(gregor, url="/servers/?state=error")
    answer = site.post(f"/account/notices/{notice.pk}/open/")
    assert answer.headers["Location"] == "/servers/?state=error"
    notice.refresh_from_db()
    assert notice.read_at


@pytest.mark.parametrize("url", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", ""])
def test_opening_a_notice_leads_nowhere_else(site: Client, gregor: User, url: str) -> None:
    answer = site.post(f"/account/notices/{tell(gregor, url=url).pk}/open/")
    assert answer.headers["Location"] == "/account/notices/"


def test_somebody_elses_notice_is_not_there(site: Client) -> None:
    notice = tell(make_user())
    for act in ("open", "read"):
        assert site.post(f"/account/notices/{notice.pk}/{act}/").status_code == 404
    notice.refresh_from_db()
    assert notice.read_at is None


def test_all_are_marked_read(site: Client, gregor: User) -> None:
    for _ in range(2):
        tell(gregor)
    others = tell(make_user())
    toast = site.post("/account/notices/read/", headers={"HX-Request": "true"})
    assert "2 marked as read" in toast.headers["HX-Trigger"]
    assert list(Notice.objects.filter(read_at=None)) == [others]


def test_the_history_is_narrowed_and_paged(site: Client, gregor: User) -> None:
    for number in range(60):
        tell(gregor, title=f"Notice {number:02}", kind="account" if number else "quota")
    page = site.get("/account/notices/")
    assert len(page.context["notices"]) == 50
    with CaptureQueriesContext(connection) as queries:
        found = site.get("/account/notices/?kind=quota").context["notices"]
    assert [each.title for each in found] == ["Notice 00"]
    assert len(queries) <= 10


def test_choices_are_kept(site: Client, gregor: User) -> None:
    site.post("/account/notices/choices/", {"account": "never", "operation": "digest"})
    delays = services.delays_of(gregor)
    assert (delays["account"], delays["operation"], delays["quota"]) == ("never", "digest", "now")
    assert site.post("/account/notices/choices/", {"account": "tomorrow"}).status_code == 400


# -- wishes that failed ----------------------------------------------------------------------------------------


def test_a_failed_wish_is_told_to_its_owner(account: CloudAccount, member: User) -> None:
    operation = boot_servers(actor=member, project=account.project, cloud="india")
    Operation.objects.filter(pk=operation.pk).update(kind="server.unheard_of")
    do_all_work()
    notice = Notice.objects.get(kind=NoticeKind.OPERATION)
    assert notice.user == member
    assert notice.title == f"{operation.target_name}: server unheard of failed"
    assert "No handler" in notice.text
    assert notice.url == f"/operations/{operation.pk}/"


def test_a_batch_is_told_once(account: CloudAccount, member: User) -> None:
    batch = boot_servers(actor=member, project=account.project, cloud="india", count=3)
    Operation.objects.filter(parent=batch).update(kind="server.unheard_of")
    do_all_work()
    notice = Notice.objects.get(kind=NoticeKind.OPERATION)
    assert notice.url == f"/operations/{batch.pk}/"
    assert notice.text.startswith("3 of 3 failed")


def test_success_is_not_told(account: CloudAccount, member: User) -> None:
    boot_servers(actor=member, project=account.project, cloud="india")
    do_all_work()
    assert not Notice.objects.filter(kind=NoticeKind.OPERATION).exists()
