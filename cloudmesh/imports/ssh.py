"""`~/.ssh/config`: under which name one logs in where, and with which keys."""

import re
import shlex
from collections.abc import Iterator

from cloudmesh.errors import Invalid
from cloudmesh.imports.found import Default, Found, Key, Left

LINE = re.compile(r"\s*(\w+)(?:\s*=\s*|\s+)(.*)")
HOME = re.compile(r"^(?:%d|\$\{HOME\})(?=/|$)")
MOST_LINES = 5000


def read(text: str, what: str) -> Found:
    """Hosts become defaults of the cloud that is called like them; the keys of all hosts are taken.

    Raises Invalid with the line that is wrong.
    """
    hosts: tuple[str, ...] = ()
    logins: dict[str, str] = {}
    paths: dict[str, None] = {}
    left = []
    for name, value in _lines(text, what):
        if name == "host":
            hosts = tuple(host for host in value if not set(host) & set("*?!"))
        elif name == "match":
            hosts = ()
        elif name == "user" and value:
            logins = {**dict.fromkeys(hosts, value[0]), **logins}  # of several the first counts, as ssh has it
        elif name == "identityfile" and value:
            paths[HOME.sub("~", value[0])] = None
        elif name == "include":
            left.append(Left(name=f"Include {' '.join(value)}", reason="Give these files, too."))
    return Found(
        keys=tuple(Key(name="", path=path) for path in paths if "%" not in path and path.lower() != "none"),
        defaults=tuple(Default(key="login", value=user, cloud=host) for host, user in logins.items()),
        left=tuple(left),
    )


def _lines(text: str, what: str) -> Iterator[tuple[str, list[str]]]:
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise Invalid(f"{what} has {len(lines)} lines; at most {MOST_LINES} are read.")
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            said = LINE.fullmatch(line)
            try:
                yield (said[1].lower(), shlex.split(said[2], comments=True)) if said else _wrong(number, what)
            except ValueError:
                _wrong(number, what)


def _wrong(number: int, what: str) -> tuple[str, list[str]]:
    raise Invalid(f"Line {number} of {what} is no line of `Name value`, or its quotes do not close.", line=number)
