"""What follows when a server changes: what its project uses from then on. Decided in docs/decisions/0014-usage.md."""

import enum
import uuid
from collections.abc import Collection

from activity import lifecycle
from cloudmesh.types import ServerState
from clouds.models import Server
from projects.lifecycle import settle_spans


class Taking(enum.Enum):
    """What a server in some state takes of its cloud."""

    NOTHING = enum.auto()
    DISK = enum.auto()
    ALL = enum.auto()
    AS_BEFORE = enum.auto()  # it is on its way, or out of sight: what it took last still counts


TAKES = {
    ServerState.REQUESTED: Taking.NOTHING,
    ServerState.BUILDING: Taking.ALL,
    ServerState.ACTIVE: Taking.ALL,
    ServerState.PAUSED: Taking.ALL,
    ServerState.RESCUED: Taking.ALL,
    ServerState.STOPPED: Taking.DISK,
    ServerState.SUSPENDED: Taking.DISK,
    ServerState.ERROR: Taking.DISK,
    ServerState.SHELVED: Taking.NOTHING,
    ServerState.DELETED: Taking.NOTHING,
    ServerState.REBOOTING: Taking.AS_BEFORE,
    ServerState.RESIZING: Taking.AS_BEFORE,
    ServerState.CHANGING: Taking.AS_BEFORE,
    ServerState.DELETING: Taking.AS_BEFORE,
    ServerState.MISSING: Taking.AS_BEFORE,
    ServerState.UNKNOWN: Taking.AS_BEFORE,
}
#: Of a boot that failed before its cloud made anything there is no disk. What vanished ended when it was first missed.
TAKEN = """
SELECT server.id AS object_id, server.project_id, server.owner_id AS user_id,
       'cloud:' || server.account_id AS scope, cloud.name AS label,
       CASE WHEN server.state = ANY(%(all)s) THEN server.cores ELSE 0 END AS cores,
       CASE WHEN server.state = ANY(%(all)s) THEN server.ram::bigint ELSE 0 END AS ram,
       CASE WHEN server.state = ANY(%(all)s) OR server.state = ANY(%(disk)s) AND server.provider_id <> ''
            THEN coalesce(flavor.disk, 0)::bigint ELSE 0 END AS disk,
       0 AS nodes,
       CASE WHEN server.state = 'deleted' THEN coalesce(server.missing_since, server.changed_at)
            ELSE server.changed_at END AS at
FROM clouds_server AS server
JOIN clouds_cloudaccount AS account ON account.id = server.account_id
JOIN clouds_cloud AS cloud ON cloud.id = account.cloud_id
LEFT JOIN LATERAL (
    SELECT disk FROM clouds_flavor AS size
    WHERE size.account_id = server.account_id AND server.flavor IN (size.provider_id, size.name)
    ORDER BY size.provider_id = server.flavor DESC LIMIT 1
) AS flavor ON true
WHERE server.id = ANY(%(ids)s) AND server.state <> ALL(%(as_before)s)
"""
STATES = {taking.name.lower(): [state.value for state, taken in TAKES.items() if taken is taking] for taking in Taking}


def _heeds(before: str, to: str) -> bool:
    """Most moves of a server mean nothing for what it takes; after one that is AS_BEFORE only the rows know."""
    then = TAKES[ServerState(before)] if before else Taking.NOTHING
    now = TAKES[ServerState(to)]
    return now not in (then, Taking.AS_BEFORE)


@lifecycle.follows(Server, heeds=_heeds, fields=("cores", "ram", "flavor", "account", "project", "owner"))
def settle_servers(ids: Collection[uuid.UUID]) -> None:
    settle_spans(ids, TAKEN, **STATES)
