"""The only writer of state.

`transition` moves one record, `begin` makes new ones, `absorb` takes over what a provider reports for many at
once. Each checks, writes, notes an Event and lets it be published after commit.
"""

import datetime
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from activity import events
from activity.models import Event, Stateful
from cloudmesh.errors import IllegalTransition

Record = TypeVar("Record", bound=Stateful)
Tell = Callable[[Collection[uuid.UUID]], None]

#: More changes than this in one batch are told as one event, after which pages read their list again.
CROWD = 200


class Actor(Protocol):
    """Whoever does something: a user, or nobody when the portal itself acts."""

    pk: Any

    def get_username(self) -> str: ...


class Follower(NamedTuple):
    """Who is told which records were written, in the very transaction that writes them."""

    tell: Tell
    heeds: Callable[[str, str], bool]  # whether a move from one state to another means anything to it
    fields: frozenset[str]  # as a change of these does


_followers: defaultdict[str, list[Follower]] = defaultdict(list)  # by the kind of record


def follows(
    model: type[Stateful], *, heeds: Callable[[str, str], bool], fields: Iterable[str]
) -> Callable[[Tell], Tell]:
    """Have a function told the ids of what is written, so that what it derives from them is never apart from them.

    It stands in the `lifecycle` module of an app, which the portal loads when it starts.
    """

    def register(tell: Tell) -> Tell:
        _followers[model.KIND].append(Follower(tell, heeds, frozenset(fields)))
        return tell

    return register


@transaction.atomic
def transition(
    record: Stateful, to: str, *, actor: Actor | None = None, reason: str = "", verb: str = "", **changes: Any
) -> Event:
    """Move `record` to state `to` and set other fields with it; raises IllegalTransition.

    The row is locked first, so that of two writers the second sees what the first did. `record` itself is
    brought up to date. Seen by browsers and `cm watch` after commit.
    """
    row = type(record)._base_manager.select_for_update(no_key=True).get(pk=record.pk)
    before = row.state
    if to != before and to not in row.FOLLOWS.get(before, frozenset()):
        raise IllegalTransition(f"{row} is {before} and cannot become {to}.", state=before, wanted=to)
    changes |= {"state": to, "state_reason": reason, "version": row.version + 1}
    type(record)._base_manager.filter(pk=row.pk).update(changed_at=Now(), **changes)
    for name, value in changes.items():
        setattr(record, name, value)
    _lead(type(record), [row.pk], {(before, to)}, changes)
    verb = verb or ("changed" if to == before else to)
    event = _event(record, verb, actor=actor, reason=reason, before=before, data=_public(record, changes))
    return events.write([event])[0]


def change(record: Stateful, *, actor: Actor | None = None, verb: str = "changed", **changes: Any) -> Event:
    """Set fields of `record` without moving its state."""
    return transition(record, record.state, actor=actor, reason=record.state_reason, verb=verb, **changes)


@transaction.atomic
def begin(records: Sequence[Record], *, actor: Actor | None = None, verb: str = "created") -> list[Record]:
    """Store new records in the state they carry."""
    if not records:
        return []
    stored = type(records[0])._base_manager.bulk_create(records)
    _lead(type(records[0]), [record.pk for record in stored], {("", record.state) for record in stored})
    events.write(_event(record, verb, actor=actor) for record in stored)
    return stored


def note(
    *,
    kind: str,
    verb: str,
    topic: str,
    object_id: uuid.UUID | None = None,
    name: str = "",
    project_id: uuid.UUID | None = None,
    actor: Actor | None = None,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Note something that happened to a thing without a state: a membership, a token, a decrypted secret."""
    event = Event(
        topic=topic,
        kind=kind,
        verb=verb,
        object_id=object_id,
        name=name[:255],
        project_id=project_id,
        reason=reason,
        data=dict(data or {}),
    )
    return events.write([_signed(event, actor)])[0]


@transaction.atomic
def absorb(
    model: type[Stateful],
    rows: Sequence[Mapping[str, Any]],
    *,
    keep: Collection[str] = (),
    topic: str,
    project_id: uuid.UUID | None = None,
    verbs: Mapping[uuid.UUID, str] | None = None,
    projects: Mapping[uuid.UUID, uuid.UUID] | None = None,
) -> None:
    """Take over many records as their provider reports them, in a constant number of statements.

    `rows` all have the same columns, `id`, `state` and `version` among them; a new `id` is inserted, a known one
    updated, but for the columns of `keep`. JSON columns are given as text. The provider is the truth here: no
    state table is asked. `verbs` names what happened to each id; without a word it is "changed". `projects` names
    those ids that are told to another project than the rest.
    """
    if not rows:
        return
    _merge(model, rows, keep)
    for follower in _followers[model.KIND]:
        follower.tell([row["id"] for row in rows])
    places = {id: (f"project:{project}", project) for id, project in (projects or {}).items()}
    if len(rows) > CROWD:
        for place, count in Counter(places.get(row["id"], (topic, project_id)) for row in rows).items():
            note(kind=model.KIND, verb="synced", topic=place[0], project_id=place[1], data={"count": count})
        return
    told = verbs or {}
    events.write(
        Event(
            topic=places.get(row["id"], (topic, project_id))[0],
            project_id=places.get(row["id"], (topic, project_id))[1],
            kind=model.KIND,
            object_id=row["id"],
            name=row.get("name", ""),
            verb=told.get(row["id"], "changed"),
            version=row["version"],
            to_state=row["state"],
            reason=row.get("state_reason", ""),
        )
        for row in rows
    )


@transaction.atomic
def move_all(
    model: type[Stateful], ids: Collection[uuid.UUID], to: str, *, verb: str = "", reason: str = "", **changes: Any
) -> None:
    """Move many records to `to` at once, those whose table allows it."""
    froms = [state for state, follow in model.FOLLOWS.items() if to in follow]
    records = model._base_manager.select_for_update(no_key=True).filter(pk__in=ids, state__in=froms)
    moved = list(records)
    news = {"state": to, "state_reason": reason, "changed_at": Now(), **changes}
    model._base_manager.filter(pk__in=[record.pk for record in moved]).update(version=F("version") + 1, **news)
    _lead(model, [record.pk for record in moved], {(record.state, to) for record in moved}, changes)
    for record in moved:
        record.state, record.version = to, record.version + 1
    events.write(_event(record, verb or to, actor=None, reason=reason) for record in moved)


def _lead(
    model: type[Stateful], ids: Collection[uuid.UUID], moves: Collection[tuple[str, str]], changes: Iterable[str] = ()
) -> None:
    """Tell those followers to whom any of this means something; most changes mean nothing to them and cost nothing."""
    for follower in _followers[model.KIND]:
        if not follower.fields.isdisjoint(changes) or any(follower.heeds(*move) for move in moves):
            follower.tell(ids)


def _merge(model: type[Stateful], rows: Sequence[Mapping[str, Any]], keep: Collection[str]) -> None:
    """COPY into a temporary table, then one upsert: 3–10 times quicker than any per-row way."""
    table, columns = model._meta.db_table, list(rows[0])
    quoted = {name: f'"{model._meta.get_field(name).column}"' for name in columns}  # type: ignore[union-attr]
    names = ", ".join(quoted.values())
    news = ", ".join(f"{column} = EXCLUDED.{column}" for name, column in quoted.items() if name not in {"id", *keep})
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TEMP TABLE merge ON COMMIT DROP AS SELECT {names} FROM "{table}" WITH NO DATA')  # noqa: S608
        with cursor.copy(f"COPY merge ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[name] for name in columns])
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {names} FROM merge '  # noqa: S608 - the model's own names
            f"ON CONFLICT (id) DO UPDATE SET {news}, changed_at = statement_timestamp()"
        )
        cursor.execute("DROP TABLE merge")


def _event(
    record: Stateful,
    verb: str,
    *,
    actor: Actor | None,
    reason: str = "",
    before: str = "",
    data: Mapping[str, Any] | None = None,
) -> Event:
    event = Event(
        topic=record.topic,
        project_id=record.event_project,
        kind=record.KIND,
        object_id=record.pk,
        name=str(record)[:255],
        verb=verb,
        version=record.version,
        from_state=before,
        to_state=record.state,
        reason=reason,
        data=dict(data or {}),
    )
    return _signed(event, actor)


def _signed(event: Event, actor: Actor | None) -> Event:
    if actor is not None:
        event.actor_id, event.actor_name = actor.pk, actor.get_username()
        if by := getattr(actor, "acted_by", ""):
            event.data["by"] = by  # the administrator who acts as them
    return event


def _public(record: Stateful, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Of the changed fields those that the model lets be told; whatever else changed stays in the row."""
    told = {name: value for name, value in changes.items() if name in record.PUBLIC}
    return {name: value.isoformat() if isinstance(value, datetime.datetime) else value for name, value in told.items()}
