"""Very many events, quickly."""

from django.db import connection

from activity.models import Event


def make_events(count: int, topic: str) -> None:
    """Committed events that nobody numbered or told, alike but for their ids."""
    Event.objects.bulk_create([Event(topic=topic, kind="server", verb="changed")])
    columns = ", ".join(field.column for field in Event._meta.concrete_fields if field.name not in ("id", "seq"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO activity_event ({columns}) SELECT {columns} FROM activity_event, generate_series(2, %s) "
            "WHERE id = (SELECT max(id) FROM activity_event)",
            [count],
        )
