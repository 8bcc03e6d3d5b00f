"""Files at a cluster, below one directory, through small commands on its login node: no SFTP.

Each thing is one command: a fixed script for `sh` with the paths as its arguments. It resolves a path where it is
(`realpath -e`) and goes on only where that is the very path that was asked: so neither `..` nor a link leads out. The
login node needs a POSIX shell, GNU coreutils and `find`.
"""

import datetime
import os
import re

from cloudmesh.errors import Busy, DriverError, Full, Gone, Invalid, Rejected
from hpc.drivers import LONGEST_FILE, Answer, Entry, Files, Part, Shell

OUT, NO_FILE, NO_DIRECTORY, CUT = 40, 41, 42, 43
SLOW = 120.0  # seconds that a large tree may take to be removed
LONGEST_NAME = 255  # bytes; NAME_MAX of Linux
LONGEST_PATH = 4000
LONGEST_LIST = 8 * 2**20  # bytes

# One line each: some login shells take no newline between quotes. `x` keeps the newlines a name may end in.
_BEGIN = (
    'LC_ALL=C; export LC_ALL; root=$(realpath -e -- "$1" && printf x) || exit 1; root=${root%?x}; '
    f'case $2 in "$root"/*) rest=${{2#"$root"/}};; /*) exit {OUT};; *) rest=$2;; esac; '
    "target=$root${rest:+/}$rest; "
)
_THERE = f'real=$(realpath -e -- "$target" && printf x) || exit 1; [ "${{real%?x}}" = "$target" ] || exit {OUT}; '
_NEW = (
    'parent=${target%/*}; up=$(realpath -e -- "$parent" && printf x) || exit 1; '
    f'[ "${{up%?x}}" = "$parent" ] || exit {OUT}; '
)
READ = (
    f'{_BEGIN}{_THERE}[ -f "$target" ] || exit {NO_FILE}; facts=$(stat -c "%s %Y" -- "$target") || exit 1; '
    'size=${facts% *}; start=$3; [ "$start" -ge 0 ] || start=$((size + start)); [ "$start" -ge 0 ] || start=0; '
    'exec 3<"$target" || exit 1; echo "$facts $start"; tail -c +$((start + 1)) <&3 | head -c "$4"'
)
WRITE = (
    f'{_BEGIN}{_NEW}umask 077; new=$(mktemp "$parent/.cloudmesh-XXXXXXXXXX" && printf x) || exit 1; new=${{new%?x}}; '
    "trap 'rm -f -- \"$new\"' EXIT; trap 'exit 1' HUP INT TERM; "
    f'cat >"$new" || exit 1; [ "$(stat -c %s -- "$new")" = "$4" ] || exit {CUT}; '
    'chmod -- "$3" "$new" && ln -T -- "$new" "$target"'
)
MAKE = f'{_BEGIN}{_NEW}mkdir -m 700 -- "$target"'
LIST = (
    f'{_BEGIN}{_THERE}[ -d "$target" ] || exit {NO_DIRECTORY}; cd "$target" || exit 1; '
    "find . -name . -o -prune -exec stat --printf '%f %s %Y %n\\0' -- {} +"
)
REMOVE = f'{_BEGIN}[ -e "$target" ] || [ -L "$target" ] || exit 0; {_NEW}rm -rf -- "$target"'

KINDS = {0o10: "file", 0o04: "directory", 0o12: "link"}
#: What coreutils say, in English as LC_ALL=C has it, from errno(3).
ERRORS: tuple[tuple[str, type[DriverError], str], ...] = (
    ("No space left on device", Full, "The disk there is full. Remove what is not needed, or ask its administrators."),
    ("Disk quota exceeded", Full, "Your quota there is used up. Remove what is not needed, or ask for more."),
    ("File too large", Full, "It is larger than files may be there."),
    ("No such file or directory", Gone, "It is not there."),
    ("Not a directory", Rejected, "A file is where a directory should be."),
    ("Is a directory", Rejected, "It is a directory."),
    ("File exists", Rejected, "Something of that name is there already; choose another name."),
    ("File name too long", Rejected, "Its name is too long."),
    ("Permission denied", Rejected, "Its permissions do not let you."),
    ("Operation not permitted", Rejected, "Its permissions do not let you."),
    ("Read-only file system", Rejected, "Nothing can be written there; the file system is read-only."),
    ("Too many levels of symbolic links", Rejected, "Its links lead round in a circle."),
    ("Stale file handle", Busy, "The file server lost it for a moment. Try again."),
    ("Input/output error", Busy, "The disk there has an error. Try again, and tell its administrators if it stays."),
)


class ShellFiles(Files):
    """See hpc.drivers.Files; `root` is an absolute path and should be there."""

    def __init__(self, shell: Shell, root: str) -> None:
        parts = _parts(root)
        if not root.startswith("/") or not parts:
            raise Invalid(f"{root!r} cannot be a directory to work in: give an absolute path below /.", field="root")
        self._shell, self._root = shell, "/" + "/".join(parts)

    def read(self, path: str, *, offset: int = 0, most: int = LONGEST_FILE) -> Part:
        most = max(0, min(most, LONGEST_FILE))
        output = self._run(READ, path, str(offset), str(most), most=most + 100).output
        head, _, data = output.partition(b"\n")
        size, modified, start = map(int, head.split())
        return Part(data, start, max(size, start + len(data) if data else 0), _time(modified))

    def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        if len(content) > LONGEST_FILE:
            raise Rejected(f"{path} has {len(content)} bytes; at most {LONGEST_FILE} can be written at once.")
        self._run(WRITE, self._named(path), f"{mode & 0o777:o}", str(len(content)), given=content)

    def make(self, path: str) -> None:
        self._run(MAKE, self._named(path))

    def entries(self, path: str = "") -> list[Entry]:
        output = self._run(LIST, path, most=LONGEST_LIST).output
        return sorted(map(_entry, output.split(b"\0")[:-1]))

    def remove(self, path: str) -> None:
        self._run(REMOVE, self._named(path), timeout=SLOW)

    def _named(self, path: str) -> str:
        if not self._relative(path):
            raise Rejected(f"{self._root} is what all is in; name something in it.")
        return path

    def _relative(self, path: str) -> str:
        """A path without what means nothing; absolute where only the other side knows whether it is in the root."""
        parts = _parts(path)
        if not path.startswith("/"):
            return "/".join(parts)
        whole = "/" + "/".join(parts)
        return whole.removeprefix(self._root)[1:] if f"{whole}/".startswith(f"{self._root}/") else whole

    def _run(
        self, script: str, path: str, *more: str, given: bytes = b"", most: int = 4096, timeout: float | None = None
    ) -> Answer:
        arguments = ("sh", self._root, self._relative(path), *more)
        answer = self._shell.run("sh", "-c", script, *arguments, given=given, most=most, timeout=timeout)
        if answer.code:
            raise _error(answer, path, self._root)
        return answer


def _parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Rejected(f"{path!r} has '..' in it; name the way down only.")
    if len(path) > LONGEST_PATH or any(len(os.fsencode(part)) > LONGEST_NAME for part in parts):
        raise Rejected(f"{path[:60]!r}… is too long for a path.")
    return parts


def _error(answer: Answer, path: str, root: str) -> DriverError:
    known: dict[int, DriverError] = {
        OUT: Rejected(f"{path} leads out of {root}, or goes over a link. Name what is really in there."),
        NO_FILE: Rejected(f"{path} is no plain file."),
        NO_DIRECTORY: Rejected(f"{path} is no directory."),
        CUT: Busy(f"{path} did not arrive whole and was not kept. Try again."),
    }
    if answer.code in known:
        return known[answer.code]
    for text, error, words in ERRORS:
        if re.search(rf"{text}\W*$", answer.error, re.MULTILINE):
            return error(f"{path}: {words}")
    return Rejected(f"{path}: {answer.error.strip()[-200:] or f'the login node ended with {answer.code}'}")


def _entry(line: bytes) -> Entry:
    mode, size, modified, name = line.split(b" ", 3)
    kind = KINDS.get(int(mode, 16) >> 12, "other")
    return Entry(os.fsdecode(name.removeprefix(b"./")), kind, int(size), _time(int(modified)))


def _time(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
