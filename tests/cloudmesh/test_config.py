"""Which portal is meant, from whatever says so."""

import json
import os
import stat
from pathlib import Path

import pytest

from cloudmesh.config import Portal, find_portal, profile_file, remember, standalone_file, standalone_portal
from cloudmesh.errors import CloudmeshError, Unreachable


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone and a person's folder where nothing is known yet."""
    monkeypatch.setenv("CLOUDMESH_HOME", str(tmp_path / "clone"))
    monkeypatch.delenv("CLOUDMESH_STATE_DIR", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def start_standalone() -> Portal:
    portal = Portal("http://127.0.0.1:8000", "cm_own", standalone_file())
    os.makedirs(os.path.dirname(standalone_file()))
    Path(standalone_file()).write_text(json.dumps({"url": portal.url, "token": portal.token}))
    return portal


def test_without_any_portal_it_is_said_how_to_get_one() -> None:
    with pytest.raises(Unreachable, match=r"make run.*cm login URL"):
        find_portal()


def test_the_last_login_is_remembered() -> None:
    path = remember(Portal("https://a.example", "cm_a"))
    remember(Portal("https://b.example", "cm_b"))
    assert find_portal() == Portal("https://b.example", "cm_b", path)


def test_a_login_is_readable_by_its_owner_only() -> None:
    path = remember(Portal("https://a.example", "cm_a"))
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert os.listdir(os.path.dirname(path)) == ["portal.json"]


def test_the_portal_of_the_clone_comes_before_a_login() -> None:
    remember(Portal("https://a.example", "cm_a"))
    own = start_standalone()
    assert find_portal() == own == standalone_portal()


def test_what_is_given_comes_before_everything() -> None:
    start_standalone()
    assert find_portal("https://c.example", "cm_c") == Portal("https://c.example", "cm_c")


def test_an_address_alone_takes_the_token_known_for_it_and_no_other() -> None:
    remember(Portal("https://a.example", "cm_a"))
    start_standalone()
    assert find_portal("https://a.example/").token == "cm_a"
    assert find_portal("https://c.example").token == ""


def test_a_token_alone_is_for_the_portal_that_is_known() -> None:
    start_standalone()
    assert find_portal(token="cm_c")[:2] == ("http://127.0.0.1:8000", "cm_c")


def test_advice_fits_the_kind_of_portal(home: Path) -> None:
    assert f"make -C {home / 'clone'} run" in start_standalone().how_to_start
    assert "cm login https://a.example" in Portal("https://a.example").how_to_sign_in


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": "http://a"}', "null"])
def test_a_broken_file_is_named(text: str) -> None:
    remember(Portal("https://a.example", "cm_a"))
    Path(profile_file()).write_text(text)
    with pytest.raises(CloudmeshError) as refused:
        find_portal()
    assert profile_file() in refused.value.message


def test_a_folder_that_cannot_be_written_is_named(home: Path) -> None:
    (home / "config").write_text("a file, no folder")
    with pytest.raises(CloudmeshError, match="XDG_CONFIG_HOME"):
        remember(Portal("https://a.example", "cm_a"))


def test_a_missing_home_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.delenv("HOME")
    assert os.path.isabs(profile_file())
