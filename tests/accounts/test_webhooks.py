"""Webhooks, with a program that really listens: each event once at least, in order, signed, and nobody else's."""

import datetime
import http.server
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Delivery, Notice, User, Webhook
from activity import lifecycle
from cloudmesh import wire
from cloudmesh.errors import Conflict, Invalid, NotAllowed, Unreachable
from projects import services, tasks
from projects.models import Project, Role
from projects.tasks import webhooks
from tests.factories import at_once, make_project, make_user
from tests.rest import Api

pytestmark = pytest.mark.django_db(transaction=True)  # what is committed is numbered, and only that is told

HOWTO = Path(__file__).parents[2] / "docs/howto/webhooks.md"
Asked = tuple[str, dict[str, str], bytes]


class Receiver:
    """A program that is told; `answers` are the statuses of the next requests, 200 when there are none left."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[int] = []
        self.url = ""

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.asked]

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for event in self.told]

    @property
    def names(self) -> list[str]:
        return [event["name"] for event in self.told]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    known = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known.asked.append((self.path, dict(self.headers), body))
            self.send_response(known.answers.pop(0) if known.answers else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        known.url = f"http://127.0.0.1:{server.server_port}/hook?of=portal"
        yield known
        server.shutdown()


@pytest.fixture
def admin() -> User:
    """May have programs told that stand beside the portal, as the receiver does."""
    return make_user("root", is_admin=True)


@pytest.fixture
def project(admin: User) -> Project:
    return make_project("fg101", lead=admin)


def happen(topic: str, *names: str, kind: str = "server", project: Project | None = None) -> None:
    for name in names:
        lifecycle.note(kind=kind, verb="changed", topic=topic, name=name, project_id=project.pk if project else None)


def hook(owner: User, receiver: Receiver, project: Project | None = None, **more: Any) -> Webhook:
    """A webhook that has been told of its own making."""
    webhook, _ = services.add_webhook(actor=owner, url=receiver.url, project=project, **more)
    tell(webhook)
    receiver.asked.clear()
    return webhook


def tell(webhook: Webhook) -> None:
    tasks.tell_webhook(str(webhook.pk))


def later(webhook: Webhook) -> None:
    """As if its next attempt were due."""
    webhook.deliveries.filter(done_at=None).update(next_at=timezone.now())
    tell(webhook)


def fresh(webhook: Webhook) -> Webhook:
    return Webhook.objects.get(pk=webhook.pk)


# -- what arrives ----------------------------------------------------------------------------------------------


def test_events_arrive_in_order_each_once(admin: User, receiver: Receiver) -> None:
    webhook = hook(admin, receiver)
    happen(admin.topic, "a", "b", "c")
    tell(webhook)
    tell(webhook)
    assert receiver.names == ["a", "b", "c"]
    assert receiver.seqs == sorted(receiver.seqs)
    assert {path for path, _, _ in receiver.asked} == {"/hook?of=portal"}


def test_the_body_is_the_event_as_the_api_tells_it(
    admin: User, project: Project, receiver: Receiver, api: Callable[..., Api]
) -> None:
    webhook = hook(admin, receiver, project)
    happen(project.topic, "gregor_1", project=project)
    tell(webhook)
    [said] = receiver.told
    assert said == api(admin).get("events/", {"since": said["seq"] - 1}).results[-1]
    assert said["project"] == "fg101"


def test_the_signature_is_verified_as_the_docs_say(admin: User, receiver: Receiver) -> None:
    _, secret = services.add_webhook(actor=admin, url=receiver.url)
    tell(Webhook.objects.get())
    _, headers, body = receiver.asked[0]
    known: dict[str, Any] = {}
    exec(re.search(r"```python\n(.*?)```", HOWTO.read_text(), re.DOTALL)[1], known)  # type: ignore[index]
    verify, signature = known["is_from_the_portal"], headers["Cloudmesh-Signature"]
    assert verify(secret, signature, body)
    assert not verify(secret, signature, body + b" ")
    assert not verify("whsec_other", signature, body)
    assert not verify(secret, "t=1,v1=00", body)
    with time_machine.travel(timezone.now() + datetime.timedelta(hours=1)):
        assert not verify(secret, signature, body)


def test_only_its_topic_and_kinds_are_told(admin: User, project: Project, receiver: Receiver) -> None:
    webhook = hook(admin, receiver, project, kinds=["server"])
    happen(project.topic, "ours", project=project)
    happen(project.topic, "a token", kind="token", project=project)
    happen(admin.topic, "mine")
    tell(webhook)
    assert receiver.names == ["ours"]


def test_a_test_reaches_the_one_that_asked(admin: User, receiver: Receiver) -> None:
    webhook = hook(admin, receiver, kinds=["server"])
    other = hook(admin, receiver)
    services.test_webhook(actor=admin, webhook=webhook)
    tell(other)
    assert not receiver.asked
    tell(webhook)
    assert [(event["kind"], event["verb"]) for event in receiver.told] == [("webhook", "tested")]


def test_the_sweep_finds_who_is_to_be_told(admin: User, receiver: Receiver, project: Project, monkeypatch: Any) -> None:
    quiet, busy = hook(admin, receiver, project), hook(admin, receiver)
    tell(quiet)
    tell(busy)
    happen(admin.topic, "news")
    rung: list[Any] = []
    monkeypatch.setattr(webhooks.current_app, "send_task", lambda name, args, **_: rung.append(args[0]))
    tasks.sweep_webhooks()
    assert rung == [str(busy.pk)]


# -- when it does not work -------------------------------------------------------------------------------------


def test_what_fails_is_tried_again_and_later_events_wait(admin: User, receiver: Receiver) -> None:
    webhook = hook(admin, receiver)
    happen(admin.topic, "a", "b")
    receiver.answers = [500, 503]
    tell(webhook)
    tell(webhook)
    assert receiver.names == ["a"]
    assert fresh(webhook).problem == "It answered with HTTP 500."
    later(webhook)
    later(webhook)
    assert receiver.names == ["a", "a", "a", "b"]
    assert len({headers["Cloudmesh-Delivery"] for _, headers, _ in receiver.asked}) == 2
    assert (fresh(webhook).failures, fresh(webhook).problem) == (0, "")


def test_pauses_grow(admin: User, receiver: Receiver) -> None:
    webhook = hook(admin, receiver)
    happen(admin.topic, "a")
    receiver.answers = [500] * 12
    pauses = []
    for _ in range(12):
        later(webhook)
        pauses.append((Delivery.objects.get(done_at=None).next_at - timezone.now()).total_seconds())
    assert 5 < pauses[0] < 15
    assert pauses[0] < pauses[3] < pauses[6]
    assert 2800 < pauses[11] < 4400


def test_after_many_failures_it_is_switched_off_and_goes_on_where_it_stopped(admin: User, receiver: Receiver) -> None:
    webhook = hook(admin, receiver)
    happen(admin.topic, "a")
    receiver.answers = [500] * 32
    for _ in range(40):
        later(webhook)
    assert len(receiver.asked) == 32
    assert not fresh(webhook).is_enabled
    notice = Notice.objects.get(user=admin)
    assert notice.title == "Your webhook to 127.0.0.1 was switched off"
    assert "HTTP 500" in notice.text
    happen(admin.topic, "b")
    tell(webhook)
    assert len(receiver.asked) == 32
    services.enable_webhook(actor=admin, webhook=fresh(webhook))
    tell(webhook)
    assert receiver.names[32] == "a"
    assert receiver.names[-2:] == ["b", "127.0.0.1"]


def test_switched_on_from_now_it_leaves_out_what_was_missed(admin: User, receiver: Receiver) -> None:
    webhook = hook(admin, receiver)
    accounts.disable_webhook(actor=admin, webhook=webhook, reason="Switched off by its owner.")
    happen(admin.topic, "missed")
    tell(webhook)
    services.enable_webhook(actor=admin, webhook=fresh(webhook), skip=True)
    happen(admin.topic, "news")
    tell(webhook)
    assert "missed" not in receiver.names
    assert receiver.names[-1] == "news"


def test_gone_is_gone(admin: User, receiver: Receiver) -> None:
    webhook = hook(admin, receiver)
    happen(admin.topic, "a")
    receiver.answers = [410]
    tell(webhook)
    assert not fresh(webhook).is_enabled


def test_redirects_are_not_followed(admin: User, receiver: Receiver) -> None:
    webhook = hook(admin, receiver)
    happen(admin.topic, "a")
    receiver.answers = [302]
    tell(webhook)
    assert len(receiver.asked) == 1
    assert "not followed" in fresh(webhook).problem


def test_two_workers_tell_each_event_once(admin: User, receiver: Receiver) -> None:
    webhook = hook(admin, receiver)
    happen(admin.topic, *(f"event {number:02}" for number in range(20)))
    at_once(4, lambda: tell(webhook))
    later(webhook)
    assert receiver.names == [f"event {number:02}" for number in range(20)]


def test_a_slow_receiver_is_hung_up_on() -> None:
    """It sends one byte of its answer again and again, each within the time-out of a socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            caller, _ = server.accept()
            with caller:
                try:
                    while True:
                        caller.sendall(b"H")
                        time.sleep(0.1)
                except OSError:
                    pass

        threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(Unreachable, match="did not answer within 1 s"):
            wire.post(url, b"{}", headers={}, guard=lambda address: None, seconds=1.0)
        assert time.monotonic() - began < 3


def test_who_is_not_there_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", f"https://127.0.0.1:{port}/", "http://nowhere.invalid/"):
        with pytest.raises(Unreachable, match="could not be reached"):
            wire.post(url, b"{}", headers={}, guard=lambda address: None, seconds=2.0)


# -- who may ---------------------------------------------------------------------------------------------------


def test_private_addresses_are_for_administrators(receiver: Receiver) -> None:
    gregor = make_user("gregor")
    with pytest.raises(Invalid, match="not a public address"):
        services.add_webhook(actor=gregor, url=receiver.url)
    url = receiver.url.replace("127.0.0.1", "localhost")
    webhook, _ = services.add_webhook(actor=gregor, url=url)  # a name is looked up when it is told
    tell(webhook)
    assert not receiver.asked
    assert "not a public address" in fresh(webhook).problem


def test_a_project_is_told_of_by_those_who_manage_it(admin: User, project: Project, receiver: Receiver) -> None:
    member, stranger = make_user("member"), make_user("mallory")
    services.add_member(actor=admin, project=project, user=member, role=Role.MEMBER)
    for user in (member, stranger):
        with pytest.raises(NotAllowed):
            services.add_webhook(actor=user, url="https://hooks.example.org/", project=project)
    assert not Webhook.objects.exists()


def test_who_left_is_told_nothing_more(admin: User, project: Project, receiver: Receiver) -> None:
    gregor = make_user("gregor")
    services.add_member(actor=admin, project=project, user=gregor, role=Role.MANAGER)
    webhook, _ = services.add_webhook(actor=gregor, url="https://hooks.example.org/", project=project)
    Webhook.objects.update(url=receiver.url)
    services.remove_member(actor=admin, project=project, user=gregor)
    happen(project.topic, "secret plans", project=project)
    tell(webhook)
    assert not receiver.asked
    assert not Webhook.objects.filter(pk=webhook.pk, is_enabled=True).exists()


def test_a_blocked_person_is_told_nothing_more(admin: User, receiver: Receiver) -> None:
    webhook = hook(admin, receiver)
    User.objects.filter(pk=admin.pk).update(state="blocked", is_active=False)
    happen(admin.topic, "news")
    tell(webhook)
    assert not receiver.asked
    assert not fresh(webhook).is_enabled


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/", "https://", "https://gregor:pw@example.org/", "https://example.org/a b", "https://ex\nample",
     "javascript:alert(1)", "https://example.org:99999/", "https://example.org/" + "x" * 400],
)  # fmt: skip
def test_what_is_no_url_is_refused(admin: User, url: str) -> None:
    with pytest.raises(Invalid) as refused:
        services.add_webhook(actor=admin, url=url)
    assert refused.value.facts["field"] == "url"


def test_there_is_a_most(admin: User) -> None:
    for _ in range(accounts.WEBHOOKS):
        services.add_webhook(actor=admin, url="https://hooks.example.org/")
    with pytest.raises(Conflict, match="Remove one"):
        services.add_webhook(actor=admin, url="https://hooks.example.org/")


def test_the_secret_is_sealed(admin: User) -> None:
    webhook, secret = services.add_webhook(actor=admin, url="https://hooks.example.org/s3cret-path")
    assert secret not in webhook.secret
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(event::text, ' ') FROM activity_event AS event")
        audit = cursor.fetchone()[0]
    assert secret not in audit
    assert "s3cret-path" not in audit


# -- pages and REST --------------------------------------------------------------------------------------------


@pytest.fixture
def site(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def test_a_webhook_is_added_on_its_page_and_its_secret_shown_once(site: Client, receiver: Receiver) -> None:
    page = site.post("/account/webhooks/", {"url": receiver.url, "kinds": "server, operation"})
    webhook = Webhook.objects.get()
    [secret] = re.findall(r"whsec_[\w-]{43}", page.content.decode())
    assert webhook.kinds == ["operation", "server"]
    assert "no-store" in page.headers["Cache-Control"]
    for path in ("/account/webhooks/", f"/account/webhooks/{webhook.pk}/"):
        assert secret not in site.get(path).content.decode()


def test_a_wrong_url_is_said_at_its_field(site: Client) -> None:
    page = site.post("/account/webhooks/", {"url": "ftp://example.org"})
    assert page.status_code == 400
    assert "must be like https://" in page.content.decode()


def test_the_page_tests_switches_and_removes(site: Client, receiver: Receiver, admin: User) -> None:
    webhook = hook(admin, receiver)
    here = f"/account/webhooks/{webhook.pk}/"
    site.post(f"{here}test/")
    tell(webhook)
    assert [event["verb"] for event in receiver.told] == ["tested"]
    assert "<td>200" in site.get(here).content.decode()
    site.post(f"{here}disable/")
    assert not fresh(webhook).is_enabled
    assert not Notice.objects.exists()
    site.post(f"{here}enable/")
    assert fresh(webhook).is_enabled
    assert site.post(f"{here}explode/").status_code == 404
    site.post(f"{here}remove/")
    assert not Webhook.objects.exists()


def test_somebody_elses_webhook_is_not_there(site: Client, api: Callable[..., Api]) -> None:
    mallory = make_user("mallory")
    webhook, _ = services.add_webhook(actor=mallory, url="https://hooks.example.org/")
    assert site.get(f"/account/webhooks/{webhook.pk}/").status_code == 404
    for act in ("test", "enable", "disable", "remove"):
        assert site.post(f"/account/webhooks/{webhook.pk}/{act}/").status_code == 404
    stranger = api(make_user())
    assert stranger.get(f"webhooks/{webhook.pk}/").status == 404
    assert stranger.delete(f"webhooks/{webhook.pk}/").status == 404
    assert stranger.get("webhooks/").results == []


def test_rest_makes_changes_and_removes(
    admin: User, project: Project, receiver: Receiver, api: Callable[..., Api]
) -> None:
    rest = api(admin)
    made = rest.post("webhooks/", {"url": receiver.url, "project": "fg101", "kinds": ["server"]})
    assert (made.status, made["project"], made["secret"][:6]) == (201, "fg101", "whsec_")
    path = f"webhooks/{made['id']}/"
    assert rest.post(f"{path}test/").status == 202
    tell(Webhook.objects.get())
    assert [each["status"] for each in rest.get(path)["deliveries"]] == [200, 200]
    assert "secret" not in rest.get(path).body
    assert not rest.change(path, {"is_enabled": False, "kinds": []})["is_enabled"]
    assert rest.post(f"{path}test/").status == 409
    assert rest.change(path, {"is_enabled": True, "skip": True})["is_enabled"]
    assert rest.delete(path).status == 204
    assert rest.post("webhooks/", {"url": receiver.url, "project": "nowhere"}).status == 404
    assert rest.post("webhooks/", {"url": "nonsense"}).status == 400


def test_a_token_of_one_project_sees_none(admin: User, project: Project) -> None:
    admin.only_project = project.pk
    with pytest.raises(NotAllowed):
        services.add_webhook(actor=admin, url="https://hooks.example.org/", project=project)
