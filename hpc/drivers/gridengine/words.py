"""What letters of states and numbers of failures are here, and in plain words.

qstat(1) and sge_status(5) of Son of Grid Engine 8.1.9.
"""

from collections.abc import Iterable, Mapping

from cloudmesh.types import JobState, NodeState, QueueState

#: The first letter that a state has counts: `dr` is ending, `hqw` held, `hr` running.
JOB_STATES = {
    "z": JobState.UNKNOWN,  # it has ended; accounting knows how
    "d": JobState.ENDING,
    "E": JobState.HELD,
    "s": JobState.SUSPENDED,
    "S": JobState.SUSPENDED,
    "T": JobState.SUSPENDED,
    "t": JobState.STARTING,
    "r": JobState.RUNNING,
    "h": JobState.HELD,
    "q": JobState.QUEUED,
    "w": JobState.QUEUED,
    "R": JobState.QUEUED,
}
SUSPENDED = {
    "s": "It is suspended: its owner or an operator of the cluster lets it go on.",
    "S": "Its queue is suspended.",
    "T": "Its node has too much to do; it goes on later.",
}
HELD = "It is held: release it to let it go on."
DEPENDS = "It waits for other jobs to end."
BROKEN = "It could not be started, and waits until that is cleared: cancel it, and submit it again."
CANCELLED = "It was cancelled."
KILLED = "It was ended by SIGKILL, as when somebody cancels it, or when the node is out of memory."
WALLTIME = "It reached its time limit."
LIMIT = "It used more memory or computing time than it had asked for, or than its queue allows."
ARRAY_FAILED = "Some of its tasks did not succeed."
AFTER_JOB, LIMITED = 100, 37  # numbers of failures
AGAIN = frozenset({24, 25})  # it was moved, or put back in the queue
FAILURES = {
    1: "Its node could not run it.",
    7: "The preparation of its node failed.",
    8: "The preparation of its node failed.",
    10: "The parallel environment could not be started.",
    19: "Its node lost what it had to say of it.",
    21: "Its node did not know it any more.",
    26: "Its output file could not be opened.",
    27: "There is no such shell or program on its node.",
    28: "Its folder is not there, or is forbidden.",
    30: "It said itself that it cannot go on (exit code 100).",
    33: "The parallel environment could not be ended.",
}
#: What the scheduler writes of a job that waits (`schedd_job_info`), by a part of it.
REASONS = (
    ("job dependencies", DEPENDS),
    ("error state", BROKEN),
    ("hold state", HELD),
    ("max_aj_instances", "As many tasks of its array run as may at once."),
    ("max_u_jobs", "As many jobs run as one person may have at once."),
    ("execution time", "It is not to start before the time that was asked for."),
    ("exceeds limit", "As much is used as is allowed at once."),
    ("only offers", "It waits until what it asked for is free."),
    ("slots", "It waits until what it asked for is free."),
    ("because of cluster queue", "The queue never allows what it asks for: ask for less, or choose another queue."),
    ("cannot run in queue", "No queue fits what it asks for at present."),
    ("cannot run on host", "No node fits what it asks for at present."),
)
QUEUE_LETTERS = {
    "u": "The node does not answer.",
    "E": "A job failed there in a way that closed the queue.",
    "d": "It is disabled.",
    "D": "Its calendar has it closed.",
    "a": "It has too much to do.",
    "A": "It has too much to do.",
    "s": "It is suspended.",
    "S": "It is suspended.",
    "C": "Its calendar has it suspended.",
    "o": "It is to be removed once its jobs have ended.",
    "c": "Its configuration contradicts itself.",
}
CLOSED = frozenset("dDEsSCoc")
AWAY = "u"


def job_state(letters: str) -> JobState:
    return next((state for letter, state in JOB_STATES.items() if letter in letters), JobState.UNKNOWN)


def waits(messages: Iterable[str]) -> str:
    """Why a job waits: the message that says most; an unknown one is shown as it is."""
    said = list(messages)
    for part, told in REASONS:
        if any(part in message for message in said):
            return told
    return f"Grid Engine says: {said[0].rstrip('.')}." if said else ""


def queue_state(instances: list[str]) -> QueueState:
    """Of the letters at each of its nodes: open where one of them takes jobs."""
    if any(not (CLOSED | {AWAY}) & set(letters) for letters in instances):
        return QueueState.OPEN
    if not instances or all(AWAY in letters for letters in instances):
        return QueueState.DOWN
    return QueueState.STOPPED


def node_state(instances: list[str], used: int, cores: int) -> NodeState:
    if instances and all(CLOSED & set(letters) for letters in instances):
        return NodeState.DRAINING if used else NodeState.DRAINED
    if used >= cores > 0:
        return NodeState.BUSY
    return NodeState.MIXED if used else NodeState.FREE


def told(letters: str, table: Mapping[str, str]) -> str:
    return next((words for letter, words in table.items() if letter in letters), "")
