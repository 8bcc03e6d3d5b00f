"""What a command may be made of, on this machine and on another."""

import re
from collections.abc import Mapping, Sequence

from cloudmesh.errors import Invalid, Rejected

LONGEST_ARGUMENT = 128 * 2**10 - 1  # bytes; MAX_ARG_STRLEN of Linux, execve(2)
LONGEST_COMMAND = 1024 * 2**10  # bytes
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def encoded(command: Sequence[str]) -> list[bytes]:
    """The arguments as a system takes them; bytes that are no UTF-8 come as Python has them in names of files.

    Raises Rejected where one cannot be an argument.
    """
    if not command or not command[0]:
        raise Rejected("There is no command to run.")
    try:
        arguments = [argument.encode(errors="surrogateescape") for argument in command]
    except UnicodeEncodeError as error:
        raise Rejected("Some of this is no text that can be written down.") from error
    if any(b"\0" in argument for argument in arguments):
        raise Rejected("A text with a NUL byte cannot be handed to a command; leave it out.")
    if max(map(len, arguments)) > LONGEST_ARGUMENT or sum(map(len, arguments)) > LONGEST_COMMAND:
        raise Rejected(f"A text is longer than the {LONGEST_ARGUMENT} bytes that a command takes; shorten it.")
    return arguments


def checked_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a scheduler's commands need, such as SLURM_CONF or SGE_ROOT. Raises Invalid."""
    for name, value in environment.items():
        if not VARIABLE.fullmatch(name) or "\0" in value:
            raise Invalid(
                f"{name[:60]!r} cannot be a variable: use letters, digits and _, and a value without NUL bytes.",
                field="environment",
            )
    return dict(environment)
