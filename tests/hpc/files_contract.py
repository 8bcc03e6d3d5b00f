"""What files at a cluster must do, whether a login node keeps them or a simulated scheduler."""

import datetime
import os

import pytest

from cloudmesh.errors import Gone, Invalid, Rejected
from hpc.drivers import LONGEST_FILE, Files

ODD = [
    "a b",
    "-rf",
    "; touch canary",
    "$(touch canary)",
    "`id`",
    "'\"\\",
    "two\nlines",
    "end\n",
    "ü☃",
    "*",
    "~",
    "x" * 255,
]


class FilesContract:
    """Needs the fixtures `files`, in an empty directory, and `root`, its path."""

    def test_what_was_written_is_read(self, files: Files) -> None:
        files.write("one", b"\x00\xff\n in it")
        part = files.read("one")
        assert (part.data, part.offset, part.size) == (b"\x00\xff\n in it", 0, 9)
        assert abs(datetime.datetime.now(datetime.UTC) - part.modified) < datetime.timedelta(minutes=2)

    def test_nothing_is_a_file_too(self, files: Files) -> None:
        files.write("empty", b"")
        assert files.read("empty")[:3] == (b"", 0, 0)

    @pytest.mark.parametrize(
        ("offset", "most", "data", "start"),
        [
            (0, 4, b"0123", 0),
            (7, 100, b"789", 7),
            (10, 5, b"", 10),
            (20, 5, b"", 20),
            (-3, 2, b"78", 7),
            (-99, 3, b"012", 0),
            (3, 0, b"", 3),
        ],
    )
    def test_a_part_is_read(self, files: Files, offset: int, most: int, data: bytes, start: int) -> None:
        files.write("digits", b"0123456789")
        assert files.read("digits", offset=offset, most=most)[:3] == (data, start, 10)

    def test_a_file_is_written_once(self, files: Files) -> None:
        files.write("one", b"first")
        with pytest.raises(Rejected, match="there already"):
            files.write("one", b"second")
        assert files.read("one").data == b"first"
        assert [entry.name for entry in files.entries()] == ["one"]

    def test_much_is_written_and_too_much_is_not(self, files: Files) -> None:
        much = os.urandom(3_000_000)
        files.write("much", much)
        assert files.read("much").data == much
        with pytest.raises(Rejected, match="at most"):
            files.write("more", bytes(LONGEST_FILE + 1))

    @pytest.mark.parametrize("name", ODD)
    def test_a_name_is_only_a_name(self, files: Files, name: str) -> None:
        files.make(name)
        files.write(f"{name}/{name}", b"kept")
        assert files.read(f"{name}/{name}").data == b"kept"
        assert [entry.name for entry in files.entries()] == [name]
        files.remove(name)
        assert files.entries() == []

    def test_directories_are_listed_with_what_is_in_them(self, files: Files) -> None:
        files.make("b")
        files.make("b/inside")
        files.write("a", b"12345")
        files.write(".hidden", b"")
        assert [(entry.name, entry.kind) for entry in files.entries()] == [
            (".hidden", "file"),
            ("a", "file"),
            ("b", "directory"),
        ]
        assert files.entries()[1].size == 5
        assert [entry.name for entry in files.entries("b")] == ["inside"]
        assert files.entries("b/inside") == []

    def test_a_directory_is_made_once_and_in_one_that_is_there(self, files: Files) -> None:
        files.make("one")
        with pytest.raises(Rejected, match="there already"):
            files.make("one")
        with pytest.raises(Gone, match="not there"):
            files.make("no/such")

    def test_a_tree_is_removed_and_once_is_enough(self, files: Files) -> None:
        files.make("tree")
        files.make("tree/branch")
        files.write("tree/branch/leaf", b"")
        files.write("other", b"stays")
        files.remove("tree")
        files.remove("tree")
        files.remove("no/such/thing")
        assert [entry.name for entry in files.entries()] == ["other"]
        files.remove("other")
        assert files.entries() == []

    @pytest.mark.parametrize("path", ["", ".", "/", "./", "ROOT", "ROOT/"])
    def test_the_root_itself_is_nothing_to_change(self, files: Files, root: str, path: str) -> None:
        files.write("one", b"")
        for change in (files.remove, files.make, lambda path: files.write(path, b"")):
            with pytest.raises(Rejected, match=r"\w+ \w+"):
                change(path.replace("ROOT", root))
        assert [entry.name for entry in files.entries(root)] == ["one"]

    def test_an_absolute_path_in_it_is_the_same(self, files: Files, root: str) -> None:
        files.write(f"{root}/one", b"1")
        assert files.read("one").data == files.read(f"{root}//./one").data == b"1"
        files.remove(f"{root}/one")
        assert files.entries() == []

    @pytest.mark.parametrize("path", ["..", "../one", "a/../../one", "/etc/passwd", "ROOT/../one", "ROOTx/one", "/"])
    def test_no_path_leads_out(self, files: Files, root: str, path: str) -> None:
        calls = (files.read, files.remove, files.make, files.entries, lambda path: files.write(path, b""))
        for call in calls:
            with pytest.raises(Rejected, match=r"\w+ \w+"):
                call(path.replace("ROOT", root))

    def test_what_is_not_there_is_gone(self, files: Files) -> None:
        for call in (files.read, files.entries, lambda path: files.write(f"{path}/new", b"")):
            with pytest.raises(Gone, match="not there"):
                call("no-such-thing")

    def test_a_directory_is_no_file_and_a_file_no_directory(self, files: Files) -> None:
        files.make("directory")
        files.write("file", b"")
        for call, path in ((files.read, "directory"), (files.entries, "file"), (files.make, "file/new")):
            with pytest.raises(Rejected, match=r"\w+ \w+"):
                call(path)

    @pytest.mark.parametrize("path", ["x" * 256, "y/" * 3000, "a\0b"])
    def test_what_is_no_path_is_rejected_in_words(self, files: Files, path: str) -> None:
        for call in (files.read, files.make, files.remove):
            with pytest.raises((Rejected, Invalid), match=r"\w+ \w+"):
                call(path)
