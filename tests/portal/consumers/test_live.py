"""The WebSocket, against a web process as the portal runs it."""

import datetime
import uuid

import pytest
from django.core.cache import cache
from websockets.exceptions import InvalidStatus

from accounts import services as accounts
from accounts.models import ApiToken
from activity import events, lifecycle
from portal.standalone.children import wait_until
from projects import services as projects
from tests import factories
from tests.activity.crowd import make_events
from tests.portal.consumers.conftest import Person, Place, Team, sign_in

# -- hearing ---------------------------------------------------------------------------------------------------


def test_a_change_is_heard_as_a_hint_that_tells_no_data(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as socket:
        ready = socket.subscribe(team.topic)
        seq = team.change()
        assert ready < seq
        assert socket.next() == {
            "seq": seq,
            "topic": team.topic,
            "kind": "project",
            "id": str(team.project.pk),
            "verb": "changed",
            "version": 2,
        }


def test_only_what_was_asked_for_is_heard(place: Place, team: Team) -> None:
    other = Team.new()
    with place.socket(team.member.token) as socket:
        socket.subscribe(team.member.user.topic)
        team.change()
        other.change()
        assert socket.is_silent()


def test_what_was_missed_comes_before_what_happens(place: Place, team: Team) -> None:
    first, *missed = [team.change() for _ in range(5)]
    Team.new().change()
    with place.socket(team.member.token) as socket:
        assert socket.subscribe(team.topic, since=first) > missed[-1]
        assert socket.until(missed[-1]) == missed
        fresh = team.change()
        assert socket.until(fresh) == [fresh]


def test_a_second_subscription_adds_to_the_first(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as socket:
        socket.subscribe(team.topic)
        socket.subscribe(team.member.user.topic)
        changed = team.change()
        projects.select_project(actor=team.member.user, project=team.project)
        assert [socket.next()["seq"] for _ in range(2)] == [changed, changed + 1]


def test_a_hint_told_twice_or_late_is_heard_once(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as socket, place.redis() as bell:
        socket.subscribe(team.topic)
        known = [team.change() for _ in range(3)]
        for start in (0, 2, 1):
            bell.publish(events.channel(), events.json.dumps(events.since(known[0] - 1)[start:]))
        known.append(team.change())
        assert socket.until(known[-1]) == known


def test_a_doorbell_that_runs_ahead_is_put_in_order_from_the_table(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as socket, place.redis() as bell:
        socket.subscribe(team.topic)
        make_events(2, team.topic)
        hints = events.number()
        bell.publish(events.channel(), events.json.dumps(hints[1:]))
        assert socket.until(hints[1]["seq"]) == [hints[0]["seq"], hints[1]["seq"]]


def test_what_somebody_looks_at_is_watched_and_nothing_else(place: Place, team: Team) -> None:
    foreign = Team.new().project
    with place.socket(team.member.token) as socket:
        socket.subscribe(team.topic, foreign.topic, "project:nonsense")
        assert wait_until(lambda: cache.get(f"watched:{team.project.pk}") is not None, seconds=10)
        assert cache.get(f"watched:{foreign.pk}") is None
        seq = team.change()
        assert socket.until(seq) == [seq]


# -- starting over ---------------------------------------------------------------------------------------------


def test_a_number_from_the_future_is_of_another_database(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as socket:
        last = socket.subscribe(team.topic, since=events.last() + 1000)
        assert last == events.last()
        assert socket.next() == {"reset": True}
        seq = team.change()
        assert socket.until(seq) == [seq]


def test_who_missed_too_much_reads_everything_again(place: Place, team: Team) -> None:
    since = team.change()
    make_events(events.REPLAY + 1, team.topic)
    events.number()
    with place.socket(team.member.token) as socket:
        socket.subscribe(team.topic, since=since)
        assert socket.next() == {"reset": True}
    with place.socket(team.member.token) as socket:
        socket.subscribe(team.topic, since=since + 1)
        assert len(socket.until(events.last())) == events.REPLAY


# -- who may hear what -----------------------------------------------------------------------------------------


def test_a_foreign_project_is_refused_as_if_it_were_none(place: Place, team: Team, stranger: Person) -> None:
    nowhere = f"project:{uuid.uuid4()}"
    reasons = []
    with place.socket(stranger.token) as socket:
        for topic in (team.topic, nowhere):
            socket.send({"subscribe": [topic], "since": 0})
            refusal = socket.next()
            assert refusal["refused"] == topic
            assert "ready" in socket.next()
            reasons.append(refusal["reason"].replace(topic, "TOPIC"))
        team.change()
        assert socket.is_silent()
    assert reasons[0] == reasons[1]


def test_somebody_elses_own_topic_is_refused(place: Place, team: Team, stranger: Person) -> None:
    with place.socket(stranger.token) as socket:
        socket.send({"subscribe": [team.member.user.topic, stranger.user.topic]})
        assert socket.next()["refused"] == team.member.user.topic
        assert "ready" in socket.next()


def test_who_leaves_a_project_hears_nothing_more_of_it(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as socket:
        socket.subscribe(team.topic, team.member.user.topic)
        projects.remove_member(actor=team.lead.user, project=team.project, user=team.member.user)
        team.change()
        assert socket.next()["refused"] == team.topic
        assert [(heard["kind"], heard["verb"]) for heard in (socket.next(), socket.next())] == [
            ("membership", "left"),
            ("notice", "created"),
        ]
        team.change()
        assert socket.is_silent()


def test_who_becomes_alumni_hears_nothing_more_of_it(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as socket:
        socket.subscribe(team.topic)
        projects.change_role(actor=team.lead.user, project=team.project, user=team.member.user, role="alumni")
        assert socket.next()["refused"] == team.topic
        team.change()
        assert socket.is_silent()


def test_a_token_of_one_project_hears_that_one_until_its_owner_leaves(place: Place, team: Team) -> None:
    user, other = team.member.user, factories.make_project(lead=team.member.user)
    _, secret = accounts.issue_token(user=user, name="bound", project_id=team.project.pk)
    with place.socket(secret) as socket:
        socket.subscribe(team.topic, other.topic, user.topic)
        lifecycle.change(other, actor=user, title="unheard")
        seq = team.change()
        assert socket.until(seq) == [seq]
        projects.leave_project(actor=user, project=team.project)
        assert socket.closed()[0] == 4401


def test_who_left_is_replayed_nothing(place: Place, team: Team) -> None:
    since = team.change()
    team.change()
    projects.remove_member(actor=team.lead.user, project=team.project, user=team.member.user)
    with place.socket(team.member.token) as socket:
        socket.send({"subscribe": [team.topic], "since": since})
        assert socket.next()["refused"] == team.topic
        assert "ready" in socket.next()
        assert socket.is_silent()


def test_a_revoked_token_ends_its_connections(place: Place, team: Team) -> None:
    _, other = accounts.issue_token(user=team.member.user, name="other")
    with place.socket(team.member.token) as socket, place.socket(other) as untouched:
        socket.subscribe(team.topic)
        untouched.subscribe(team.topic)
        accounts.revoke_token(token=ApiToken.objects.get(user=team.member.user, name="test"), actor=team.member.user)
        assert socket.closed()[0] == 4401
        seq = team.change()
        assert untouched.until(seq) == [seq]


def test_who_is_locked_out_is_sent_away(place: Place, team: Team) -> None:
    user = team.member.user
    with place.socket(team.member.token) as socket:
        socket.subscribe(team.topic)
        type(user).objects.filter(pk=user.pk).update(is_active=False, state="suspended")
        lifecycle.note(kind="user", verb="locked", topic=user.topic, object_id=user.pk)
        assert socket.closed()[0] == 4401


@pytest.mark.parametrize("token", ["", "cm_unknown", "no-token-at-all"])
def test_without_a_valid_token_or_session_the_end_says_why(place: Place, token: str) -> None:
    with place.socket(token, origin=place.listener.url) as socket:
        code, reason = socket.closed()
    assert code == 4401
    assert "not signed in" in reason


def test_an_expired_token_is_none(place: Place, stranger: Person) -> None:
    _, token = accounts.issue_token(user=stranger.user, name="old", life=datetime.timedelta(seconds=-1))
    with place.socket(token) as socket:
        assert socket.closed()[0] == 4401


# -- pages -----------------------------------------------------------------------------------------------------


def test_a_page_of_the_portal_hears_with_its_session(place: Place, team: Team) -> None:
    headers, _ = sign_in(place, team.member)
    with place.socket(headers=headers, origin=place.listener.url) as socket:
        socket.subscribe(team.topic)
        seq = team.change()
        assert socket.until(seq) == [seq]


def test_a_session_that_ends_ends_its_connections(place: Place, team: Team) -> None:
    headers, session = sign_in(place, team.member)
    with place.socket(headers=headers, origin=place.listener.url) as socket:
        socket.subscribe(team.topic)
        session.flush()  # as signing out does
        projects.select_project(actor=team.member.user, project=team.project)
        assert socket.closed()[0] == 4401


def test_a_page_of_somebody_else_gets_no_connection(place: Place, team: Team) -> None:
    headers, _ = sign_in(place, team.member)
    with pytest.raises(InvalidStatus, match="403"), place.socket(headers=headers, origin="https://evil.example.org"):
        pass


def test_there_is_nothing_elsewhere(place: Place, team: Team) -> None:
    with pytest.raises(InvalidStatus, match="403"), place.socket(team.member.token, path="/ws/other"):
        pass


# -- nonsense --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "code", "word"),
    [
        (b"\x00\x01", 1003, "text"),
        ("{", 4400, "no JSON"),
        ("[]", 4400, "subscribe"),
        ({"subscribe": "project:1"}, 4400, "subscribe"),
        ({"subscribe": [1]}, 4400, "subscribe"),
        ({"subscribe": ["portal"], "since": -1}, 4400, "since"),
        ({"subscribe": ["portal"], "since": True}, 4400, "since"),
        ({"subscribe": ["portal"], "since": "7"}, 4400, "since"),
        ({"subscribe": ["project:\x00"]}, 4400, "topic"),
        ({"subscribe": ["x" * 65]}, 4400, "topic"),
        ({"subscribe": [f"project:{number}" for number in range(501)]}, 4400, "500"),
        ('"' + "x" * 40_000 + '"', 1009, "32768"),
    ],
)
def test_nonsense_is_told_what_is_wrong_with_it(
    place: Place, stranger: Person, message: object, code: int, word: str
) -> None:
    with place.socket(stranger.token) as socket:
        socket.send(message)
        ended, reason = socket.closed()
    assert ended == code
    assert word in reason


def test_who_never_stops_asking_is_sent_away(place: Place, stranger: Person) -> None:
    with place.socket(stranger.token) as socket:
        for _ in range(31):
            socket.send({"subscribe": []})
        assert socket.closed()[0] == 4429
