"""What follows when a job changes: what its project used, each job once, from its start to its end."""

import uuid
from collections.abc import Collection

from activity import lifecycle
from cloudmesh.types import ENDED, JobState
from hpc.models import Job
from projects.lifecycle import record_spans

RUNS = frozenset({JobState.RUNNING, JobState.SUSPENDED, JobState.ENDING})
#: A waiting array has cores that its tasks will take; each of them is counted when it runs.
USED = """
SELECT job.id AS object_id, job.project_id, job.owner_id AS user_id, 'scheduler:' || job.scheduler_id AS scope,
       cluster.name AS label, job.cores, job.memory AS ram, 0::bigint AS disk, job.nodes,
       job.started AS begins_at, CASE WHEN job.ended IS NOT NULL THEN greatest(job.ended, job.started) END AS ends_at
FROM hpc_job AS job JOIN hpc_cluster AS cluster ON cluster.id = job.cluster_id
WHERE job.id = ANY(%(ids)s) AND job.project_id IS NOT NULL AND job.started IS NOT NULL AND job.array = ''
"""


def _heeds(before: str, to: str) -> bool:
    return before != to and (to in RUNS or to in ENDED)


@lifecycle.follows(Job, heeds=_heeds, fields=("cores", "nodes", "started", "ended", "project", "owner"))
def record_jobs(ids: Collection[uuid.UUID]) -> None:
    record_spans(ids, USED)
