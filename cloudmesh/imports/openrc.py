"""Reading openrc files, the shell scripts in which Horizon hands out what a cloud needs.

They are never run: only assignments of plain values are read, and what the shell would compute is asked for.
"""

import re

from cloudmesh.errors import Invalid
from cloudmesh.imports.documents import decoded
from cloudmesh.imports.openstack_entry import Entry, entry

FIELD = "openrc"
ASSIGNMENT = re.compile(r"\s*(?:export\s+)?OS_([A-Z0-9_]+)=(.*)")
SEGMENT = re.compile(r"""'(?P<literal>[^']*)'|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>(?:[^\s'"\\;&|<>()]|\\.)+)""")
COMPUTED = re.compile(r"(?:^|[^\\])(?:\\\\)*[$`]")  # a variable or a command that is not escaped
ESCAPED = re.compile(r"\\(.)")
ESCAPED_IN_QUOTES = re.compile(r'\\([$`"\\])')
ASKED = ("PASSWORD", "APPLICATION_CREDENTIAL_SECRET")  # what scripts ask for when they are run
NOT_ONE = "This is no openrc file: it sets no OS_AUTH_URL. Download it in Horizon under Project → API Access."


def read(file: str | bytes) -> Entry:
    """What the file says; raises Invalid with the line that is wrong, or where the cloud cannot be used."""
    found = entry(*say(file))
    if found.problem:
        raise Invalid(f"This openrc file cannot be used. {found.problem}", field=FIELD)
    return found


def say(file: str | bytes) -> tuple[str, dict[str, str]]:
    """What the file calls the cloud, and says of it; raises Invalid with the line that is wrong."""
    said: dict[str, str] = {}
    for number, line in enumerate(decoded(file, "this openrc file", FIELD).splitlines(), 1):
        if assignment := ASSIGNMENT.fullmatch(line):
            name, rest = assignment.groups()
            said[name.lower()] = _value(name, rest, number)
    if not said.get("auth_url"):
        raise Invalid(NOT_ONE, field=FIELD)
    return said.get("project_name") or said.get("cloudname") or "openrc", said


def _value(name: str, rest: str, number: int) -> str:
    """The value of an assignment as the shell would see it; empty for a secret that it would ask for."""
    value, at = "", 0
    while segment := SEGMENT.match(rest, at):
        literal, quoted, bare = segment.group("literal", "quoted", "bare")
        if COMPUTED.search(quoted or bare or ""):
            return _asked(name, number)
        value += literal or ESCAPED_IN_QUOTES.sub(r"\1", quoted or "") or ESCAPED.sub(r"\1", bare or "")
        at = segment.end()
    if rest[at : at + 1] not in ("", " ", "\t", ";"):
        raise _invalid(number, f"the value of OS_{name} is not closed or not plain. Put it in single quotes.")
    return value


def _asked(name: str, number: int) -> str:
    if name in ASKED:
        return ""
    raise _invalid(number, f"the shell would compute OS_{name}, and the portal runs no scripts. Write its value there.")


def _invalid(number: int, words: str) -> Invalid:
    return Invalid(f"Line {number} of this openrc file: {words}", field=FIELD, line=number)
