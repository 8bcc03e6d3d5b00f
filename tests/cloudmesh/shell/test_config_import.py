"""`cm config` against a portal: files of other tools become clouds that work, keys and defaults."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudmesh import Client
from tests import factories
from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.terminal import terminal

pytestmark = pytest.mark.timeout(300)
SAMPLES = Path(__file__).parents[1] / "imports" / "samples"
SECRET = "s3cret-of-mine"
MINE = """
cloudmesh:
  active: [Lab]
  hpc: {username: gregor}
  projects: {default: elsewhere}
  keys:
    default: desk
    keylist: {desk: %(key)s, gone: ~/.ssh/nothing.pub}
  clouds:
    Lab:
      cm_type: simulator
      cm_heading: The lab
      credentials: {world: lab, username: demo, password: demo}
      default: {image: debian-12, flavor: m1.small, username: admin}
    wrong:
      cm_type: simulator
      credentials: {world: wrong, username: demo, password: %(secret)s}
      default: {image: debian-12}
    azure:
      cm_type: azure
      credentials: {subscriptionid: 1}
"""


@pytest.fixture
def client(portal: Path) -> Iterator[Client]:
    known = json.loads((portal / "portal.json").read_text())
    with Client(known["url"], known["token"]) as made:
        yield made


@pytest.fixture
def mine(tmp_path: Path, client: Client) -> Iterator[str]:
    """A file of 4.1 with a cloud that is right, one with a wrong password and one that cannot be."""
    (tmp_path / "desk.pub").write_text(factories.public_key("me@desk") + "\n")
    file = tmp_path / "cloudmesh.yaml"
    file.write_text(MINE % {"key": tmp_path / "desk.pub", "secret": SECRET})
    yield str(file)
    for name in {"lab", "lab2"} & {cloud["name"] for cloud in client.clouds()}:
        client.remove(name)
    for name in {"desk"} & {key["name"] for key in list(client.keys())}:
        client.delete_key(name)
    client.set_defaults(cloud="", key="")


def states(stdout: str) -> dict[tuple[str, str], str]:
    return {(row["kind"], row["name"]): row["state"] for row in json.loads(stdout)}


def test_a_file_is_shown_imported_and_the_second_time_nothing_is_done(run: Run, client: Client, mine: str) -> None:
    shown = run("config", "import", mine, "--dryrun", "--format", "json")
    assert shown.returncode == 0, shown.stderr
    planned = states(shown.stdout)
    assert planned == {
        ("key", "desk"): "new",
        ("key", "gone"): "left out",
        ("cloud", "lab"): "new",
        ("cloud", "wrong"): "new",
        ("cloud", "azure"): "left out",
        ("default", "cloud"): "new",
        ("default", "key"): "new",
        ("default", "project"): "left out",
        ("default", "image on lab"): "new",
        ("default", "flavor on lab"): "new",
        ("default", "login on lab"): "new",
        ("default", "image on wrong"): "new",
        ("section", "hpc"): "left out",
    }
    assert "lab" not in {cloud["name"] for cloud in client.clouds()}, "a dry run registers nothing"

    done = run("config", "import", mine, "--yes", "--format", "json")
    assert done.returncode == 1, "one cloud was refused"
    after = states(done.stdout)
    changed = {what: state for what, state in after.items() if planned[what] == "new"}
    assert {what for what, state in changed.items() if state != "done"} == {
        ("cloud", "wrong"),
        ("default", "image on wrong"),
    }
    assert (after["cloud", "wrong"], after["default", "image on wrong"]) == ("refused", "left out")
    [wrong] = [row for row in json.loads(done.stdout) if row["name"] == "wrong"]
    assert wrong["reason"]
    assert f"wrong: {wrong['reason']}" in done.stderr
    assert SECRET not in shown.stdout + shown.stderr + done.stdout + done.stderr

    clouds = {cloud["name"]: cloud for cloud in client.clouds()}
    assert (clouds["lab"]["state"], clouds["lab"]["label"], "wrong" in clouds) == ("active", "The lab", False)
    usual = {(row["key"], row["cloud"]): (row["value"], row["source"]) for row in client.defaults()}
    assert usual["cloud", None] == ("lab", "own")
    assert usual["key", None] == ("desk", "own")
    assert usual["image", "lab"] == ("debian-12", "own")
    assert usual["login", "lab"] == ("admin", "own")

    again = run("config", "import", mine, "--only", "Lab", "--yes", "--format", "json")
    assert (again.returncode, again.stderr) == (0, "Nothing is to be done.\n")
    assert set(states(again.stdout).values()) == {"there already"}
    assert states(again.stdout)["cloud", "lab"] == "there already"


def test_a_cloud_of_the_same_name_elsewhere_is_another(run: Run, mine: str) -> None:
    assert run("config", "import", mine, "--only", "Lab", "--yes").returncode == 0
    other = Path(mine).with_name("other.yaml")
    other.write_text(Path(mine).read_text().replace("world: lab,", "world: lab2,"))
    ended = run("config", "import", str(other), "--only", "lab", "--dryrun", "--format", "json")
    [row] = [row for row in json.loads(ended.stdout) if row["kind"] == "cloud"]
    assert row["state"] == "left out"
    assert "cm cloud alias lab" in row["reason"]


def test_missing_secrets_are_asked_for_and_not_shown(portal: Path, client: Client, mine: str) -> None:
    Path(mine).write_text(Path(mine).read_text().replace("password: demo", "password: TBD"))
    where = {"CLOUDMESH_STATE_DIR": str(portal)}
    with terminal("config", "import", mine, "--only", "lab", columns=200, **where) as screen:
        screen.until("in the project")
        assert "password" in screen.seen
        screen.type("y\n")
        screen.until("lab: Password of demo")
        screen.type("demo\n")
        assert screen.end() == 0, screen.seen
    assert client.cloud("lab")["state"] == "active"
    assert "demo\r\ndemo" not in screen.seen


def test_a_no_registers_nothing(portal: Path, client: Client, mine: str) -> None:
    with terminal("config", "import", mine, "--only", "lab", CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("in the project")
        screen.type("n\n")
        assert screen.end() == 1
    assert "lab" not in {cloud["name"] for cloud in client.clouds()}


def test_missing_secrets_come_from_a_file(run: Run, client: Client, mine: str) -> None:
    Path(mine).write_text(Path(mine).read_text().replace("password: demo", "password: TBD"))
    alone = run("config", "import", mine, "--only", "lab", "--yes")
    assert (alone.returncode, "--secret-file" in alone.stderr) == (1, True)
    wrong = run("config", "import", mine, "--only", "lab", "--yes", "--secret-file", "-", stdin=f"{SECRET}\n")
    assert (wrong.returncode, SECRET in wrong.stderr, "CLOUD.FIELD=VALUE" in wrong.stderr) == (2, False, True)
    ended = run("config", "import", mine, "--only", "lab", "--yes", "--secret-file", "-", stdin="lab.password=demo\n")
    assert ended.returncode == 0, ended.stderr
    assert client.cloud("lab")["state"] == "active"


@pytest.mark.parametrize(
    ("content", "words", "code"),
    [
        (b"cloudmesh:\n  clouds:\n    a: b: c\n", ("Line 3, column 9 of", "\n        a: b: c"), 2),
        (b"a" * 300_000, ("at most 256 KiB",), 2),
        (b"\0\0", ("binary",), 2),
        (b"hello", ("no file that can be imported",), 2),
    ],
)
def test_a_file_that_cannot_be_read_says_where(
    run: Run, tmp_path: Path, content: bytes, words: tuple[str, ...], code: int
) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    ended = run("config", "import", str(tmp_path / "x.yaml"))
    assert (ended.returncode, ended.stdout) == (code, "")
    assert [word for word in (*words, "x.yaml") if word not in ended.stderr] == []


def test_what_is_no_file_is_said_to_be_none(run: Run, tmp_path: Path) -> None:
    for path, word, code in ((tmp_path, "is a folder", 2), (tmp_path / "none.yaml", "no file", 3)):
        ended = run("config", "import", str(path))
        assert (ended.returncode, word in ended.stderr) == (code, True), ended.stderr


@pytest.mark.parametrize("sample", sorted(each.name for each in SAMPLES.iterdir() if "server" not in each.name))
def test_every_sample_is_shown_without_a_secret(run: Run, sample: str) -> None:
    ended = run("config", "import", str(SAMPLES / sample), "--dryrun")
    assert ended.returncode == 0, ended.stderr
    assert "sample-of-a" not in ended.stdout + ended.stderr


def test_what_belongs_together_is_read_together(run: Run) -> None:
    ended = run("config", "import", str(SAMPLES / "clouds.yaml"), "--dryrun", "--format", "json")
    india = next(row for row in json.loads(ended.stdout) if row["value"].startswith("openstack https://india"))
    assert india["missing"] == [], "secure.yaml beside it has the password"


def test_a_file_comes_from_standard_input_and_its_faults_name_it(run: Run, mine: str, tmp_path: Path) -> None:
    some = ("--only", "w*", "--dryrun", "--format", "json")
    ended = run("config", "import", "-", *some, stdin=Path(mine).read_text())
    assert set(states(ended.stdout)) == {("cloud", "wrong"), ("default", "image on wrong")}
    (tmp_path / "rc.sh").write_text("export OS_AUTH_URL=$(pass url)\n")
    broken = run("config", "import", str(tmp_path / "rc.sh"))
    assert (broken.returncode, f"{tmp_path}/rc.sh: Line 1" in broken.stderr) == (2, True)


def test_only_names_clouds_of_the_files(run: Run, mine: str) -> None:
    ended = run("config", "import", mine, "--only", "wrnog", "--dryrun")
    assert (ended.returncode, "Did you mean wrong" in ended.stderr) == (3, True)


def test_which_portal_is_talked_to_and_why(run: Run, portal: Path, client: Client) -> None:
    token = client.session.portal.token
    told = {row["key"]: row for row in json.loads(run("config", "show", "--format", "json").stdout)}
    assert (told["url"]["value"], told["url"]["source"]) == (client.session.portal.url, str(portal / "portal.json"))
    assert (told["profile"]["value"], told["token"]["value"]) == ("standalone", "set")
    assert (told["user"]["value"], told["project"]["value"]) == (client.me()["username"], client.me()["project"])
    env = run("config", "show", CLOUDMESH_URL=client.session.portal.url, CLOUDMESH_TOKEN=token)
    assert ("CLOUDMESH_URL" in env.stdout, "CLOUDMESH_TOKEN" in env.stdout, token in env.stdout) == (True, True, False)
    files = json.loads(run("config", "path", "--format", "json").stdout)
    assert str(portal / "portal.json") in [row["path"] for row in files if row["exists"]]


def test_without_its_portal_the_rest_is_shown(run: Run) -> None:
    ended = run("config", "show", CLOUDMESH_URL="http://127.0.0.1:9")
    assert (ended.returncode, "http://127.0.0.1:9" in ended.stdout, "warning" in ended.stderr) == (0, True, True)
