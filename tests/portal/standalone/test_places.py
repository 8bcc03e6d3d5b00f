import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.standalone import environment, places
from portal.standalone.identity import CannotRun
from portal.standalone.postgres import SHARED
from tests import services

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")


@pytest.fixture
def home() -> Iterator[Path]:
    with services.folder() as home:
        yield home


@pytest.fixture
def closed(home: Path) -> Iterator[Path]:
    """A folder that PostgreSQL's user cannot pass."""
    folder = home / "closed"
    folder.mkdir(mode=0o700)
    yield folder
    for origin in SHARED.glob(f"*/{places.ORIGIN}"):  # others' tests make such folders at the same time
        if Path(origin.read_text()).is_relative_to(home):
            shutil.rmtree(origin.parent)


def test_all_is_in_var_and_private(home: Path) -> None:
    here = places.make(home / "var")
    assert {here.run, here.database} == {home / "var/run", home / "var/postgres"}
    assert [path.stat().st_mode & 0o077 for path in (here.log, here.secrets)] == [0, 0]


@pytest.mark.parametrize("name", ["with a space", "long" * 30, "ümläut", "100%"])
def test_sockets_of_a_path_no_address_can_hold_are_elsewhere_and_stay_there(home: Path, name: str) -> None:
    var = home / name / "var"
    here = places.make(var)
    try:
        assert here.run.parent == Path("/tmp")
        assert len(str(here.run)) < 80
        assert (var / "run").resolve() == here.run
        assert places.make(var) == here
    finally:
        shutil.rmtree(here.run)


def test_a_link_to_a_folder_of_another_is_not_followed(home: Path) -> None:
    var = home / "with a space/var"
    var.mkdir(parents=True)
    (home / "open to all").mkdir(mode=0o777)
    (home / "open to all").chmod(0o777)
    (var / "run").symlink_to(home / "open to all")
    here = places.make(var)
    shutil.rmtree(here.run)
    assert here.run != home / "open to all"


def test_secrets_are_made_once_and_readable_by_their_owner_only(home: Path) -> None:
    here = places.make(home / "var")
    first, second = environment.variables(here), environment.variables(here)
    assert first == second
    assert len(first["CLOUDMESH_SECRET_KEY"]) > 50
    assert {path.stat().st_mode & 0o777 for path in here.secrets.iterdir()} == {0o600}


@only_root
def test_a_var_of_somebody_else_is_left_alone(home: Path) -> None:
    (home / "var").mkdir()
    os.chown(home / "var", 65534, 65534)
    with pytest.raises(CannotRun, match=r"belongs to nobody.*Run it as nobody"):
        places.make(home / "var")


@only_root
def test_below_a_closed_folder_the_cluster_is_elsewhere_and_the_folder_stays_closed(closed: Path) -> None:
    here = places.make(closed / "var")
    assert here.database.is_relative_to(SHARED)
    assert closed.stat().st_mode & 0o777 == 0o700
    assert (closed / "var/postgres").readlink() == here.database
    assert places.make(closed / "var").database == here.database
    shutil.rmtree(here.run)


@only_root
def test_a_moved_portal_finds_its_cluster_and_a_copied_one_does_not_take_it(closed: Path) -> None:
    first = places.make(closed / "var")
    shutil.rmtree(first.run)
    shutil.copytree(closed / "var", closed / "copy", symlinks=True)
    with pytest.raises(CannotRun, match=r"is a copy of .* without its database"):
        places.make(closed / "copy")
    shutil.rmtree(closed / "copy")
    (closed / "var").rename(closed / "moved")
    moved = places.make(closed / "moved")
    shutil.rmtree(moved.run)
    assert moved.database == first.database


@only_root
def test_a_cluster_made_before_the_folder_was_closed_moves(closed: Path) -> None:
    closed.chmod(0o711)
    here = places.make(closed / "var")
    here.database.mkdir(mode=0o700)
    (here.database / "PG_VERSION").write_text("18\n")
    closed.chmod(0o700)
    later = places.make(closed / "var")
    shutil.rmtree(later.run)
    assert later.database.is_relative_to(SHARED)
    assert (later.database / "PG_VERSION").read_text() == "18\n"
