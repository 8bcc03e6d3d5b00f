"""What the template tags say."""

import datetime
import re
import uuid

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from activity.models import Event
from cloudmesh.types import ImageState, ServerState
from clouds.services.facts import Use
from operations.models import CredentialState, Health, OperationState
from portal.templatetags import cloudmesh

QUIET = {"stopped", "deleted", "cancelled", "unknown", "off"}  # states without a colour of their own


def rendered(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


@pytest.mark.parametrize("states", [ServerState, ImageState, CredentialState, Health, OperationState])
def test_every_state_there_is_has_a_colour_or_is_quiet(states: type) -> None:
    assert {str(each.value) for each in states} - cloudmesh.TONE.keys() - QUIET == set()


def test_a_state_is_a_dot_and_a_word_with_its_reason() -> None:
    html = rendered("{% state 'waiting_approval' why %}", why="It needs a <lead>.")
    assert 'class="state tone-wait"' in html
    assert 'title="It needs a &lt;lead&gt;."' in html
    assert html.endswith("waiting for approval</span>")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "just now"), (12, "12 s ago"), (60, "1 min ago"), (7_300, "2 h ago"), (200_000, "2 d ago"), (-5, "just now")],
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, words: str) -> None:
    when = timezone.now() - datetime.timedelta(seconds=seconds)
    html = rendered("{% age when of='india' %}", when=when)
    assert f'data-of="india">{words}</time>' in html
    assert f'datetime="{when.astimezone(datetime.UTC).isoformat(timespec="seconds")}"' in html


def test_what_never_was_says_so() -> None:
    assert rendered("{% age when 'not read yet' %}", when=None) == '<span class="age">not read yet</span>'


def test_a_command_quotes_names_for_the_shell_and_for_html() -> None:
    html = rendered("{% cm 'vm show' name %}", name="a b<c>")
    assert "<code>cm vm show &#x27;a b&lt;c&gt;&#x27;</code>" in html


def test_a_heads_link_sorts_up_then_down_keeps_filters_and_starts_at_the_first_page() -> None:
    request = RequestFactory().get("/servers/?cloud=india&page=3&sort=name")
    head = "{% sort 'name' 'Name' %}"
    up = Template(head).render(Context({"request": request, "sort": "state"}))
    down = Template(head).render(Context({"request": request, "sort": "name"}))
    assert 'href="?cloud=india&amp;sort=name"' in up
    assert 'aria-sort="none"' in up
    assert 'href="?cloud=india&amp;sort=-name"' in down
    assert 'aria-sort="ascending"' in down


@pytest.mark.parametrize(
    ("used", "limit", "tone", "text"),
    [
        (2048, 131_072, "ok", "2 GiB of 128 GiB"),
        (104_858, 131_072, "wait", "102.4 GiB of 128 GiB"),
        (131_072, 131_072, "bad", "128 GiB of 128 GiB"),
        (0, 0, "bad", "0 MiB of 0 MiB"),
        (1536, None, "ok", "1.5 GiB"),
    ],
)
def test_a_bar_tells_what_is_taken_and_how_near_its_end_is(used: int, limit: int | None, tone: str, text: str) -> None:
    html = rendered("{% bar 'ram' use %}", use=Use(used=used, limit=limit))
    assert f'class="bar tone-{tone}"' in html
    assert f'<span class="bar-text">{text}</span>' in html
    assert ("<progress" in html) == (limit is not None)


def test_values_of_a_request_survive_any_name() -> None:
    html = rendered('<b hx-vals="{% vals value=name %}">', name='it\'s "<b>"')
    assert html == '<b hx-vals="{&quot;value&quot;: &quot;it&#x27;s \\&quot;&lt;b&gt;\\&quot;&quot;}">'


@pytest.mark.parametrize(
    ("kind", "words"), [("server.create", "Boot"), ("server.delete", "Delete"), ("server.console_log", "Console log")]
)
def test_an_operations_kind_is_told_in_words(kind: str, words: str) -> None:
    assert cloudmesh.deed(kind) == words


SERVER = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Event(kind="server", name="web", verb="requested", to_state="requested"), "server web requested"),
        (Event(kind="server", name="web", verb="changed", to_state="stopped"), "server web stopped"),
        (Event(kind="server", name="web", verb="drifted", to_state="stopped"), "server web drifted: stopped"),
        (Event(kind="token", name="laptop", verb="created"), "token laptop created"),
        (
            Event(kind="operation", name="server.create web", verb="progress", data={"step": "asked"}),
            "operation Boot web asked",
        ),
    ],
)
def test_an_event_is_told_in_words(event: Event, words: str) -> None:
    html = rendered("{% told event %}", event=event)
    assert re.sub(r"<[^>]+>|\s+", " ", html).split() == words.split()


def test_an_event_leads_to_what_it_is_about_but_not_from_its_own_page() -> None:
    event = Event(kind="server", name="a<b>", verb="deleted", object_id=SERVER)
    page = f"/servers/{SERVER}/"
    told = Template("{% told event %}")
    elsewhere = told.render(Context({"event": event, "request": RequestFactory().get("/events/")}))
    here = told.render(Context({"event": event, "request": RequestFactory().get(page)}))
    assert f'<a href="{page}">a&lt;b&gt;</a>' in elsewhere
    assert "<a " not in here
    assert cloudmesh.page("flavor", SERVER) == cloudmesh.page("server", None) == ""
