"""What the commands of PBS call a failure, in the words of `cloudmesh.errors`.

Words: pbs_messages.c of OpenPBS 19 to 23 and pbs_error_db.h of Torque 6; commands end with the number of the error
modulo 256, so words tell more: 15001 is 153 and "Unknown Job Id", 15007 is 159 and "Unauthorized Request".
"""

import re
from typing import Any, NamedTuple

from cloudmesh.errors import Busy, DriverError, Full, Gone, Refused, Rejected, Unreachable

LONGEST_MESSAGE = 1000
NOT_FOUND = 127  # how a command ends that is not there
UNKNOWN_JOB = "unknown job id"
FINISHED = ("job has finished", "state for job - complete", "unknown array id", "finished array subjob")
NO_HISTORY = "not configured to maintain job history"
NO_ID = re.compile(r"^(qstat|qselect): .*(unknown job id|job has finished).*$", re.IGNORECASE | re.MULTILINE)
PREFIX = re.compile(r"^(?:q[a-z]+|pbs\w+|sh): (?:\d+: |line \d+: )?", re.MULTILINE)


class Meaning(NamedTuple):
    words: str  # in the message, in small letters
    kind: type[DriverError]
    advice: str = ""
    field: str = ""


AWAY = "The server of PBS does not answer."
#: The first that fits counts.
MEANINGS = (
    Meaning("trqauthd", Unreachable, "trqauthd does not work on the login node: its administrator has to start it."),
    Meaning("munge", Unreachable, "MUNGE does not work on the login node: its administrator has to start munged."),
    Meaning("cannot connect to server", Unreachable, AWAY),
    Meaning("no default server", Unreachable, "Give its name in the environment: PBS_DEFAULT=NAME."),
    Meaning("no server specified", Unreachable, AWAY),
    Meaning("connection refused", Unreachable, AWAY),
    Meaning("communication failure", Unreachable, AWAY),
    Meaning("could not connect to batch server", Unreachable, AWAY),
    Meaning("server connection table full", Busy),
    Meaning("no free connections", Busy),
    Meaning("server shutting down", Unreachable),
    Meaning("server busy", Busy),
    Meaning("end of file", Busy),
    Meaning("batch protocol error", Busy),
    Meaning("time out", Busy),
    Meaning("timed out", Busy),
    Meaning("temporarily unavailable", Busy),
    Meaning("may retry", Busy),
    Meaning("invalid credential", Refused),
    Meaning("expired credential", Refused),
    Meaning("access from host not allowed", Refused, "The login node may not submit jobs: ask its administrator."),
    Meaning("bad uid for job execution", Refused, "This login may run no jobs: ask its administrator."),
    Meaning(UNKNOWN_JOB, Gone),
    *(Meaning(words, Gone) for words in FINISHED),
    Meaning("illegally formed job identifier", Gone),
    Meaning("maximum number of jobs", Full),
    Meaning("would exceed", Full),
    Meaning("no space left on device", Full, "A disk of the cluster is full."),
    Meaning("quota exceeded", Full, "Your room on the cluster's disk is used up."),
    Meaning("unauthorized request", Rejected, "It is somebody else's, or you may not."),
    Meaning("unknown queue", Rejected, "Choose one of the queues.", "queue"),
    Meaning("access to queue is denied", Rejected, "Choose another queue.", "queue"),
    Meaning("queue is not enabled", Rejected, "Choose another queue.", "queue"),
    Meaning("no default queue", Rejected, "Choose a queue.", "queue"),
    Meaning("invalid account", Rejected, "Choose an account that you are in.", "account"),
    Meaning("resource limits", Rejected, "Ask for less, or choose another queue."),
    Meaning("rejected by all possible destinations", Rejected, "Ask for less, or choose another queue.", "queue"),
    Meaning("invalid job dependency", Rejected, "A job that it shall follow is not there.", "after"),
    Meaning("array", Rejected, "", "array"),
    Meaning("illegal -n value", Rejected, "", "name"),
    Meaning("cd to", Rejected, "Choose a folder that is there.", "directory"),
    Meaning("cd: ", Rejected, "Choose a folder that is there.", "directory"),
    Meaning("invalid option -- 'f'", Rejected, "This is not OpenPBS: choose Torque as its product.", "product"),
)


def failure(said: str, **facts: Any) -> DriverError:
    """What the words mean; they are the message, with what to do where that is known."""
    lower = said.lower()
    meaning = next((each for each in MEANINGS if each.words in lower), Meaning("", Rejected))
    if meaning.field:
        facts["field"] = meaning.field
    whole = " ".join(filter(None, [_sentence(_cleaned(said)), meaning.advice]))
    return meaning.kind(whole or "PBS gave no reason.", **facts)


def missing(command: str) -> DriverError:
    return Rejected(
        f"There is no {command} where the login node looks for commands: give the folder that has those of PBS.",
        field="bin",
    )


def is_only_of_unknown_jobs(said: str) -> bool:
    """Whether nothing else is complained of than ids that are not known (any more)."""
    return bool(said.strip()) and not NO_ID.sub("", said).strip()


def _cleaned(said: str) -> str:
    lines = [" ".join(PREFIX.sub("", line.strip()).split()) for line in said.splitlines()]
    return " ".join(filter(None, dict.fromkeys(lines)))[:LONGEST_MESSAGE]


def _sentence(message: str) -> str:
    return message if not message or message[-1] in ".!?:" else f"{message}."
