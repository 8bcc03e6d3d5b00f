"""Files below one directory, through the commands of a login node."""

import os
import pathlib
import stat
import subprocess
from collections.abc import Iterator

import pytest

from cloudmesh.errors import Busy, DriverError, Full, Gone, Invalid, Rejected
from hpc.backends.files import ShellFiles
from hpc.backends.local import Local
from hpc.drivers import LONGEST_ANSWER, Answer, Shell
from tests.hpc.backends.conftest import Reach
from tests.hpc.backends.sshd import ME
from tests.hpc.files_contract import FilesContract


@pytest.fixture
def root(tmp_path: pathlib.Path) -> str:
    (tmp_path / "it's a root").mkdir()
    return str(tmp_path / "it's a root")


@pytest.fixture
def files(root: str) -> ShellFiles:
    return ShellFiles(Local(ME), root)


class TestHere(FilesContract):
    pass


class TestThroughSsh(FilesContract):
    @pytest.fixture
    def files(self, reach: Reach, root: str) -> ShellFiles:
        return ShellFiles(reach(), root)


class Says(Shell):
    """A login node that ends each command with an error."""

    login = ME

    def __init__(self, error: str) -> None:
        self._error = error

    def run(
        self, *command: str, given: bytes = b"", timeout: float | None = None, most: int = LONGEST_ANSWER
    ) -> Answer:
        return Answer(1, b"", self._error)


def test_modes_are_as_asked_whatever_the_umask(files: ShellFiles, root: str) -> None:
    files.write("secret", b"")
    files.write("script", b"", mode=0o755)
    files.make("directory")
    modes = [stat.S_IMODE(pathlib.Path(root, name).stat().st_mode) for name in ("secret", "script", "directory")]
    assert modes == [0o600, 0o755, 0o700]


def test_no_link_is_followed(files: ShellFiles, root: str, tmp_path: pathlib.Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("not for you")
    pathlib.Path(root, "way").symlink_to(outside)
    pathlib.Path(root, "file").symlink_to(outside / "secret")
    for call, path in (
        (files.read, "way/secret"),
        (files.read, "file"),
        (files.entries, "way"),
        (files.make, "way/new"),
        (files.remove, "way/secret"),
        (lambda path: files.write(path, b""), "way/new"),
        (lambda path: files.write(path, b""), "file"),
    ):
        with pytest.raises(Rejected, match=r"leads out|there already"):
            call(path)
    assert {entry.kind for entry in files.entries()} == {"link"}
    assert os.listdir(outside) == ["secret"]


def test_a_link_is_removed_and_not_what_it_leads_to(files: ShellFiles, root: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "kept").write_text("here")
    pathlib.Path(root, "link").symlink_to(tmp_path / "kept")
    pathlib.Path(root, "nowhere").symlink_to("no-such")
    files.remove("link")
    files.remove("nowhere")
    assert files.entries() == []
    assert (tmp_path / "kept").exists()


def test_the_root_may_be_reached_over_a_link(root: str, tmp_path: pathlib.Path) -> None:
    """As where /home is one; then schedulers tell paths as they really are."""
    (tmp_path / "home").symlink_to(root)
    files = ShellFiles(Local(ME), str(tmp_path / "home"))
    files.write("one", b"1")
    assert files.read(f"{tmp_path}/home/one").data == files.read(f"{root}/one").data == b"1"


def test_only_plain_files_are_read(files: ShellFiles, root: str) -> None:
    os.mkfifo(pathlib.Path(root, "pipe"))
    with pytest.raises(Rejected, match="no plain file"):
        files.read("pipe")
    assert [entry.kind for entry in files.entries()] == ["other"]


def test_names_of_any_bytes_come_back(files: ShellFiles, root: str) -> None:
    name = os.fsdecode(b"\xff\x80 \xc3")
    files.write(name, b"odd")
    assert [entry.name for entry in files.entries()] == [name]
    assert files.read(name).data == b"odd"
    assert os.listdir(os.fsencode(root)) == [b"\xff\x80 \xc3"]


def test_what_did_not_arrive_whole_is_not_kept(root: str) -> None:
    class Cuts(Local):
        """A connection that breaks in the middle of what is sent."""

        def run(self, *command: str, given: bytes = b"", timeout: float | None = None, most: int = 100) -> Answer:
            return super().run(*command, given=given[:3], timeout=timeout, most=most)

    with pytest.raises(Busy, match="did not arrive whole"):
        ShellFiles(Cuts(ME), root).write("one", b"whole")
    assert os.listdir(root) == []


@pytest.mark.parametrize("root", ["", "/", "//", "relative", "./x", "/a/../b"])
def test_a_root_is_an_absolute_path(root: str) -> None:
    with pytest.raises((Invalid, Rejected), match=r"\w+ \w+"):
        ShellFiles(Local(ME), root)


def test_a_root_that_is_not_there_is_gone(tmp_path: pathlib.Path) -> None:
    files = ShellFiles(Local(ME), str(tmp_path / "no-such"))
    for call in (files.entries, lambda: files.read("one"), lambda: files.write("one", b""), lambda: files.make("one")):
        with pytest.raises(Gone, match="not there"):
            call()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root meets permissions as somebody else")
def test_permissions_are_told_in_words(tmp_path: pathlib.Path) -> None:
    place = pathlib.Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    place.chmod(0o755)
    (place / "secret").write_text("root's")
    (place / "secret").chmod(0o600)
    files = ShellFiles(Local("nobody"), str(place))
    for call in (lambda: files.read("secret"), lambda: files.write("new", b""), lambda: files.remove("secret")):
        with pytest.raises(Rejected, match="permissions do not let you"):
            call()
    assert [entry.name for entry in files.entries()] == ["secret"]
    (place / "secret").unlink()
    place.rmdir()


@pytest.fixture
def small(tmp_path: pathlib.Path) -> Iterator[str]:
    """A disk of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", place], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield str(place)
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_full_and_nothing_is_left(small: str) -> None:
    files = ShellFiles(Local(ME), small)
    with pytest.raises(Full, match="The disk there is full"):
        files.write("big", bytes(200_000))
    assert os.listdir(small) == []


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ("cat: write error: Disk quota exceeded", Full, "quota there is used up"),
        ("mkdir: cannot create directory 'x': Read-only file system", Rejected, "read-only"),
        ("cat: '/x': Input/output error", Busy, "disk there has an error"),
        ("stat: cannot stat 'x': Stale file handle", Busy, "Try again"),
        ("something else", Rejected, "something else"),
        ("", Rejected, "ended with 1"),
        ("mkdir: cannot create directory 'No such file or directory: x': File exists", Rejected, "there already"),
    ],
)
def test_what_the_other_side_says_is_told_in_words(said: str, error: type[DriverError], words: str) -> None:
    with pytest.raises(error, match=words):
        ShellFiles(Says(said), "/home/alice").make("x")
