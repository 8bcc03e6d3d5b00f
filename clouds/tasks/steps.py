"""What handlers about servers share: the record, what its cloud says of it, and when to look again."""

import datetime

from django.db import transaction

from activity import lifecycle
from cloudmesh import types
from cloudmesh.errors import Gone
from cloudmesh.types import ServerState
from clouds.drivers import CloudDriver
from clouds.models import Server, Sync
from clouds.sync import schedule
from clouds.sync import servers as reading
from operations import engine
from operations.models import Operation

MINUTES = datetime.timedelta(minutes=1)


def server_of(operation: Operation) -> Server:
    server = (
        Server.objects.select_related("account__cloud", "account__project", "owner")
        .filter(pk=str(operation.target_id))
        .first()
    )
    if server is None:
        raise Gone("The server's record was removed together with its cloud.")
    return server


def learn(operation: Operation, server: Server, seen: types.Server) -> None:
    """Write down what a cloud said of a server; raises TakenOver where the wish is another worker's by now."""
    with transaction.atomic():
        engine.confirm(operation)
        reading.store(server, seen)


def look(driver: CloudDriver, server: Server, token: str) -> types.Server | None:
    """The server as its cloud has it now, by id or by the token of its wish; None when it is not there."""
    if not server.provider_id:
        return driver.find(token) if token else None
    try:
        seen = driver.server(server.provider_id)
    except Gone:
        return None
    return None if seen.state is ServerState.DELETED else seen


def gone(server: Server, *, reason: str) -> None:
    if server.state != ServerState.DELETED:
        lifecycle.transition(server, ServerState.DELETED, reason=reason)
    schedule.hurry(server.account)
    schedule.hurry(server.account, Sync.Kind.VOLUMES)  # those that it had are free now


def patience(operation: Operation) -> float:
    """Seconds until the next look: soon at first, less often the longer it takes."""
    return min(10.0, 0.5 * operation.attempts)
