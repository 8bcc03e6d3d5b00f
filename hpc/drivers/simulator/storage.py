"""The files of people at a simulated scheduler: what they wrote, and what their jobs write."""

import datetime
import math
import os
from collections.abc import Callable
from contextlib import AbstractContextManager

from cloudmesh.errors import Full, Gone, Rejected
from hpc.drivers import LONGEST_FILE, Entry, Files, Part
from hpc.drivers.simulator import schedule
from hpc.drivers.simulator.world import Desk, Row, home

LONGEST_NAME, LONGEST_PATH = 255, 4000
Request = Callable[[str], AbstractContextManager[Desk]]


class Storage(Files):
    """See hpc.drivers.Files. There are no links here, and a path is what it looks like."""

    def __init__(self, request: Request, login: str, root: str) -> None:
        self._request, self._login = request, login
        self._root = _clean(root)
        if not f"{self._root}/".startswith(f"{home(login)}/"):
            raise Rejected(f"Permission denied: {root[:100]} is not below {home(login)}.")

    def read(self, path: str, *, offset: int = 0, most: int = LONGEST_FILE) -> Part:
        with self._request("read") as desk:
            row = self._there(desk, path)
            if row["content"] is None:
                raise Rejected(f"{path} is a directory, no plain file.")
            content = _content(desk, row)
        start = max(0, len(content) + offset) if offset < 0 else offset
        data = content[start : start + max(0, min(most, LONGEST_FILE))]
        return Part(data, start, len(content), _time(row["modified"]))

    def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        if len(content) > LONGEST_FILE:
            raise Rejected(f"{path} has {len(content)} bytes; at most {LONGEST_FILE} can be written at once.")
        with self._request("write") as desk:
            used = desk.value("SELECT SUM(size) FROM file WHERE login = ?", self._login) or 0
            if used + len(content) > (most := desk.setting("max_bytes")):
                raise Full(f"{path}: Your quota there is used up: {used} of {most} bytes.", limit=most, used=used)
            self._add(desk, path, content)

    def make(self, path: str) -> None:
        with self._request("make") as desk:
            self._add(desk, path, None)

    def entries(self, path: str = "") -> list[Entry]:
        with self._request("entries") as desk:
            above = self._there(desk, path)
            if above["content"] is not None:
                raise Rejected(f"{path} is no directory.")
            rows = [row for row in self._below(desk, above["path"]) if "/" not in row["path"][len(above["path"]) + 1 :]]
            return sorted(_entry(desk, row) for row in rows)

    def remove(self, path: str) -> None:
        with self._request("remove") as desk:
            whole = self._named(path)
            for row in self._below(desk, whole):
                desk.db.execute("DELETE FROM file WHERE login = ? AND path = ?", (self._login, row["path"]))
            desk.db.execute("DELETE FROM file WHERE login = ? AND path = ?", (self._login, whole))

    def _add(self, desk: Desk, path: str, content: bytes | None) -> None:
        whole = self._named(path)
        above = self._there(desk, os.path.dirname(whole))
        if above["content"] is not None:
            raise Rejected(f"{path}: A file is where a directory should be.")
        if self._row(desk, whole):
            raise Rejected(f"{path}: Something of that name is there already; choose another name.")
        desk.db.execute(
            "INSERT INTO file (login, path, content, size, modified) VALUES (?, ?, ?, ?, ?)",
            (self._login, whole, content, len(content or b""), desk.now),
        )

    def _named(self, path: str) -> str:
        if (whole := self._whole(path)) == self._root:
            raise Rejected(f"{self._root} is what all is in; name something in it.")
        return whole

    def _whole(self, path: str) -> str:
        whole = _clean(path if path.startswith("/") else f"{self._root}/{path}")
        if not f"{whole}/".startswith(f"{self._root}/"):
            raise Rejected(f"{path} leads out of {self._root}. Name what is really in there.")
        return whole

    def _there(self, desk: Desk, path: str) -> Row:
        found = self._row(desk, self._whole(path))
        if found is None:
            raise Gone(f"{path}: It is not there.")
        return found

    def _row(self, desk: Desk, whole: str) -> Row | None:
        return next(iter(desk.rows("SELECT * FROM file WHERE login = ? AND path = ?", self._login, whole)), None)

    def _below(self, desk: Desk, whole: str) -> list[Row]:
        """All that is in a directory, however deep: their paths sort between its own with `/` and with `0` after it."""
        return desk.rows(
            "SELECT * FROM file WHERE login = ? AND path > ? AND path < ?", self._login, f"{whole}/", f"{whole}0"
        )


def _clean(path: str) -> str:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in path:
        raise Rejected(f"{path[:100]!r} cannot be a path: name the way down only.")
    if len(path) > LONGEST_PATH or any(len(part.encode(errors="surrogateescape")) > LONGEST_NAME for part in parts):
        raise Rejected(f"{path[:60]!r}… is too long for a path.")
    return "/" + "/".join(parts)


def _content(desk: Desk, row: Row) -> bytes:
    """What is in a file; in that of a job, what it has written until now."""
    job = row["job"] and next(iter(desk.rows("SELECT * FROM job WHERE seq = ?", row["job"])), None)
    if not job:
        return bytes(row["content"])
    is_through = job["state"] in ("COMPLETED", "FAILED")  # times are floats, so the last line might be missing
    elapsed = math.inf if is_through else ((job["ended"] or desk.now) - job["started"]) * desk.speed
    streams = row["streams"]
    return schedule.play(job, desk.speed).written(
        elapsed, output=streams in ("both", "output"), error=streams in ("both", "error")
    )


def _entry(desk: Desk, row: Row) -> Entry:
    kind = "directory" if row["content"] is None else "file"
    size = len(_content(desk, row)) if row["job"] else row["size"]
    return Entry(os.path.basename(row["path"]), kind, size, _time(row["modified"]))


def _time(moment: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(moment), datetime.UTC)
