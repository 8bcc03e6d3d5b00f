"""Which portal is meant, from whatever says so."""

import json
import os
import stat
from pathlib import Path

import pytest

from cloudmesh import config
from cloudmesh.config import Portal, find_portal, logins, logins_file, standalone_file, standalone_portal
from cloudmesh.errors import CloudmeshError, Invalid, NotFound, Unreachable


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone and a person's folder where nothing is known yet."""
    monkeypatch.setenv("CLOUDMESH_HOME", str(tmp_path / "clone"))
    monkeypatch.delenv("CLOUDMESH_STATE_DIR", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def start_standalone() -> Portal:
    portal = Portal("http://127.0.0.1:8000", "cm_own", "standalone", standalone_file())
    os.makedirs(os.path.dirname(standalone_file()))
    write(standalone_file(), json.dumps({"url": portal.url, "token": portal.token}))
    return portal


def write(path: str, text: str, mode: int = 0o600) -> None:
    Path(path).write_text(text)
    os.chmod(path, mode)


def sign_in(letter: str, name: str = "") -> str:
    """Sign in to one of several portals; answers where the token is kept."""
    url = f"https://{letter}.example"
    return logins.remember(Portal(url, f"cm_{letter}", logins.name_for(url, name)))


def test_without_any_portal_it_is_said_how_to_get_one() -> None:
    with pytest.raises(Unreachable, match=r"cm server start.*cm login URL"):
        find_portal()


def test_the_last_login_is_chosen_and_those_before_stay() -> None:
    path = sign_in("a")
    sign_in("b", "work")
    assert find_portal() == Portal("https://b.example", "cm_b", "work", path)
    assert find_portal(profile="a.example") == Portal("https://a.example", "cm_a", "a.example", path)
    logins.choose("a.example")
    assert find_portal().token == "cm_a"


def test_who_signs_in_again_keeps_the_name_and_has_one_login() -> None:
    sign_in("a", "work")
    sign_in("a")
    assert list(config.read_logins().known) == ["work"]


def test_a_forgotten_login_is_not_silently_another() -> None:
    sign_in("a")
    sign_in("b")
    logins.forget("b.example")
    with pytest.raises(Unreachable, match=r"cm login --use a\.example"):
        find_portal()
    assert "cm_b" not in Path(logins_file()).read_text()


def test_the_one_login_of_an_older_cm_goes_on_to_work() -> None:
    os.makedirs(os.path.dirname(logins_file()))
    write(logins_file(), json.dumps({"url": "https://a.example:8443/mesh", "token": "cm_a"}))
    assert find_portal()[:3] == ("https://a.example:8443/mesh", "cm_a", "a.example-8443")
    sign_in("b")
    assert find_portal(profile="a.example-8443").token == "cm_a"


def test_a_login_is_readable_by_its_owner_only() -> None:
    path = sign_in("a")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert os.listdir(os.path.dirname(path)) == ["portal.json"]


def test_a_file_that_others_can_read_is_told() -> None:
    os.chmod(sign_in("a"), 0o640)
    told: list[str] = []
    assert find_portal(warn=told.append).token == "cm_a"
    assert [f"chmod 600 {logins_file()}" in text for text in told] == [True]


def test_the_portal_of_a_new_clone_comes_before_a_login() -> None:
    sign_in("a")
    own = start_standalone()
    assert find_portal() == own == standalone_portal() == find_portal(profile="standalone")
    assert [portal.profile for portal in config.portals()] == ["standalone", "a.example"]


def test_what_was_chosen_in_a_clone_comes_before_its_own_portal_there_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_standalone()
    sign_in("a")
    assert find_portal().token == "cm_a"
    monkeypatch.setenv("CLOUDMESH_HOME", str(home / "another clone"))
    start_standalone()
    assert find_portal().token == "cm_own"
    monkeypatch.setenv("CLOUDMESH_HOME", str(home / "clone"))
    logins.choose("standalone")
    assert find_portal().token == "cm_own"


def test_what_is_given_comes_before_everything() -> None:
    start_standalone()
    assert find_portal("https://c.example", "cm_c") == Portal("https://c.example", "cm_c")


def test_an_address_alone_takes_the_token_known_for_it_and_no_other() -> None:
    sign_in("a")
    start_standalone()
    assert find_portal("https://a.example/").token == "cm_a"
    assert find_portal("https://c.example").token == ""


def test_a_token_alone_is_for_the_portal_that_is_known() -> None:
    start_standalone()
    assert find_portal(token="cm_c")[:2] == ("http://127.0.0.1:8000", "cm_c")


def test_an_address_and_a_name_are_one_too_many() -> None:
    with pytest.raises(Invalid, match="not both"):
        find_portal("https://a.example", profile="work")


def test_an_unknown_name_is_told_with_those_near() -> None:
    sign_in("a", "chameleon")
    with pytest.raises(NotFound, match="Did you mean chameleon"):
        find_portal(profile="chamaeleon")
    with pytest.raises(NotFound, match="cm server start"):
        find_portal(profile="standalone")


@pytest.mark.parametrize("name", ["standalone", "a b", "-x", "../x", "x" * 65, "ü"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="profile's name"):
        logins.name_for("https://a.example", name)


def test_advice_fits_the_kind_of_portal() -> None:
    own = start_standalone()
    assert "cm server start" in own.how_to_start
    assert "cm server start" in own.how_to_sign_in
    assert Portal("https://a.example", profile="work").how_to_sign_in.endswith(
        "cm login https://a.example --profile work"
    )
    assert "CLOUDMESH_TOKEN" in Portal("https://a.example", "cm_b").how_to_sign_in
    assert "CLOUDMESH_TOKEN" in find_portal(token="cm_b").how_to_sign_in


def test_a_token_is_never_printed_with_its_portal() -> None:
    assert "cm_a" not in repr(Portal("https://a.example", "cm_a"))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "line 1, column 1"),
        ('{\n "url": ]', "line 2, column 9"),
        ("[]", "no object"),
        ('{"url": "http://a"}', "token is missing"),
        ("null", "no object"),
        ('{"profiles": []}', "profiles is of the wrong kind"),
        ('{"profiles": {"a": 1}}', "the profile a"),
        ('{"profiles": {"a": {"token": "x"}}}', "url is missing"),
        ('{"profiles": {}, "instead_of": 1}', "instead_of is of the wrong kind"),
    ],
)
def test_a_broken_file_is_named_with_the_place(text: str, where: str) -> None:
    write(sign_in("a"), text)
    with pytest.raises(CloudmeshError) as refused:
        find_portal()
    assert logins_file() in refused.value.message
    assert where in refused.value.message


def test_a_folder_that_cannot_be_written_is_named(home: Path) -> None:
    (home / "config").write_text("a file, no folder")
    with pytest.raises(CloudmeshError, match="XDG_CONFIG_HOME"):
        sign_in("a")


def test_a_missing_home_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.delenv("HOME")
    assert os.path.isabs(logins_file())


def test_nobodys_home_is_said_when_something_is_to_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    with pytest.raises(CloudmeshError, match="Set HOME"):
        sign_in("a")
    assert not Path("relative").exists()
