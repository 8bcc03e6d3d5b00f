"""What Slurm's commands and slurmrestd call a failure, in the words of `cloudmesh.errors`.

The words are those of slurm_errno.c and the commands, 20.11 to 25.05.
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from cloudmesh.errors import Busy, DriverError, Full, Gone, Refused, Rejected, Unreachable
from cloudmesh.types import Json

LONGEST_MESSAGE = 1000
PREFIX = re.compile(r"^(?:\w+: )?(?:(?:error|fatal): )+|^(?:s\w+|slurm\w*): (?=[A-Z])", re.MULTILINE)


class Meaning(NamedTuple):
    words: str  # in Slurm's message, in small letters
    kind: type[DriverError]
    advice: str = ""
    field: str = ""


CLOCKS = "The keys or the clocks of who asks and of Slurm differ."
#: The first that fits counts.
MEANINGS = (
    Meaning("munge", Unreachable, "MUNGE does not work on the login node: its administrator has to start munged."),
    Meaning("protocol authentication error", Refused, CLOCKS),
    Meaning("invalid authentication credential", Refused, CLOCKS),
    Meaning("authentication failure", Refused, "Give a token that holds: scontrol token username=NAME.", "token"),
    Meaning("invalid job credential", Refused),
    Meaning("unable to contact slurm controller", Unreachable, "The controller, slurmctld, does not answer."),
    Meaning("unable to contact slurm database", Unreachable, "Accounting, slurmdbd, does not answer."),
    Meaning("could not establish a configuration source", Unreachable, "Slurm is not set up at the login node."),
    Meaning("persistent connection", Unreachable, "Accounting, slurmdbd, does not answer."),
    Meaning("persist_conn", Unreachable, "Accounting, slurmdbd, does not answer."),
    Meaning("problem talking to the database", Unreachable, "Accounting, slurmdbd, does not answer."),
    Meaning("connection refused", Unreachable, "The controller or accounting does not run."),
    Meaning("standby mode", Unreachable),
    Meaning("socket timed out", Busy),
    Meaning("timed out", Busy),
    Meaning("zero bytes were transmitted", Busy),
    Meaning("temporarily unable to accept job", Busy),
    Meaning("temporarily unavailable", Busy),
    Meaning("try again", Busy),
    Meaning("invalid job id", Gone),
    Meaning("nothing found", Gone),  # slurmdb, of one job
    Meaning("already completing or completed", Gone),
    Meaning("has already finished", Gone),
    Meaning("violates accounting/qos policy", Full),
    Meaning("maxsubmit", Full),
    Meaning("no space left on device", Full, "A disk of the cluster is full."),
    Meaning("quota exceeded", Full, "Your room on the cluster's disk is used up."),
    Meaning("writing script/environment to file", Full, "The disk of the controller may be full."),
    Meaning("invalid account", Rejected, "Choose an account that you are in: sacctmgr show associations.", "account"),
    Meaning("invalid partition", Rejected, "Choose one of the queues.", "queue"),
    Meaning("required partition not available", Rejected, "Choose another queue.", "queue"),
    Meaning("invalid qos", Rejected, "Choose one that your account may use: sacctmgr show associations.", "qos"),
    Meaning("requested time limit", Rejected, "", "walltime"),
    Meaning("invalid job array", Rejected, "Write an array as 1-10, 1,5,9 or 1-100%4.", "array"),
    Meaning("invalid user id", Rejected, "It is somebody else's job."),
    Meaning("access/permission denied", Rejected, "It is somebody else's, or you may not."),
    Meaning("unspecified error", Unreachable, "The controller, slurmctld, does not answer."),
)
VAGUE = ("unspecified error", "zero bytes were transmitted", "unknown error 5005")
NOISE = ("If munged is up", "auth_g_create:")  # lines that only programmers of Slurm understand
NO_JSON = ("unrecognized option '--json'", "unrecognized option `--json'", "serializer", "data_parser")
NOT_FOUND = 127  # how a command ends that is not there
NO_ACCOUNTING = ("accounting storage is disabled", "accounting_storage/none", "not running a supported accounting")


def failure(said: str, **facts: Any) -> DriverError:
    """What Slurm's words mean; they are the message, with what to do where that is known."""
    message = _cleaned(said)
    lower = said.lower()
    meaning = next((each for each in MEANINGS if each.words in lower), Meaning("", Rejected))
    if meaning.field:
        facts["field"] = meaning.field
    whole = " ".join(filter(None, [_sentence(message), meaning.advice]))
    return meaning.kind(whole or "Slurm gave no reason.", **facts)


def missing(command: str) -> DriverError:
    return Rejected(
        f"There is no {command} where the login node looks for commands: give the folder that has Slurm's.", field="bin"
    )


def spoken(errors: Iterable[Json], beside: str = "") -> DriverError:
    """What is under `errors` in an answer, with whatever exit code or HTTP status; `beside` is what was written too."""
    found = list(errors)
    said = [": ".join(filter(None, [each.get("description"), each.get("error")])) for each in found]
    codes = [number for each in found if (number := each.get("error_number", each.get("errno")))]
    return failure("\n".join([beside, *said]), **({"code": codes[0]} if codes else {}))


def is_vague(errors: Iterable[Json]) -> bool:
    """Whether it may as well be the token that is wrong as the controller that is away (slurmrestd of 22.05)."""
    return any(words in (each.get("error") or "").lower() for each in errors for words in VAGUE)


def _cleaned(said: str) -> str:
    lines = [PREFIX.sub("", line.strip()) for line in said.splitlines() if not any(map(line.__contains__, NOISE))]
    return " ".join(filter(None, dict.fromkeys(lines)))[:LONGEST_MESSAGE]


def _sentence(message: str) -> str:
    return message if not message or message[-1] in ".!?:" else f"{message}."
