"""The only writer of state: what it lets happen, and what it tells of it."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from activity import events, lifecycle
from activity.models import Event
from cloudmesh.errors import IllegalTransition
from projects.models import Project, ProjectState

ACTIVE, BLOCKED, COMPLETED = ProjectState.ACTIVE, ProjectState.BLOCKED, ProjectState.COMPLETED

pytestmark = pytest.mark.django_db


def make(*names: str, state: str = ACTIVE) -> list[Project]:
    return lifecycle.begin([Project(name=name, title=name.title(), state=state) for name in names])


def newest(count: int = 1) -> list[Event]:
    return list(Event.objects.order_by("-id")[:count])[::-1]


# -- one record ------------------------------------------------------------------------------------------------


def test_a_transition_moves_the_record_and_tells_who_did_what(lead: User) -> None:
    project = make("fg1")[0]
    event = lifecycle.transition(project, BLOCKED, actor=lead, reason="Unpaid.", title="Closed")
    stored = Project.objects.get(pk=project.pk)
    for seen in (project, stored):
        assert (seen.state, seen.state_reason, seen.title, seen.version) == (BLOCKED, "Unpaid.", "Closed", 2)
    assert stored.changed_at >= stored.created_at
    assert (event.kind, event.object_id, event.name, event.version) == ("project", project.pk, "fg1", 2)
    assert (event.verb, event.from_state, event.to_state, event.reason) == (BLOCKED, ACTIVE, BLOCKED, "Unpaid.")
    assert (event.actor_id, event.actor_name) == (lead.pk, "laszewski")
    assert (event.topic, event.project_id) == (f"project:{project.pk}", project.pk)


def test_a_state_that_cannot_follow_changes_nothing() -> None:
    project = make("fg1", state="denied")[0]
    before = Event.objects.count()
    with pytest.raises(IllegalTransition, match="fg1 is denied and cannot become active"):
        lifecycle.transition(project, ACTIVE, title="Again")
    assert Project.objects.get(pk=project.pk).title == "Fg1"
    assert Event.objects.count() == before


def test_the_table_is_asked_about_the_state_that_is_stored() -> None:
    project = make("fg1")[0]
    stale = Project.objects.get(pk=project.pk)
    lifecycle.transition(project, COMPLETED)
    with pytest.raises(IllegalTransition):
        lifecycle.transition(stale, BLOCKED)


def test_a_change_keeps_state_and_reason() -> None:
    project = make("fg1")[0]
    lifecycle.transition(project, BLOCKED, reason="Unpaid.")
    event = lifecycle.change(project, title="New", verb="renamed")
    assert (project.state, project.state_reason, project.version) == (BLOCKED, "Unpaid.", 3)
    assert (event.verb, event.from_state, event.to_state) == ("renamed", BLOCKED, BLOCKED)


def test_only_public_fields_are_told() -> None:
    project = make("fg1")[0]
    event = lifecycle.change(project, title="New", name="fg2")
    assert event.data == {"title": "New"}


def test_nobody_did_what_the_portal_did_itself() -> None:
    event = lifecycle.change(make("fg1")[0], title="New")
    assert (event.actor_id, event.actor_name) == (None, "")


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_the_second_sees_what_the_first_did() -> None:
    project = make("fg1")[0]
    has_moved, may_commit = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            lifecycle.transition(Project.objects.get(pk=project.pk), COMPLETED)
            has_moved.set()
            may_commit.wait(10)
        connection.close()

    def second() -> None:
        try:
            lifecycle.transition(Project.objects.get(pk=project.pk), BLOCKED)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        winner = pool.submit(first)
        assert has_moved.wait(10)
        loser = pool.submit(second)
        may_commit.set()
        winner.result(10)
        with pytest.raises(IllegalTransition):
            loser.result(10)
    assert Project.objects.get(pk=project.pk).state == COMPLETED


@pytest.mark.django_db(transaction=True)
def test_versions_and_numbers_of_one_record_go_together() -> None:
    project = make("fg1")[0]

    def rename(number: int) -> None:
        lifecycle.change(Project.objects.get(pk=project.pk), title=str(number))
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(rename, range(20)))
    told = Event.objects.filter(object_id=project.pk).order_by("seq").values_list("version", flat=True)
    assert list(told) == list(range(1, 22))


# -- many records ----------------------------------------------------------------------------------------------


def test_new_records_are_told_one_by_one(lead: User) -> None:
    made = lifecycle.begin([Project(name=name, state=ACTIVE) for name in ("a", "b")], actor=lead, verb="founded")
    told = [(event.object_id, event.verb, event.to_state, event.actor_name) for event in newest(2)]
    assert told == [(project.pk, "founded", ACTIVE, "laszewski") for project in made]
    assert lifecycle.begin([]) == []


def test_many_move_at_once_but_those_whose_table_forbids_it() -> None:
    first, second, done = *make("a", "b"), *make("c", state=COMPLETED)
    lifecycle.move_all(Project, [first.pk, second.pk, done.pk], BLOCKED, reason="Audit.", title="Held")
    states = dict(Project.objects.values_list("name", "state"))
    assert states == {"a": BLOCKED, "b": BLOCKED, "c": COMPLETED}
    moved = Project.objects.get(name="a")
    assert (moved.version, moved.title, moved.state_reason) == (2, "Held", "Audit.")
    assert {(event.name, event.verb, event.version) for event in newest(2)} == {("a", BLOCKED, 2), ("b", BLOCKED, 2)}


def test_a_thing_without_a_state_is_noted(lead: User) -> None:
    thing = uuid.uuid4()
    event = lifecycle.note(
        kind="credential", verb="read", topic="portal", object_id=thing, name="x" * 300, actor=lead, data={"for": "me"}
    )
    event.refresh_from_db()
    assert (event.kind, event.object_id, event.data) == ("credential", thing, {"for": "me"})
    assert event.actor_name == "laszewski"
    assert len(event.name) == 255


# -- what a provider reports -----------------------------------------------------------------------------------


def row(project: Project, **news: object) -> dict[str, object]:
    known = {"id": project.pk, "name": project.name, "title": project.title, "state": project.state}
    return known | {"state_reason": "", "version": project.version + 1, "details": "{}", "join_open": False} | news


def test_reports_are_taken_over_whatever_the_table_says() -> None:
    known = make("known", state=COMPLETED)[0]
    fresh = Project(name="fresh", title="Fresh", state=ACTIVE, version=0)
    rows = [row(known, state=ACTIVE, title="Back"), row(fresh)]
    lifecycle.absorb(Project, rows, topic="project:1", verbs={known.pk: "revived"})
    assert dict(Project.objects.values_list("name", "state")) == {"known": ACTIVE, "fresh": ACTIVE}
    assert Project.objects.get(name="known").title == "Back"
    told = {(event.name, event.verb, event.version, event.to_state, event.topic) for event in newest(2)}
    assert told == {("known", "revived", 2, ACTIVE, "project:1"), ("fresh", "changed", 1, ACTIVE, "project:1")}


def test_columns_that_are_ours_are_kept() -> None:
    known = make("known")[0]
    lifecycle.absorb(Project, [row(known, title="Theirs", state=BLOCKED)], keep=("title",), topic="project:1")
    stored = Project.objects.get(pk=known.pk)
    assert (stored.title, stored.state) == ("Known", BLOCKED)


def test_a_crowd_is_told_as_one() -> None:
    crowd = [Project(name=f"p{number}", state=ACTIVE, version=0) for number in range(lifecycle.CROWD + 1)]
    before = Event.objects.count()
    lifecycle.absorb(Project, [row(project) for project in crowd], topic="project:1")
    assert Project.objects.filter(name__startswith="p").count() == len(crowd)
    assert Event.objects.count() == before + 1
    event = newest()[0]
    assert (event.kind, event.verb, event.object_id, event.data) == ("project", "synced", None, {"count": len(crowd)})


def test_many_rows_take_as_many_statements_as_few() -> None:
    counts = []
    for size in (2, 150):
        crowd = [Project(name=f"p{size}-{number}", state=ACTIVE, version=0) for number in range(size)]
        with CaptureQueriesContext(connection) as queries:
            lifecycle.absorb(Project, [row(project) for project in crowd], topic="project:1")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


def test_nothing_reported_is_nothing_told() -> None:
    before = Event.objects.count()
    lifecycle.absorb(Project, [], topic="project:1")
    assert Event.objects.count() == before


def test_two_reports_in_one_transaction_do_not_meet() -> None:
    first, second = make("a", "b")
    with transaction.atomic():
        lifecycle.absorb(Project, [row(first, title="One")], topic="project:1")
        lifecycle.absorb(Project, [row(second, title="Two")], topic="project:1")
    assert dict(Project.objects.values_list("name", "title")) == {"a": "One", "b": "Two"}


@pytest.mark.django_db(transaction=True)
def test_what_is_done_is_heard_of_only_after_its_commit() -> None:
    with transaction.atomic():
        make("fg1")
        assert events.last() == 0
    assert events.last() == 1


# -- followers -------------------------------------------------------------------------------------------------


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[set[uuid.UUID]]:
    """What a follower of projects hears that heeds blocks and titles."""
    heard: list[set[uuid.UUID]] = []
    monkeypatch.setitem(lifecycle._followers, Project.KIND, [])
    heeds = lifecycle.follows(Project, heeds=lambda before, to: to == BLOCKED, fields=("title",))
    heeds(lambda ids: heard.append(set(ids)))
    return heard


def test_who_follows_is_told_what_it_heeds(told: list[set[uuid.UUID]]) -> None:
    first, second = make("fg1", "fg2")
    lifecycle.transition(first, BLOCKED)
    lifecycle.change(second, title="New")
    lifecycle.change(second, name="other")
    lifecycle.transition(second, COMPLETED)
    assert told == [{first.pk}, {second.pk}]


def test_who_follows_is_told_of_many_at_once(told: list[set[uuid.UUID]]) -> None:
    projects = make("fg1", "fg2", "fg3")
    lifecycle.move_all(Project, [project.pk for project in projects[:2]], BLOCKED)
    make("fg4", "fg5", state=BLOCKED)
    assert [len(ids) for ids in told] == [2, 2]


def test_who_follows_is_part_of_the_transaction(told: list[set[uuid.UUID]]) -> None:
    project = make("fg1")[0]

    def refuse(ids: object) -> None:
        raise ValueError("no")

    lifecycle.follows(Project, heeds=lambda *_: True, fields=())(refuse)
    with pytest.raises(ValueError, match="no"):
        lifecycle.transition(project, BLOCKED)
    assert Project.objects.get(pk=project.pk).state == ACTIVE
