"""A wish as oarsub of OAR 2.5 takes it.

OAR puts names, folders and paths between single quotes into a Perl program that it runs on the node (Tools.pm), without
a look at what is in them: none that could end those quotes gets there.
"""

import re
from collections.abc import Iterable, Iterator

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import JobSpec

#: 12, or the third task of the array 12.
JOB_ID = re.compile(r"([0-9]{1,10})(?:_([0-9]{1,7}))?")
TOKEN = re.compile(r"[0-9A-Za-z]{1,64}")
ARRAY = re.compile(r"1-([0-9]{1,6})|1")
PLAIN = re.compile(r"[A-Za-z0-9_./% -]+")  # of output files, by IO.pm
RESOURCES = re.compile(r"^#OAR\s+(-l|--resource|--array)", re.MULTILINE)
LONGEST_NAME = 100  # letters, of the database
INTERPRETER = "#!/bin/bash\n"
#: Where scripts lie, under the home of their owner; the name is the token of the wish, and says how many tasks it has.
FOLDER = ".cloudmesh/oar"


def script_name(spec: JobSpec, token: str) -> str:
    if not TOKEN.fullmatch(token):
        raise Rejected("A wish needs a token of letters and digits, which names its script.")
    return f"{token}-{tasks(spec)}" if spec.array else token


def script(spec: JobSpec) -> bytes:
    """Lines end as Unix has them, and the first names the interpreter."""
    text = spec.script.replace("\r\n", "\n")
    if found := RESOURCES.search(text):
        raise Rejected(
            f"The script has a line #OAR {found[1]}, which OAR would take for an alternative to the nodes, cores "
            "and time that are asked for here. Remove it.",
            field="script",
        )
    return (text if text.startswith("#!") else INTERPRETER + text).encode()


def wished(spec: JobSpec, core: str, before: Iterable[int]) -> Iterator[str]:
    """The options of oarsub, each one argument; `before` are the numbers of the jobs it waits for."""
    yield f"--resource={resources(spec, core)}"
    yield f"--name={name(spec)}"
    given = {
        "queue": _word(spec.queue, "queue"),
        "project": _quotable(spec.account, "account"),
        "stdout": _path(spec.output, "output") or "OAR.%jobid%.out",
        "stderr": _path(spec.error, "error") or _path(spec.output, "output") or "OAR.%jobid%.out",
        "array": str(tasks(spec)) if spec.array else "",
    }
    yield from (f"--{option}={value}" for option, value in given.items() if value)
    yield from (f"--anterior={number}" for number in before)
    yield from ["--hold"] * spec.is_held


def resources(spec: JobSpec, core: str) -> str:
    """OAR gives each node as many cores, so that what does not go up is rounded up."""
    cores = -(-spec.tasks * spec.cores // max(1, spec.nodes))
    wanted = f"/nodes={spec.nodes}/{core}={cores}"
    return wanted if spec.walltime is None else f"{wanted},walltime={clock(spec.walltime)}"


def clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def tasks(spec: JobSpec) -> int:
    """How many; OAR counts them from 1."""
    if not (found := ARRAY.fullmatch(spec.array)):
        raise Rejected(f"OAR counts the tasks of arrays from 1: write 1-10, not {spec.array[:40]!r}.", field="array")
    return int(found[1] or 1)


def name(spec: JobSpec) -> str:
    """With another apostrophe and another slash, and without control characters, which would tear tables of others."""
    if "\0" in spec.name:
        raise Rejected("The name has a NUL character in it, which no job of OAR can have.", field="name")
    printable = "".join(letter if letter.isprintable() else " " for letter in spec.name)
    return printable.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}").replace("\\", "/")[:LONGEST_NAME].strip() or "job"


def identified(job_id: str) -> tuple[int, int]:
    """Number, and number in the array or 0; raises Gone for what is no id of OAR's."""
    if not (found := JOB_ID.fullmatch(job_id)):
        raise Gone(f"There is no job {job_id[:80]!r}: OAR's jobs have numbers, such as 12 or 12_3.")
    return int(found[1]), int(found[2] or 0)


def checked_directory(directory: str) -> None:
    _quotable(directory, "directory")


def _word(text: str, field: str) -> str:
    if text and not re.fullmatch(r"[\w.-]+", text):
        raise Rejected(f"There is no {field} {text[:60]!r}: it would be one word.", field=field)
    return text


def _quotable(text: str, field: str) -> str:
    if "'" in text or "\\" in text or not text.isprintable():
        raise Rejected(f"OAR takes no {field} with an apostrophe, a backslash or a control character.", field=field)
    return text


def _path(text: str, field: str) -> str:
    if text and not PLAIN.fullmatch(text):
        raise Rejected(
            f"OAR takes no such file: {text[:80]!r}. Use letters without accents, digits, spaces and . _ - / %.",
            field=field,
        )
    return text
