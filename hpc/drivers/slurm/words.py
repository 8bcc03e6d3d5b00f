"""What Slurm's states and reasons (slurm_protocol_defs.c of 20.11 to 25.05) are here, and in plain words."""

import functools
from collections.abc import Mapping

from cloudmesh.types import JobState, NodeState, QueueState

JOB_STATES = {
    "PENDING": JobState.QUEUED,
    "RUNNING": JobState.RUNNING,
    "SUSPENDED": JobState.SUSPENDED,
    "COMPLETED": JobState.COMPLETED,
    "CANCELLED": JobState.CANCELLED,
    "FAILED": JobState.FAILED,
    "TIMEOUT": JobState.TIMEOUT,
    "NODE_FAIL": JobState.FAILED,
    "PREEMPTED": JobState.CANCELLED,
    "BOOT_FAIL": JobState.FAILED,
    "DEADLINE": JobState.TIMEOUT,
    "OUT_OF_MEMORY": JobState.FAILED,
    "LAUNCH_FAILED": JobState.FAILED,
    "RECONFIG_FAIL": JobState.FAILED,
    "REVOKED": JobState.CANCELLED,
    "STOPPED": JobState.SUSPENDED,
    "SIGNALING": JobState.RUNNING,
    "RESIZING": JobState.RUNNING,
    "EXPEDITING": JobState.QUEUED,
    "REQUEUE_FED": JobState.QUEUED,
    "REQUEUED": JobState.QUEUED,
}
#: What stands beside one of the above from 23.11 on, or instead of it, and says more.
JOB_FLAGS = {
    "COMPLETING": JobState.ENDING,
    "STAGE_OUT": JobState.ENDING,
    "CONFIGURING": JobState.STARTING,
    "POWER_UP_NODE": JobState.STARTING,
    "REQUEUE_HOLD": JobState.HELD,
    "SPECIAL_EXIT": JobState.HELD,
    "RESV_DEL_HOLD": JobState.HELD,
}
HOLDS = frozenset({"JobHeldUser", "JobHeldAdmin", "ReservationDeleted", "JobHoldMaxRequeue"})
NODE_STATES = {
    "IDLE": NodeState.FREE,
    "PLANNED": NodeState.FREE,  # kept for a job that starts soon
    "MIXED": NodeState.MIXED,
    "ALLOCATED": NodeState.BUSY,
    "DOWN": NodeState.DOWN,
    "ERROR": NodeState.DOWN,
    "FUTURE": NodeState.OFF,
}
QUEUE_STATES = {
    "UP": QueueState.OPEN,
    "DOWN": QueueState.STOPPED,
    "DRAIN": QueueState.CLOSED,
    "INACTIVE": QueueState.DOWN,
}
ENDINGS = {
    "CANCELLED": "It was cancelled.",
    "TIMEOUT": "It reached its time limit.",
    "NODE_FAIL": "A node that it ran on failed.",
    "PREEMPTED": "It had to make way for a more important job.",
    "BOOT_FAIL": "A node could not be started for it.",
    "DEADLINE": "It could not have ended before its deadline.",
    "OUT_OF_MEMORY": "It used more memory than it had asked for.",
    "LAUNCH_FAILED": "It could not be started on its nodes.",
    "RECONFIG_FAIL": "Its nodes could not be set up as it had asked for.",
    "REVOKED": "Another cluster of the federation runs it.",
}
#: Reasons that say more of a failed job than its exit code.
FAILURES = {
    "BadConstraints": "No node can ever fulfil what it asked for.",
    "DependencyNeverSatisfied": "A job that it waited for did not succeed.",
    "InactiveLimit": "It was idle for longer than the cluster allows.",
    "JobLaunchFailure": "It could not be started: its folder or output file may be missing or forbidden.",
    "RaisedSignal": "It ended by a signal of its own.",
    "SystemFailure": "Slurm or a node failed.",
}
REASONS = {
    "Priority": "Jobs with a higher priority are before it.",
    "Resources": "It is next, as soon as what it asked for is free.",
    "Dependency": "It waits for other jobs to end.",
    "DependencyNeverSatisfied": "A job that it depends on did not succeed, so it never starts: cancel it.",
    "BeginTime": "It is not to start before the time that was asked for, or was put back in the queue a moment ago.",
    "JobHeldUser": "It is held: release it to let it go on.",
    "JobHeldAdmin": "An administrator of the cluster holds it.",
    "JobHoldMaxRequeue": "It failed to start too often and is held.",
    "JobArrayTaskLimit": "As many tasks of its array run as may at once.",
    "JobLaunchFailure": "It could not be started.",
    "Licenses": "It waits for a licence.",
    "Cleaning": "What is left of its last run is being cleaned up.",
    "Prolog": "Its nodes are being prepared.",
    "FrontEndDown": "The node that would start it is down.",
    "NodeDown": "A node that it needs is down.",
    "ReqNodeNotAvail": "A node that it asked for is down, drained or reserved.",
    "Reservation": "It waits for its reservation to begin.",
    "ReservationDeleted": "Its reservation is gone, so it is held.",
    "BadConstraints": "No node can ever fulfil what it asks for: ask for something else.",
    "PartitionConfig": "The queue does not allow what it asks for: ask for less, or choose another queue.",
    "PartitionDown": "The queue starts no jobs at present.",
    "PartitionInactive": "The queue is closed.",
    "PartitionNodeLimit": "It asks for more nodes than the queue allows.",
    "PartitionTimeLimit": "It asks for more time than the queue allows.",
    "AccountNotAllowed": "The queue does not take jobs of this account.",
    "QOSNotAllowed": "The queue does not take this quality of service.",
    "InvalidAccount": "Its account is not known any more.",
    "InvalidQOS": "Its quality of service is not known any more.",
    "QOSJobLimit": "The quality of service has as many jobs as it may.",
    "QOSResourceLimit": "The quality of service uses as much as it may.",
    "QOSTimeLimit": "The quality of service has used as much time as it may.",
    "QOSUsageThreshold": "The account has used too much for this quality of service.",
    "AssociationJobLimit": "The account has as many jobs as it may.",
    "AssociationResourceLimit": "The account uses as much as it may.",
    "AssociationTimeLimit": "The account has used as much time as it may.",
    "MaxMemPerLimit": "It asks for more memory for each node or core than is allowed.",
    "SchedDefer": "Slurm starts jobs at its next look at the queue.",
    "BurstBufferResources": "It waits for space in the burst buffer.",
    "BurstBufferStageIn": "Its data are being brought to the burst buffer.",
    "NonZeroExitCode": "It ended with an error.",
    "TimeLimit": "It reached its time limit.",
}
#: QOSMaxJobsPerUserLimit, AssocGrpCpuLimit, MaxCpuPerAccount and a hundred more: by whom, and what.
WHOSE = (
    ("QOS", "The quality of service"),
    ("AssocGrp", "The account, all its people together,"),
    ("Assoc", "The account, for one person,"),
    ("Max", "The cluster"),
)
WHAT = (
    ("RunMinutes", "as much running time"),
    ("Minutes", "as much computing time"),
    ("WallDuration", "jobs as long in total"),
    ("GrpWall", "as much time in total"),
    ("Wall", "jobs as long"),
    ("SubmitJob", "as many jobs"),
    ("JobsPer", "as many jobs at once"),
    ("Jobs", "as many jobs at once"),
    ("Job", "as many jobs at once"),
    ("Cpu", "as many cores"),
    ("CPU", "as many cores"),
    ("Mem", "as much memory"),
    ("Node", "as many nodes"),
    ("GRES", "as many GPUs or other devices"),
    ("Billing", "as much billed"),
    ("License", "as many licences"),
)


@functools.lru_cache(4096)
def waits(reason: str) -> str:
    """Why a job waits, from Slurm's reason; an unknown one is shown as Slurm says it."""
    name = reason.strip("()").partition(",")[0].partition(" ")[0]
    if name in ("", "None"):
        return ""
    return REASONS.get(name) or _limit(name) or f"Slurm says: {reason}."


def _limit(name: str) -> str:
    whose = next((words for begin, words in WHOSE if name.startswith(begin)), "")
    what = next((words for part, words in WHAT if part in name), "")
    return f"{whose} allows no more: {what} as one may have is what there is." if whose and what else ""


def first(states: list[str], table: Mapping[str, JobState]) -> JobState | None:
    return next((table[state] for state in states if state in table), None)
