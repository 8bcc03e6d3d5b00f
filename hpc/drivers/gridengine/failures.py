"""What the commands of Grid Engine call a failure, in the words of `cloudmesh.errors`.

Words: those of 8.1.9, as it says them and as its sources have them (msg_qmaster.h, msg_clients_common.h).
"""

import re
from typing import Any, NamedTuple

from cloudmesh.errors import Busy, DriverError, Full, Gone, Refused, Rejected, Unreachable

LONGEST_MESSAGE = 1000
NOT_FOUND = 127  # how a command ends that is not there
NO_ACCOUNT = ("no jobs running since startup", "not found")  # of qacct
NO_OPTION = "option"  # what qacct before 8.1.7 says of -E
PREFIX = re.compile(r"^(?:Unable to run job: |(?:critical )?error: |q[a-z]+: |sh: (?:line )?\d+: )+", re.IGNORECASE)
NOISE = ("Exiting.", "error: commlib error:")


class Meaning(NamedTuple):
    words: str  # in the message, in small letters
    kind: type[DriverError]
    advice: str = ""
    field: str = ""


AWAY = "The qmaster of Grid Engine does not answer; the login node may look for another one (SGE_QMASTER_PORT)."
ROOT = "Give the variable SGE_ROOT of the cluster, and SGE_CELL if it is not `default`."
#: The first that fits counts.
MEANINGS = (
    Meaning("unable to send message to qmaster", Unreachable, AWAY),
    Meaning("unable to contact qmaster", Unreachable, AWAY),
    Meaning("can't unpack", Unreachable, AWAY),
    Meaning("failed receiving gdi request", Busy, AWAY),
    Meaning("error reading answer list", Busy, "It may not take something of this job."),
    Meaning("timeout", Busy),
    Meaning("sge_root", Rejected, ROOT, "environment"),
    Meaning("cell directory", Rejected, ROOT, "environment"),
    Meaning("sge_qmaster_port", Rejected, "Give the variable SGE_QMASTER_PORT of the cluster.", "environment"),
    Meaning("act_qmaster", Unreachable, AWAY),
    Meaning("neither submit nor admin host", Refused, "The login node may submit no jobs: ask its administrator."),
    Meaning("no submit host", Refused, "The login node may submit no jobs: ask its administrator."),
    Meaning("not a submit host", Refused, "The login node may submit no jobs: ask its administrator."),
    Meaning("requested project", Rejected, "Choose a project that there is.", "account"),
    Meaning("may not access project", Rejected, "Choose a project that you are in.", "account"),
    Meaning("requests unknown queue", Rejected, "Choose one of the queues.", "queue"),
    Meaning("parallel environment", Rejected, "An administrator says what several cores are asked for with.", "cores"),
    Meaning("no suitable queue", Rejected, "Ask for less, or choose another queue.", "queue"),
    Meaning("unknown resource", Rejected, "An administrator says what memory and GPUs are called here."),
    Meaning("jobs are allowed", Full),
    Meaning("no space left", Full, "A disk of the cluster is full."),
    Meaning("tasks", Rejected, "", "array"),
    Meaning("range specifier", Rejected, "", "array"),
    Meaning("numerical value", Rejected, "", "array"),
    Meaning("valid object name", Rejected, "", "name"),
    Meaning("job name", Rejected, "", "name"),
    Meaning("cd: ", Rejected, "Choose a folder that is there.", "directory"),
    Meaning("can't cd to", Rejected, "Choose a folder that is there.", "directory"),
    Meaning("privileges", Rejected, "It is somebody else's."),
    Meaning("must be at least owner", Rejected, "It is somebody else's."),
    Meaning("does not exist", Gone),
    Meaning("do not exist", Gone),
)


def failure(said: str, **facts: Any) -> DriverError:
    """What the words mean; they are the message, with what to do where that is known."""
    lower = said.lower()
    meaning = next((each for each in MEANINGS if each.words in lower), Meaning("", Rejected))
    if meaning.field:
        facts["field"] = meaning.field
    whole = " ".join(filter(None, [_sentence(_cleaned(said)), meaning.advice]))
    return meaning.kind(whole or "Grid Engine gave no reason.", **facts)


def missing(command: str) -> DriverError:
    return Rejected(
        f"There is no {command} where the login node looks for commands: give the folder that has those of "
        "Grid Engine.",
        field="bin",
    )


def _cleaned(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if not line.strip().startswith(NOISE)]
    return " ".join(filter(None, dict.fromkeys(PREFIX.sub("", line) for line in lines)))[:LONGEST_MESSAGE]


def _sentence(message: str) -> str:
    return message if not message or message[-1] in ".!?:" else f"{message}."
