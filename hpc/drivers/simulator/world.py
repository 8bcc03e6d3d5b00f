"""One simulated scheduler in one SQLite file, shared by every process and thread that opens it.

A commit survives `kill -9` of any process. Nothing runs in between: what a job becomes, and when, is written when it
starts, and the first request after that moment makes it so (`schedule.settle`).
"""

import contextlib
import dataclasses
import hashlib
import hmac
import json
import os
import pathlib
import re
import secrets
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from cloudmesh.errors import Invalid, Rejected
from hpc.drivers.simulator import catalogue

NAME = re.compile(r"[a-z0-9-]{1,40}")
LOGIN = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
MOST_WORLDS = 200  # in one state directory; a world is made by whoever names it
USERNAME, PASSWORD = "demo", "demo"  # the one person of a new world
FIRST_JOB = 1000
HISTORY = 3 * 3600  # virtual seconds that the crowd was at work when a world is made
Row = dict[str, Any]

SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE person (login TEXT PRIMARY KEY, secret TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE queue (
    seq INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, pool TEXT NOT NULL, max_walltime INTEGER NOT NULL,
    default_walltime INTEGER NOT NULL, max_nodes INTEGER NOT NULL, priority INTEGER NOT NULL,
    is_default INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'open'
);
CREATE TABLE node (
    seq INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, pool TEXT NOT NULL, cores INTEGER NOT NULL,
    memory INTEGER NOT NULL, gpus INTEGER NOT NULL, properties TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'up',
    reason TEXT NOT NULL DEFAULT ''
);
CREATE TABLE job (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, parent INTEGER, task INTEGER,
    login TEXT NOT NULL, name TEXT NOT NULL, token TEXT NOT NULL, queue TEXT NOT NULL, pool TEXT NOT NULL,
    account TEXT NOT NULL, qos TEXT NOT NULL, nodes INTEGER NOT NULL, tasks INTEGER NOT NULL, cores INTEGER NOT NULL,
    share INTEGER NOT NULL, gpus INTEGER NOT NULL, memory INTEGER NOT NULL, walltime INTEGER NOT NULL,
    script TEXT NOT NULL, directory TEXT NOT NULL, output TEXT NOT NULL, error TEXT NOT NULL,
    numbers TEXT NOT NULL, slots INTEGER NOT NULL, after TEXT NOT NULL, waits INTEGER NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, priority INTEGER NOT NULL, submitted REAL NOT NULL, expected REAL,
    started REAL, ends REAL, limit_at REAL, verdict TEXT, ended REAL, code INTEGER, hosts TEXT NOT NULL DEFAULT '[]'
);
CREATE VIEW told AS SELECT
    seq, id, parent, task, login, name, token, queue, account, qos, nodes, tasks, cores, share, gpus, memory, walltime,
    directory, output, error, numbers, slots, after, state, reason, priority, submitted, expected, started, limit_at,
    ended, code, hosts FROM job;
CREATE INDEX job_waiting ON job (priority DESC, seq) WHERE state = 'QUEUED';
CREATE INDEX job_running ON job (ends) WHERE state = 'RUNNING';
CREATE INDEX job_active ON job (login) WHERE ended IS NULL;
CREATE INDEX job_ended ON job (ended) WHERE ended IS NOT NULL;
CREATE INDEX job_following ON job (seq) WHERE waits;
CREATE INDEX job_token ON job (token) WHERE token <> '';
CREATE INDEX job_parent ON job (parent) WHERE parent IS NOT NULL;
CREATE TABLE file (
    login TEXT, path TEXT, content BLOB, size INTEGER NOT NULL, modified REAL NOT NULL, job INTEGER, streams TEXT,
    PRIMARY KEY (login, path)
) WITHOUT ROWID;
CREATE TABLE fault (
    id INTEGER PRIMARY KEY, kind TEXT, effect TEXT, remaining INTEGER, fraction REAL, delay REAL, text TEXT
);
CREATE TABLE request (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, kind TEXT, login TEXT, token TEXT, outcome TEXT);
"""


@dataclasses.dataclass(frozen=True)
class Desk:
    """Where one piece of work on a world is done: inside one transaction, at one instant, for one person."""

    world: str
    db: sqlite3.Connection
    now: float
    speed: float  # virtual seconds in one
    login: str = ""

    def rows(self, query: str, *values: Any) -> list[Row]:
        return self.db.execute(query, values).fetchall()

    def value(self, query: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        found = self.db.execute(query, values).fetchone()
        return next(iter(found.values())) if found else None

    def setting(self, name: str) -> Any:
        return json.loads(self.value("SELECT value FROM setting WHERE name = ?", name) or "null")

    def set(self, name: str, value: Any) -> None:
        self.db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, json.dumps(value)))


class World:
    """One open world; for one thread at a time, whichever that is."""

    def __init__(self, state_dir: pathlib.Path, name: str, *, timeout: float = 20.0) -> None:
        if not NAME.fullmatch(name):
            raise Invalid(
                f"The world {name[:60]!r} cannot be: use 1 to 40 small letters, digits and hyphens, like 'india'.",
                field="world",
            )
        self.name = name
        self.path = state_dir / "schedulers" / f"{name}.db"
        self._timeout = timeout
        self._open: tuple[int, sqlite3.Connection] | None = None

    @contextlib.contextmanager
    def work(self) -> Iterator[Desk]:
        """One transaction that nobody else's work overlaps."""
        db = self._connection()
        db.execute("BEGIN IMMEDIATE")
        try:
            speed = db.execute("SELECT value FROM setting WHERE name = 'speed'").fetchone()
            yield Desk(self.name, db, time.time(), float(speed["value"]))
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _connection(self) -> sqlite3.Connection:
        pid = os.getpid()
        if self._open is None or self._open[0] != pid:  # SQLite forbids a connection to cross a fork
            if not self.path.exists():
                _make(self.path, self.name)
            self._open = (pid, _connect(self.path, self._timeout))
        return self._open[1]


def _connect(path: pathlib.Path, timeout: float) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    db.row_factory = _row
    db.execute("PRAGMA synchronous = NORMAL")
    return db


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    """A plain dict: sqlite3's own rows search all their names at each look."""
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


def _make(path: pathlib.Path, name: str) -> None:
    """Make a whole world beside its place and link it there, so that nobody ever sees half of one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if sum(1 for _ in path.parent.glob("*.db")) >= MOST_WORLDS:
        raise Rejected(f"There are {MOST_WORLDS} worlds already; use one of them or have one deleted.")
    draft = path.with_name(f".{name}-{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    try:
        with contextlib.closing(_connect(draft, 20.0)) as db:
            db.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {SCHEMA}")
            _seed(db, name)
            db.execute("COMMIT")
        with contextlib.suppress(FileExistsError):  # another process was quicker; its world is the same
            os.link(draft, path)
    finally:
        draft.unlink()


def _seed(db: sqlite3.Connection, name: str) -> None:
    nature, begun = catalogue.character(name), time.time() - HISTORY
    settings = {"speed": 1, "crowd": 0.65, "crowd_at": begun, "crowd_number": 0, "settled": begun, "look_at": None}
    limits = {"max_jobs": 5000, "max_bytes": 256 * 2**20}  # of each person
    db.executemany(
        "INSERT INTO setting VALUES (?, ?)", [(key, json.dumps(v)) for key, v in (settings | limits).items()]
    )
    db.executemany(
        "INSERT INTO queue (name, pool, max_walltime, default_walltime, max_nodes, priority, is_default)"
        " VALUES (:name, :pool, :max_walltime, :default_walltime, :max_nodes, :priority, :is_default)",
        map(dataclasses.asdict, nature.queues),
    )
    db.executemany(
        "INSERT INTO node (name, pool, cores, memory, gpus, properties) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (each, pool.name, pool.cores, pool.memory, pool.gpus, json.dumps(pool.properties))
            for pool in nature.pools
            for each in pool.names()
        ],
    )
    db.execute("INSERT INTO sqlite_sequence VALUES ('job', ?)", (FIRST_JOB,))
    store_person(db, USERNAME, PASSWORD)


# -- persons -------------------------------------------------------------------------------------------------


def store_person(db: sqlite3.Connection, login: str, password: str) -> None:
    """Have a person; the same login again gets a new password."""
    if not LOGIN.fullmatch(login):
        raise Rejected(f"{login[:40]!r} cannot be a login: small letters, digits, _ and - will do, like 'demo'.")
    salt = secrets.token_hex(8)
    db.execute("INSERT OR REPLACE INTO person VALUES (?, ?)", (login, f"{salt}${_scrypt(salt, password)}"))
    db.execute(
        "INSERT OR IGNORE INTO file (login, path, size, modified) VALUES (?, ?, 0, ?)",
        (login, home(login), time.time()),
    )


def home(login: str) -> str:
    return f"/home/{login}"


def matches(secret: str, password: str) -> bool:
    salt, _, wanted = secret.partition("$")
    return hmac.compare_digest(_scrypt(salt, password), wanted)


def _scrypt(salt: str, password: str) -> str:
    return hashlib.scrypt(password.encode(), salt=salt.encode(), n=1024, r=8, p=1).hex()
