"""What staff follow: one topic for all projects, one for all people, and nobody else does."""

import pytest

from accounts.models import PortalRole
from activity import lifecycle
from portal.consumers.listener import TOPICS
from projects.models import Project, ProjectState
from tests.portal.consumers.conftest import Person, Place, Team
from tests.portal.consumers.test_stream import reading


@pytest.fixture
def operator(place: Place) -> Person:
    person = Person.new()
    lifecycle.change(person.user, portal_roles=[PortalRole.OPERATOR])
    return person


def test_staff_hear_of_all_projects_and_people_by_two_topics(place: Place, team: Team, operator: Person) -> None:
    other = Team.new()
    with place.socket(operator.token) as socket:
        socket.subscribe("projects", "users")
        changed = [team.change(), other.change()]
        event = lifecycle.change(other.member.user, first_name="Ada")
        event.refresh_from_db()
        assert socket.until(event.seq or 0) == [*changed, event.seq]


def test_who_follows_one_project_and_all_hears_once(place: Place, team: Team, operator: Person) -> None:
    with place.socket(operator.token) as socket:
        socket.subscribe(team.topic)
        first = team.change()
        assert socket.until(first) == [first]
        socket.subscribe("projects")
        seqs = [team.change(), Team.new().change(), team.change()]
        heard = socket.until(seqs[-1])
        assert sorted(set(heard)) == heard
        assert set(seqs) <= set(heard)


def test_what_staff_missed_of_all_comes_first(place: Place, team: Team, operator: Person) -> None:
    other = Team.new()
    first = team.change()
    missed = [other.change(), team.change()]
    with place.socket(operator.token) as socket:
        socket.subscribe("projects", since=first)
        assert socket.until(missed[-1]) == missed


def test_nobody_else_follows_all(place: Place, team: Team) -> None:
    since = team.change()
    Team.new().change()
    with place.socket(team.member.token) as socket:
        socket.send({"subscribe": ["projects", "users"], "since": since})
        assert {socket.next()["refused"] for _ in range(2)} == {"projects", "users"}
        assert "ready" in socket.next()
        Team.new().change()
        assert socket.is_silent()


def test_who_is_staff_no_longer_hears_no_more(place: Place, team: Team, operator: Person) -> None:
    with place.socket(operator.token) as socket:
        socket.subscribe("projects")
        lifecycle.change(operator.user, portal_roles=[])
        assert socket.next()["refused"] == "projects"
        team.change()
        assert socket.is_silent()


def test_staff_of_more_projects_than_a_wish_may_name_follow_them_all(place: Place, operator: Person) -> None:
    prefix = operator.user.username
    lifecycle.begin([Project(name=f"{prefix}-{number}", state=ProjectState.ACTIVE) for number in range(TOPICS + 1)])
    with place.socket(operator.token) as socket:
        socket.send({"subscribe": [f"project:{number}" for number in range(TOPICS + 1)]})
        assert socket.closed() == (4400, f"At most {TOPICS} topics at once.")
    with reading(place, operator) as reader:
        assert reader.next()
        seq = Team.new().change()
        while told := reader.next():
            if told.id == str(seq):
                return
        raise AssertionError("the stream ended before")
