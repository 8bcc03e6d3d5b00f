"""What OAR's commands call a failure, in the words of `cloudmesh.errors`.

The words are those of oarsub, oardel, oarhold, oarresume, oarstat and IO.pm of 2.5.9; exit codes say little.
"""

import re
from typing import Any, NamedTuple

from cloudmesh.errors import Busy, DriverError, Full, Gone, Refused, Rejected, Unreachable

LONGEST_MESSAGE = 1000
NOT_FOUND = 127  # how a command ends that is not there
PREFIX = re.compile(r"^(?:/!\\ ?|\[?ERROR\]?(?: ?:)? ?|\[ADMISSION RULE\] ?|\[OARDO\] )+", re.MULTILINE)
#: What comes with every submission, and says nothing.
NOISE = ("Modify resource description with type constraints", "Simple array job", "OAR_JOB_ID=", "OAR_ARRAY_ID=",
         "Set default walltime", "please verify your request syntax", "##########")  # fmt: skip
SERVER_AWAY = "cannot connect to executor"
KILLED_ALREADY = "already killed"
NOT_YOURS = "not the right user"
OTHERWISE = ("is not in the right state", "is not in the Hold")  # held already, or released


class Meaning(NamedTuple):
    words: str  # in OAR's message, in small letters
    kind: type[DriverError]
    advice: str = ""
    field: str = ""


DATABASE = "OAR's database does not answer: its administrator has to start it."
SERVER = "OAR's server, Almighty, does not answer: its administrator has to start it."
#: The first that fits counts.
MEANINGS = (
    Meaning("db connection error", Unreachable, DATABASE),
    Meaning("cannot connect to database", Unreachable, DATABASE),
    Meaning(SERVER_AWAY, Unreachable, SERVER),
    Meaning("connect to the socket", Unreachable, SERVER),
    Meaning("connection refused", Unreachable, SERVER),
    Meaning("json module", Rejected, "Have Perl's JSON module installed where OAR's commands are."),
    Meaning("cannot setgid", Refused, "OAR's commands have lost their set-user-id bit."),
    Meaning("cannot get oar user", Refused, "OAR is not set up at the login node."),
    Meaning("root and oar users are not allowed", Refused, "Use the login of a person."),
    Meaning("does not exist", Gone),
    Meaning(NOT_YOURS, Rejected, "It is somebody else's job."),
    Meaning("no space left", Full, "A disk of the cluster is full."),
    Meaning("disk quota exceeded", Full, "Your room on the cluster's disk is used up."),
    Meaning("not enough resources", Rejected, "Ask for fewer nodes or cores: the cluster has none that fit.", "nodes"),
    Meaning("bad resource request", Rejected, "The property may not be there: see oarnodes.", "nodes"),
    Meaning("can submit jobs in the", Rejected, "Choose another queue.", "queue"),
    Meaning("stdout file name", Rejected, "OAR takes letters without accents, digits, spaces and . _ - / %.", "output"),
    Meaning("stderr file name", Rejected, "OAR takes letters without accents, digits, spaces and . _ - / %.", "error"),
    Meaning("walltime", Rejected, "", "walltime"),
)
UNKNOWN_QUEUE = re.compile(r"queue .* does not exist", re.IGNORECASE)


def failure(said: str, **facts: Any) -> DriverError:
    """What OAR's words mean; they are the message, with what to do where that is known."""
    message, lower = _cleaned(said), said.lower()
    meaning = next((each for each in MEANINGS if each.words in lower), Meaning("", Rejected))
    if UNKNOWN_QUEUE.search(said):
        meaning = Meaning("", Rejected, "Choose one of the queues.", "queue")
    if meaning.field:
        facts["field"] = meaning.field
    whole = " ".join(filter(None, [_sentence(message), meaning.advice]))
    return meaning.kind(whole or "OAR gave no reason.", **facts)


def missing(command: str) -> DriverError:
    return Rejected(
        f"There is no {command} where the login node looks for commands: give the folder that has OAR's.", field="bin"
    )


def torn(command: str, said: str) -> DriverError:
    return Busy(f"{command} did not answer as OAR does: {said.strip()[:200] or 'it said nothing'}.")


def _cleaned(said: str) -> str:
    lines = [PREFIX.sub("", line.strip()) for line in said.splitlines() if not any(map(line.__contains__, NOISE))]
    return " ".join(filter(None, dict.fromkeys(lines)))[:LONGEST_MESSAGE]


def _sentence(message: str) -> str:
    return message if not message or message[-1] in ".!?:" else f"{message}."
