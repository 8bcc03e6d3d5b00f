"""One simulated cloud in one SQLite file, shared by every process and thread that opens it.

A commit survives `kill -9` of any process. Nothing runs in between: what a server will become, and when, is
written with the request that starts it, and the first request after that moment makes it so (`settle`).
"""

import contextlib
import dataclasses
import hashlib
import hmac
import json
import os
import pathlib
import random
import re
import secrets
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from clouds.drivers.simulator import catalogue

NAME = re.compile(r"[a-z0-9-]{1,40}")
MOST_WORLDS = 200  # in one state directory; a world is made by whoever names it
USERNAME, PASSWORD = "demo", "demo"  # the one account of a new world
CHANCE = random.SystemRandom()
Row = dict[str, Any]

SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE account (username TEXT PRIMARY KEY, secret TEXT NOT NULL, project TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE quota (project TEXT, resource TEXT, cap INTEGER, PRIMARY KEY (project, resource)) WITHOUT ROWID;
CREATE TABLE item (seq INTEGER PRIMARY KEY, kind TEXT, id TEXT, doc TEXT NOT NULL, UNIQUE (kind, id));
CREATE TABLE server (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL,
    token TEXT NOT NULL, image TEXT NOT NULL, image_name TEXT NOT NULL, login TEXT NOT NULL,
    flavor TEXT NOT NULL, flavor_name TEXT NOT NULL,
    cores INTEGER NOT NULL, ram INTEGER NOT NULL, disk INTEGER NOT NULL,
    key TEXT NOT NULL, groups TEXT NOT NULL, ports TEXT NOT NULL, metadata TEXT NOT NULL, user_data INTEGER NOT NULL,
    status TEXT NOT NULL, task TEXT, fault TEXT NOT NULL DEFAULT '',
    next_status TEXT, next_at REAL, next_fault TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL, updated REAL NOT NULL, booted REAL
);
CREATE INDEX server_changed ON server (project, updated);
CREATE INDEX server_alive ON server (project, cores, ram) WHERE status <> 'DELETED';
CREATE INDEX server_token ON server (token) WHERE token <> '';
CREATE INDEX server_moving ON server (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE key (
    project TEXT, name TEXT, public_key TEXT, fingerprint TEXT, PRIMARY KEY (project, name)
) WITHOUT ROWID;
CREATE TABLE security_group (id TEXT PRIMARY KEY, project TEXT, name TEXT, UNIQUE (project, name));
CREATE TABLE rule (
    security_group TEXT REFERENCES security_group ON DELETE CASCADE,
    protocol TEXT, first_port INTEGER, last_port INTEGER, cidr TEXT,
    PRIMARY KEY (security_group, protocol, first_port, last_port, cidr)
) WITHOUT ROWID;
CREATE TABLE address (id TEXT PRIMARY KEY, project TEXT NOT NULL, ip TEXT UNIQUE NOT NULL, server TEXT);
CREATE INDEX address_server ON address (server) WHERE server IS NOT NULL;
CREATE TABLE fault (
    id INTEGER PRIMARY KEY, kind TEXT, effect TEXT, remaining INTEGER, fraction REAL, delay REAL, text TEXT
);
CREATE TABLE request (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, kind TEXT, username TEXT, server TEXT, token TEXT, outcome TEXT
);
"""
#: What worlds that were made before did not have.
LATER = """
CREATE TABLE IF NOT EXISTS volume (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL,
    token TEXT NOT NULL, size INTEGER NOT NULL, metadata TEXT NOT NULL, server TEXT, device TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL, fault TEXT NOT NULL DEFAULT '', next_status TEXT, next_at REAL, created REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS volume_server ON volume (server) WHERE server IS NOT NULL;
CREATE TABLE IF NOT EXISTS reservation (
    token TEXT PRIMARY KEY, address TEXT REFERENCES address ON DELETE CASCADE
) WITHOUT ROWID;
"""


class CloudError(Exception):
    """An answer that is not a success, as HTTP would put it; 0 is a connection that never was."""

    def __init__(self, status: int, words: str, **facts: Any) -> None:
        super().__init__(words)
        self.status, self.words, self.facts = status, words, facts


@dataclasses.dataclass(frozen=True)
class Desk:
    """Where one piece of work on a world is done: inside one transaction, at one instant, for one project."""

    world: str
    db: sqlite3.Connection
    now: float
    project: str

    def setting(self, name: str) -> Any:
        found = self.db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return json.loads(found["value"]) if found else None

    def latency(self, kind: str) -> float:
        """How long this one will take; a kind without its own latency takes that of a start."""
        spans = self.setting("latency")
        return CHANCE.uniform(*spans.get(kind, spans["start"]))


class World:
    """One open world; for one thread at a time, whichever that is."""

    def __init__(self, state_dir: pathlib.Path, name: str, *, timeout: float = 20.0) -> None:
        if not NAME.fullmatch(name):
            raise CloudError(
                400, f"The world {name[:60]!r} cannot be: use 1 to 40 small letters, digits and hyphens, like 'india'."
            )
        self.name = name
        self.path = state_dir / "simulator" / f"{name}.db"
        self._timeout = timeout
        self._open: tuple[int, sqlite3.Connection] | None = None

    @contextlib.contextmanager
    def work(self, project: str = "") -> Iterator[Desk]:
        """One transaction that nobody else's work overlaps, with everything that is due settled."""
        db = self._connection()
        db.execute("BEGIN IMMEDIATE")
        try:
            desk = Desk(self.name, db, time.time(), project)
            _settle(desk)
            yield desk
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
    db.execute("PRAGMA foreign_keys = ON")
    db.executescript(LATER)
    return db


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    """A plain dict: sqlite3's own rows search all their names at each look."""
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


def _make(path: pathlib.Path, name: str) -> None:
    """Make a whole world beside its place and link it there, so that nobody ever sees half of one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if sum(1 for _ in path.parent.glob("*.db")) >= MOST_WORLDS:
        raise CloudError(403, f"There are {MOST_WORLDS} worlds already; use one of them or have one deleted.")
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
    nature = catalogue.character(name)
    db.execute("INSERT INTO setting VALUES ('latency', ?)", (json.dumps(dict(nature.latency)),))
    db.executemany("INSERT INTO quota VALUES ('', ?, ?)", nature.quota.items())
    db.executemany(
        "INSERT INTO item (kind, id, doc) VALUES (?, ?, ?)",
        [(kind, doc["id"], json.dumps(doc)) for kind, doc in catalogue.items(name)],
    )
    store_account(db, USERNAME, PASSWORD, USERNAME)


def _settle(desk: Desk) -> None:
    due = desk.db.execute(
        "UPDATE server SET status = next_status, fault = next_fault, updated = next_at,"
        " task = NULL, next_status = NULL, next_at = NULL, next_fault = ''"
        " WHERE next_at <= ?",
        (desk.now,),
    )
    if due.rowcount:
        desk.db.execute(
            "UPDATE address SET server = NULL WHERE server IS NOT NULL"
            " AND (SELECT status FROM server WHERE id = address.server) = 'DELETED'"
        )
        desk.db.execute(
            "UPDATE volume SET status = 'available', server = NULL, device = '', next_status = NULL, next_at = NULL"
            " WHERE server IS NOT NULL AND (SELECT status FROM server WHERE id = volume.server) = 'DELETED'"
        )
    desk.db.execute(
        "UPDATE volume SET status = next_status, next_status = NULL, next_at = NULL,"
        " server = CASE next_status WHEN 'in-use' THEN server END,"
        " device = CASE next_status WHEN 'in-use' THEN device ELSE '' END WHERE next_at <= ?",
        (desk.now,),
    )


# -- accounts ------------------------------------------------------------------------------------------------


def store_account(db: sqlite3.Connection, username: str, password: str, project: str) -> None:
    """Have an account; the same username again gets a new password or project."""
    salt = secrets.token_hex(8)
    db.execute(
        "INSERT OR REPLACE INTO account VALUES (?, ?, ?)", (username, f"{salt}${_scrypt(salt, password)}", project)
    )
    db.execute(
        "INSERT OR IGNORE INTO security_group VALUES (?, ?, 'default')",
        (secrets.token_hex(16), project),
    )


def matches(secret: str, password: str) -> bool:
    salt, _, wanted = secret.partition("$")
    return hmac.compare_digest(_scrypt(salt, password), wanted)


def _scrypt(salt: str, password: str) -> str:
    return hashlib.scrypt(password.encode(), salt=salt.encode(), n=1024, r=8, p=1).hex()
