"""`cm vm label`, meta, resize, snapshot and info, and `cm image delete`: a whole portal behind them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


@pytest.fixture(scope="module")
def servers() -> str:
    return "shape[1-2]"


@pytest.fixture(autouse=True)
def booted(run: Run, servers: str) -> Iterator[None]:
    asked = run("vm", "boot", "--name", servers, "--cloud", "india", "--flavor", "m1.tiny", "--image", "cirros-0.6",
                "--label", "stage=trial", "--label", "tier=web")  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    yield
    run("vm", "delete", servers, "--yes")


def test_labels_are_booted_with_changed_and_found(run: Run, data: Data, servers: str) -> None:
    changed = data("vm", "label", servers, "stage=prod", "owner=ada", "tier-")
    assert [server["labels"] for server in changed] == [{"owner": "ada", "stage": "prod"}] * 2
    assert {each["name"] for each in data("vm", "list", "--label", "stage=prod", "--label", "owner")} == {
        "shape1",
        "shape2",
    }
    assert run("vm", "meta", "set", "shape1", "stage=night").returncode == 0
    assert run("vm", "meta", "delete", "shape1", "owner").returncode == 0
    listed = run("vm", "meta", "list", "shape*", "--format", "plain", "--no-header").stdout.splitlines()
    assert sorted(listed) == ["shape1\tstage\tnight", "shape2\towner\tada", "shape2\tstage\tprod"]
    assert "stage=night" in run("vm", "show", "shape1").stdout
    for words, said in (
        (("shape1", "cloudmesh_group=x"), "The portal itself writes the label cloudmesh_group"),
        (("shape1",), "Name servers first, then labels"),
        (("shape1", "ä=1", "b"), "Name servers first, then labels"),
    ):
        refused = run("vm", "label", *words)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr


def test_servers_are_resized_and_shown_whole(run: Run, data: Data, servers: str) -> None:
    resized = run("vm", "resize", servers, "m1.small", "--format", "json")
    assert resized.returncode == 0, resized.stderr
    assert {(each["flavor"], each["cores"], each["ram"], each["state"]) for each in data("vm", "list", servers)} == {
        ("m1.small", 1, 2048, "active")
    }
    again = run("vm", "resize", "shape1", "--size", "m1.small")
    assert (again.returncode, "has the flavor m1.small already" in again.stderr) == (5, True)
    table = run("vm", "info", "shape1", "--format", "plain").stdout.splitlines()
    assert "native.flavor.vcpus\t1" in table
    assert "labels.stage\ttrial" in table
    whole = data("vm", "info", "shape1")
    assert (whole["native"]["flavor"]["name"], whole["age_seconds"] < 60) == ("m1.small", True)
    assert run("vm", "resize").returncode == 2


def test_an_image_is_made_booted_from_and_deleted(run: Run, data: Data) -> None:
    [made] = data("vm", "snapshot", "shape1", "golden")
    assert (made["name"], made["own"], made["state"], made["login"]) == ("golden", True, "active", "cirros")
    assert [image["name"] for image in data("image", "list", "--own")] == ["golden"]
    assert run("vm", "boot", "--name", "child", "--image", "golden", "--cloud", "india").returncode == 0
    kept = run("image", "delete", "golden", input="n\n")
    assert (kept.returncode != 0, "golden" in kept.stderr) == (True, True)
    assert run("image", "delete", "golden", "--yes").returncode == 0
    assert data("image", "list", "--own") == []
    assert run("vm", "delete", "child", "--yes").returncode == 0
    refused = run("image", "delete", "cirros-0.6", "--yes", "--cloud", "india")
    assert (refused.returncode, "No image is named cirros-0.6" in refused.stderr) == (3, True), refused.stderr
