"""`cm image`, `cm flavor` and `cm key`, against a portal: one of them whole, and keys from where they are."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.terminal import terminal

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path, run: Run) -> Iterator[Path]:
    """A home with two public keys, a private one and something else."""
    ssh = tmp_path / ".ssh"
    ssh.mkdir()
    (ssh / "id_ed25519").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    for name in ("id_ed25519", "work"):
        (ssh / f"{name}.pub").write_text(factories.public_key(f"{name}@here") + "\n")
    (ssh / "odd.pub").write_text("nothing\n")
    yield tmp_path
    run("key", "delete", "work", "id_ed25519", "third", "--yes")
    run("default", "set", "key", "")


def test_one_image_and_one_flavor_are_shown_whole(run: Run, data: Data) -> None:
    image = data("image", "show", "ubuntu-24.04", "--cloud", "india")
    assert (image["name"], image["cloud"], bool(image["native"])) == ("ubuntu-24.04", "india", True)
    flavor = data("flavor", "show", "m1.small", "--cloud", "india")
    assert (flavor["cloud"], flavor["cores"] > 0, bool(flavor["native"])) == ("india", True, True)
    assert data("image", "show", image["id"])["id"] == image["id"]
    assert {each["name"] for each in data("flavor", "list", "m1.s*")} == {"m1.small"}
    several = run("flavor", "show", "m1.small")
    assert (several.returncode, "--cloud" in several.stderr) == (2, True)
    near = run("image", "show", "ubunut-24.04", "--cloud", "india")
    assert (near.returncode, "Did you mean ubuntu-24.04" in near.stderr) == (3, True)


def test_keys_are_added_from_where_they_are_and_deleted(run: Run, data: Data, home: Path) -> None:
    several = run("key", "add", HOME=str(home))
    assert (several.returncode, "Say which key" in several.stderr) == (2, True)
    assert run("key", "add", str(home / ".ssh/work.pub")).returncode == 0
    here = run("key", "list", "--ssh", "--format", "plain", HOME=str(home)).stdout
    lines = [line.split() for line in here.splitlines() if "/" in line]
    assert [(Path(line[0]).name, line[-1]) for line in lines] == [
        ("id_ed25519.pub", "id_ed25519@here"),
        ("work.pub", "work"),
    ]
    assert data("key", "default", "work")["name"] == "work"
    assert data("key", "show", "work")["is_default"] is True
    assert run("key", "show", "work", "--raw").stdout == (home / ".ssh/work.pub").read_text()
    asked = run("key", "delete", "work")
    assert (asked.returncode, "Forget this key?" in asked.stderr) == (2, True)
    assert run("key", "delete", "wor?", "--yes").returncode == 0
    assert run("key", "show", "work").returncode == 3


def test_one_of_several_keys_is_chosen(portal: Path, data: Data, home: Path) -> None:
    with terminal("key", "add", "--name", "third", CLOUDMESH_STATE_DIR=str(portal), HOME=str(home)) as screen:
        screen.until("q for none")
        screen.type("3\n")
        assert screen.end() == 0
    assert data("key", "show", "third")["comment"] == "work@here"


def test_a_folder_without_keys_says_how_to_make_one(run: Run, tmp_path: Path) -> None:
    ended = run("key", "add", HOME=str(tmp_path))
    assert (ended.returncode, "ssh-keygen" in ended.stderr) == (3, True)
    assert "No public keys" in run("key", "list", "--ssh", HOME=str(tmp_path)).stderr
    unreadable = run("key", "add", str(tmp_path))
    assert (unreadable.returncode, "cannot be read" in unreadable.stderr) == (2, True)
