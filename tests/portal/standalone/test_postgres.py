"""A cluster of its own for each test that hurts it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from portal.standalone import processes
from portal.standalone.children import Child, wait_until
from portal.standalone.identity import CannotRun
from portal.standalone.postgres import DURABLE, Postgres
from tests import services


@pytest.fixture
def home() -> Iterator[Path]:
    with services.folder() as home:
        yield home


@pytest.mark.django_db
def test_the_application_is_no_superuser() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False, False)


def test_only_the_one_who_runs_it_comes_in_and_only_by_the_socket(home: Path) -> None:
    with services.postgres(home) as cluster, cluster.connect() as session:
        assert session.execute("SHOW listen_addresses").fetchone() == ("",)
        rules = session.execute("SELECT type, auth_method FROM pg_hba_file_rules").fetchall()
        assert rules == [("local", "peer")]
        with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            psycopg.connect(host=str(cluster.sockets), user="postgres", dbname="postgres")


def test_text_sorts_and_folds_the_same_on_every_system(home: Path) -> None:
    with services.postgres(home) as cluster, psycopg.connect(cluster.url()) as session:
        assert session.execute("SELECT lower('ÄÉΣ'), 'a' < 'B'").fetchone() == ("äéσ", False)


@pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL refuses root, and root only")
def test_under_root_it_runs_as_somebody_without_privileges(home: Path) -> None:
    with services.postgres(home) as cluster, cluster.connect() as session:
        pid = session.execute("SELECT pg_backend_pid()").fetchone()
        assert pid
        assert cluster.account
        assert Path(f"/proc/{pid[0]}").stat().st_uid == cluster.account.uid
        assert cluster.data.stat().st_mode & 0o777 == 0o700


def test_what_was_committed_is_there_after_the_postmaster_is_killed(home: Path) -> None:
    log = home / "log"
    with services.postgres(home) as cluster:
        pass  # make it
    first = Child(cluster.command(DURABLE), log)
    assert wait_until(cluster.answers, seconds=30)
    with psycopg.connect(cluster.url()) as session:
        session.execute("CREATE TABLE wishes AS SELECT 'kept' AS word")
    os.kill(first.pid, signal.SIGKILL)
    first.wait(10)
    with services.running(cluster.command(DURABLE), log) as second:
        assert wait_until(lambda: cluster.answers() or not second.is_alive, seconds=30), second.last_words()
        with psycopg.connect(cluster.url()) as session:
            assert session.execute("SELECT word FROM wishes").fetchone() == ("kept",)


def test_a_strangers_process_number_in_the_lock_does_not_keep_it_from_starting(home: Path) -> None:
    with services.postgres(home) as cluster:
        lock = (cluster.data / "postmaster.pid").read_text().splitlines()
        cluster.clear_stale_lock()
        assert (cluster.data / "postmaster.pid").exists(), "the lock of a running server stays"
    stranger = str(os.getppid() if cluster.account is None else os.getpid())
    (cluster.data / "postmaster.pid").write_text("\n".join([stranger, *lock[1:]]))
    assert processes.born(int(stranger))
    cluster.clear_stale_lock()
    assert not (cluster.data / "postmaster.pid").exists()


def test_a_cluster_half_made_by_a_kill_is_made_anew(home: Path) -> None:
    (home / "data.new").mkdir()
    (home / "data.new/PG_VERSION").write_text("18\n")
    with services.postgres(home) as cluster:
        assert cluster.answers()
    assert not (home / "data.new").exists()


def test_the_data_of_another_release_are_named_and_left_alone(home: Path) -> None:
    (home / "data").mkdir()
    (home / "data/PG_VERSION").write_text("17\n")
    cluster = Postgres(data=home / "data", sockets=home / "pg", programs=home)
    with pytest.raises(CannotRun, match=r"made by PostgreSQL 17 and this portal brings 18\. Dump it"):
        cluster.prepare(home / "log")
