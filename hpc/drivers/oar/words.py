"""What OAR's states and events (oarstat(1), oarnodes(1) and IO.pm of 2.5.9) are here, and in plain words."""

from cloudmesh.types import JobState, NodeState, QueueState

JOB_STATES = {
    "Waiting": JobState.QUEUED,
    "toAckReservation": JobState.QUEUED,
    "Hold": JobState.HELD,
    "toLaunch": JobState.STARTING,
    "Launching": JobState.STARTING,
    "Running": JobState.RUNNING,
    "Suspended": JobState.SUSPENDED,
    "Resuming": JobState.SUSPENDED,
    "Finishing": JobState.ENDING,
    "toError": JobState.ENDING,
}
TERMINATED, ERROR = "Terminated", "Error"
NODE_STATES = {
    "Alive": NodeState.FREE,
    "Suspected": NodeState.DOWN,
    "Dead": NodeState.DOWN,
    "Absent": NodeState.OFF,
}
NODE_REASONS = {
    "Suspected": "OAR suspects it: it did not answer, or a job could not be started or ended there.",
    "Dead": "An administrator of the cluster took it out of service.",
    "Absent": "It is switched off, or away for maintenance.",
}
QUEUE_STATES = {"Active": QueueState.OPEN, "notActive": QueueState.STOPPED}
WALLTIME, CANCEL = "WALLTIME", "FRAG_JOB_REQUEST"
#: The first event that a job in error has tells how it ended.
FAILURES = {
    "WORKING_DIRECTORY": "The folder it was to run in is not there, or is not its owner's.",
    "OUTPUT_FILES": "Its output could not be written: a folder is missing or forbidden.",
    "EXIT_VALUE_OAREXEC": "It could not be started on its node.",
    "CANNOT_WRITE_NODE_FILE": "It could not be started on its node.",
    "CANNOT_CREATE_TMP_DIRECTORY": "It could not be started on its node.",
    "LAUNCHING_OAREXEC_TIMEOUT": "It could not be started on its node in time.",
    "PING_CHECKER_NODE_SUSPECTED": "A node that it was to run on does not answer.",
    "CPUSET_ERROR": "Its nodes could not be set up for it.",
    "PROLOGUE_ERROR": "What the cluster does before a job failed.",
    "EPILOGUE_ERROR": "What the cluster does after a job failed.",
    "BESTEFFORT_KILL": "It had to make way for a more important job.",
    "RESERVATION_NO_NODE": "There were no nodes for its reservation.",
    "SCHEDULER_PRIORITY_UPDATED_STOP": "",
}
EVICTED = "BESTEFFORT_KILL"
HELD = "It is held: release it to let it go on."
CANCELLED = "It was cancelled."
TIMED_OUT = "It reached its time limit."
BROKEN = "OAR could not run it."
DEPENDS = "It waits for other jobs to end."
CLOSE = "It waits until what it asked for is free."
