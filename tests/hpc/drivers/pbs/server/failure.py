"""How commands of PBS fail: the words of pbs_messages.c and pbs_error_db.h, and the number modulo 256."""


class Failure(Exception):
    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self.said, self.code = said, code % 256


#: Number and words in OpenPBS, and in Torque.
WORDS = {
    "unknown job": ((15001, "Unknown Job Id"), (15001, "Unknown Job Id Error")),
    "not allowed": ((15007, "Unauthorized Request "), (15007, "Unauthorized Request  MSG=operation not permitted")),
    "finished": (
        (15139, "Job has finished"),
        (15018, "Request invalid for state of job MSG=invalid state for job - COMPLETE"),
    ),
    "unknown queue": ((15018, "Unknown queue"), (15020, "submit error (Unknown queue MSG=cannot locate queue)")),
    "queue closed": (
        (15021, "Queue is not enabled"),
        (15023, "submit error (Queue is not enabled MSG=queue is disabled: user submit requests will be rejected)"),
    ),
    "too much": (
        (15036, "Job violates queue and/or server resource limits"),
        (15038, "submit error (Job exceeds queue resource limits MSG=cannot satisfy queue max walltime requirement)"),
    ),
    "depends": (
        (15054, "Invalid Job Dependency"),
        (15056, "submit error (Invalid Job Dependency MSG=job not found)"),
    ),
    "unknown resource": (
        (15035, "Unknown resource"),
        (15037, "submit error (Unknown resource type  MSG=cannot decode attribute)"),
    ),
    "no history": ((0, "PBS is not configured to maintain job history"), (0, "")),
    "too many": (
        (15046, "Maximum number of jobs already in queue workq"),
        (15048, "submit error (Maximum number of jobs already in queue MSG=total number of jobs in queue exceeds)"),
    ),
}


def failure(command: str, what: str, about: str = "", *, torque: bool) -> Failure:
    number, words = WORDS[what][torque]
    return Failure(f"{command}: {words} {about}".rstrip(" "), number)
