"""What states, exit statuses and comments of PBS are here, and in plain words.

States: qstat(1B) of PBS Professional 2022.1 and of Torque 6. Exit statuses below 0: "Job Exit Status Codes" of their
administrators' guides.
"""

from collections.abc import Mapping

from cloudmesh.types import JobState, NodeState

JOB_STATES = {
    "B": JobState.RUNNING,  # an array that has begun
    "E": JobState.ENDING,
    "H": JobState.HELD,
    "Q": JobState.QUEUED,
    "R": JobState.RUNNING,
    "S": JobState.SUSPENDED,
    "T": JobState.QUEUED,  # on its way to another queue or to a node
    "U": JobState.SUSPENDED,  # whoever sits at its machine types
    "W": JobState.QUEUED,  # until its time has come
}
FINAL = frozenset("FXC")
MOVED = "M"
TERMINATED, FINISHED, FAILED = "91", "92", "93"  # substates of OpenPBS's history
KILLED = 256  # and a signal
CANCELLING = (15,)  # the signal that qdel sends first

NODE_STATES = {
    "free": NodeState.FREE,
    "time-shared": NodeState.FREE,
    "job-sharing": NodeState.MIXED,
    "job-exclusive": NodeState.BUSY,
    "job-busy": NodeState.BUSY,
    "busy": NodeState.BUSY,
    "resv-exclusive": NodeState.RESERVED,
    "reserve": NodeState.RESERVED,
    "maintenance": NodeState.RESERVED,
    "provisioning": NodeState.OFF,
    "wait-provisioning": NodeState.OFF,
    "sleep": NodeState.OFF,
}
DOWN = frozenset({"down", "stale", "unresolvable", "unresolved"})
OFFLINE = "offline"
POWERED = "Running"

WALLTIME = "It reached its time limit."
MEMORY = "It used more memory than it had asked for."
CPUTIME = "It used more computing time than it had asked for."
CORES = "It used more cores than it had asked for."
RETRIED = "It could not be started on its nodes."
OPENPBS = {
    "-24": CORES,
    "-25": CORES,
    "-26": MEMORY,
    "-27": MEMORY,
    "-28": CPUTIME,
    "-29": WALLTIME,
}
TORQUE = {
    "-9": "Its output file could not be written.",
    "-10": MEMORY,
    "-11": WALLTIME,
    "-12": CPUTIME,
}
FAILURES = {
    "-1": RETRIED,
    "-2": RETRIED,
    "-3": RETRIED,
    "-4": "A node that it ran on was started anew.",
    "-5": "A node that it ran on was started anew.",
    "-6": "A node that it ran on was started anew.",
    "-7": "It could not be continued from its checkpoint.",
    "-8": "Its script could not be run.",
}
CANCELLED = "It was cancelled."
ARRAY_FAILED = "Some of its tasks did not succeed."

HELD = "It is held: release it to let it go on."
DEPENDS = "It waits for other jobs to end."
HOLDS = {"u": HELD, "o": "An operator of the cluster holds it.", "s": "PBS holds it."}
#: What the schedulers of PBS, and Maui and Moab for Torque, write into the comment of a job that waits.
COMMENTS = (
    ("can never run", "The cluster never has what it asks for: ask for something else."),
    ("insufficient amount of", "It waits until what it asked for is free."),
    ("not enough", "It waits until what it asked for is free."),
    ("no idle nodes", "It waits until what it asked for is free."),
    ("queue not started", "The queue starts no jobs at present."),
    ("limit", "As many jobs run, or as much is used, as is allowed at once."),
    ("dedicated time", "The cluster keeps this time for somebody else."),
    ("not primetime", "It waits for the hours in which its queue works."),
    ("reservation", "It waits for its reservation."),
)


def waits(comment: str) -> str:
    """Why a job waits, from its comment; an unknown one is shown as it is."""
    lower = comment.lower()
    if not comment or lower.startswith("job run at"):
        return ""
    return next((words for part, words in COMMENTS if part in lower), f"PBS says: {comment.rstrip('.')}.")


def holds(types: str, comment: str, *, depends: bool) -> str:
    """Why a job is held, from its hold types such as `us`."""
    if depends and types == "s":
        return DEPENDS
    told = HOLDS.get(next((letter for letter in "uos" if letter in types), ""), HELD)
    return f"{told} {comment}".strip() if "s" in types and "u" not in types and comment else told


def signs(native: Mapping[str, object]) -> Mapping[str, str]:
    """What exit statuses below 0 mean in the product that wrote this: only Torque writes them in small letters."""
    return FAILURES | (TORQUE if "exit_status" in native else OPENPBS)
