"""The event stream over HTTP, against a web process as the portal runs it."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from accounts import services as accounts
from accounts.models import ApiToken
from activity import events
from projects import services as projects
from projects.models import Role
from tests.portal.consumers.conftest import WAIT, Person, Place, Team


class Told(NamedTuple):
    event: str
    id: str
    data: dict[str, Any]


class Reader:
    """A program that follows the stream."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response

    def next(self) -> Told | None:
        """The next message; None at the end."""
        fields: dict[str, str] = {}
        while line := self.response.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                return Told(fields.get("event", "message"), fields.get("id", ""), json.loads(fields["data"]))
        return None


@contextlib.contextmanager
def request(
    place: Place, person: Person | None, query: str = "", method: str = "GET", **headers: str
) -> Iterator[http.client.HTTPResponse]:
    client = http.client.HTTPConnection("127.0.0.1", place.listener.port, timeout=WAIT)
    with contextlib.closing(client):
        token = {"Authorization": f"Bearer {person.token}"} if person else {}
        client.request(method, f"/ws/stream{query}", headers=token | headers)
        yield client.getresponse()


@contextlib.contextmanager
def reading(place: Place, person: Person, query: str = "", **headers: str) -> Iterator[Reader]:
    with request(place, person, query, **headers) as response:
        assert response.status == 200, response.read()
        yield Reader(response)


def refusal(place: Place, person: Person | None, query: str = "", method: str = "GET") -> tuple[int, dict[str, Any]]:
    with request(place, person, query, method) as response:
        assert response.headers["Content-Type"] == "application/problem+json"
        return response.status, json.load(response)


def test_without_topics_all_that_one_may_hear_is_told(place: Place, team: Team) -> None:
    with reading(place, team.member) as reader:
        last = events.last()
        assert reader.next() == Told("ready", str(last), {"seq": last})
        seq = team.change()
        Team.new().change()
        projects.select_project(actor=team.member.user, project=team.project)
        told = [reader.next(), reader.next()]
    assert [(one.id, one.data["kind"]) for one in told if one] == [
        (str(seq), "project"),
        (str(events.last()), "membership"),
    ]


def test_the_stream_is_not_to_be_kept_by_anybody(place: Place, team: Team) -> None:
    with request(place, team.member) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert "no-cache" in response.headers["Cache-Control"]
        assert response.headers["X-Accel-Buffering"] == "no"


@pytest.mark.parametrize("how", ["since", "Last-Event-ID"])
def test_who_comes_back_is_told_what_it_missed(place: Place, team: Team, how: str) -> None:
    first, second, third = (team.change() for _ in range(3))
    query = f"?topics={team.topic},{team.member.user.topic}" + (f"&since={first}" if how == "since" else "&since=0")
    with reading(place, team.member, query, **({} if how == "since" else {how: str(first)})) as reader:
        ready = reader.next()
        assert ready
        assert ready.event == "ready"
        assert ready.id == str(first), "to be cut off here must not lose what comes next"
        assert [one.id for one in (reader.next(), reader.next()) if one] == [str(second), str(third)]


def test_who_cannot_be_told_what_it_missed_reads_everything_again(place: Place, team: Team) -> None:
    with reading(place, team.member, "?since=999999999") as reader:
        assert [one.event for one in (reader.next(), reader.next()) if one] == ["ready", "reset"]


def test_topics_that_are_not_yours_are_refused_and_the_others_told(place: Place, team: Team, stranger: Person) -> None:
    with reading(place, stranger, f"?topics={team.topic},{stranger.user.topic}") as reader:
        refused = reader.next()
        assert refused
        assert (refused.event, refused.data["refused"]) == ("refused", team.topic)
        ready = reader.next()
        assert ready
        assert ready.event == "ready"


def test_a_project_that_one_joins_meanwhile_is_told_too(place: Place, team: Team, stranger: Person) -> None:
    with reading(place, stranger) as reader:
        assert reader.next()
        projects.add_member(actor=team.lead.user, project=team.project, user=stranger.user, role=Role.MEMBER)
        told = [reader.next(), reader.next()]
        assert {one.event for one in told if one} == {"reset", "message"}
        seq = team.change()
        change = reader.next()
        while change and change.id != str(seq):  # the project tells of its new member too
            change = reader.next()
        assert change


def test_a_revoked_token_ends_the_stream(place: Place, stranger: Person) -> None:
    with reading(place, stranger) as reader:
        assert reader.next()
        accounts.revoke_token(token=ApiToken.objects.get(user=stranger.user), actor=stranger.user)
        assert reader.next() is None


def test_nobody_is_told_nothing(place: Place) -> None:
    status, problem = refusal(place, None)
    assert (status, problem["status"], problem["type"]) == (401, 401, "/docs/errors/not-authenticated")
    assert "Sign in" in problem["detail"]


def test_only_foreign_topics_are_refused_at_once(place: Place, team: Team, stranger: Person) -> None:
    status, problem = refusal(place, stranger, f"?topics={team.topic}")
    assert (status, problem["title"]) == (403, "Not allowed")


@pytest.mark.parametrize("since", ["-1", "latest", "1.5", "9" * 30, "%D9%A3"])
def test_a_number_that_is_none_is_refused(place: Place, stranger: Person, since: str) -> None:
    status, problem = refusal(place, stranger, f"?since={since}")
    assert status == 400
    assert "since" in problem["detail"]


def test_the_stream_is_only_read(place: Place, stranger: Person) -> None:
    assert refusal(place, stranger, method="POST")[0] == 405
