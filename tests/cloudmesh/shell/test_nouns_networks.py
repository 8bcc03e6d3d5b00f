"""`cm secgroup`, `cm network` and `cm ip`, against a portal."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


def test_a_security_group_is_made_changed_and_deleted(run: Run, data: Data) -> None:
    made = data("secgroup", "create", "web1", "--rule", "ssh", "--rule", "tcp:80-90:10.0.0.0/8", "--cloud", "alamo")
    assert [(row["name"], row["group"], row["ports"]) for row in made] == [("ssh", "web1", "22"), ("", "web1", "80-90")]
    again = run("secgroup", "create", "web1", "--cloud", "alamo")
    assert (again.returncode, "cm secgroup rule add web1" in again.stderr) == (5, True)
    changed = data("secgroup", "rule", "add", "web1", "icmp", "udp:53:2001:db8::/32")
    assert [row["protocol"] for row in changed] == ["icmp", "tcp", "tcp", "udp"]
    asked = run("secgroup", "rule", "delete", "web1", "tcp:22")
    assert (asked.returncode, "add --yes" in asked.stderr) == (2, True)
    left = data("secgroup", "rule", "delete", "web1", "tcp:22", "--yes")
    assert "22" not in {row["ports"] for row in left}
    shown = data("secgroup", "show", "web1")
    assert (shown["owner"], len(shown["native"]["ingress"]), shown["opens"][0]) == ("root", 3, "icmp:0.0.0.0/0")
    asked = run("secgroup", "delete", "web*")
    assert (asked.returncode, "web1" in asked.stderr, "add --yes" in asked.stderr) == (2, True, True)
    assert run("secgroup", "delete", "web*", "-y").returncode == 0
    assert data("secgroup", "list", "web*") == []


def test_a_group_without_rules_is_listed(run: Run, data: Data) -> None:
    assert run("secgroup", "create", "closed", "--cloud", "sierra").returncode == 0
    assert [(row["group"], row["protocol"]) for row in data("secgroup", "list", "closed")] == [("closed", "")]
    assert run("secgroup", "delete", "closed", "-y").returncode == 0


@pytest.mark.parametrize(
    ("wanted", "said", "exit_code"),
    [
        (["secgroup", "create", "w", "--rule", "tpc:22"], "'tpc' is no protocol", 2),
        (["secgroup", "create", "w", "--rule", "tcp"], "names no ports", 2),
        (["secgroup", "create", "w", "--rule", "tcp:22:10.0.0.5/8"], "write 10.0.0.0/8 for the network", 2),
        (["secgroup", "create", "my group"], "cannot be a security group's name", 2),
        (["secgroup", "create", "w", "--cloud", "mars"], "mars", 3),
        (["secgroup", "show", "nothing"], "No security group is named nothing", 3),
        (["secgroup", "show", "default"], "3 security groups are named default (alamo, india, sierra)", 2),
        (["secgroup", "delete", "default", "--cloud", "india", "-y"], "default cannot be deleted", 1),
        (["secgroup", "rule", "add", "default", "--cloud", "india"], "RULES", 2),
        (["network", "show", "nowhere"], "No network is named nowhere", 3),
        (["ip", "create", "--count", "0"], "count must be between 1 and 50", 2),
        (["ip", "release", "192.0.2.9", "-y"], "No address is named 192.0.2.9", 3),
        (["ip", "release", "9.*", "-y"], "No unused address that you reserved matches 9.*", 3),
        (["ip", "assign", "nobody"], "no server named 'nobody'", 3),
    ],
)
def test_what_cannot_be_is_explained(run: Run, wanted: list[str], said: str, exit_code: int) -> None:
    answer = run(*wanted)
    assert (answer.returncode, said in answer.stderr) == (exit_code, True), answer.stderr


def test_networks_are_listed_and_shown(data: Data) -> None:
    rows = {row["name"]: row for row in data("network", "list", "--cloud", "india")}
    assert rows["india-storage"]["subnets"] == ["172.16.0.0/12"]
    assert (rows["india-public"]["external"], rows["india-public"]["usable"]) == (True, False)
    assert data("network", "show", "india-storage")["native"]["mtu"] == 1500


def test_addresses_are_reserved_given_taken_off_and_given_back(run: Run, data: Data) -> None:
    first, second = data("ip", "create", "--count", "2", "--cloud", "india")
    assert (first["used_by"], first["owner"]) == ("unused", "root")
    assert run("vm", "boot", "--name", "site", "--cloud", "india").returncode == 0
    assert data("ip", "assign", "site", first["address"])["public_addresses"] == [first["address"]]
    assert [row["used_by"] for row in data("ip", "list", "--used", "--cloud", "india")] == ["site"]
    refused = run("ip", "release", first["address"], "-y")
    assert (refused.returncode, "is used by site" in refused.stderr, "--force" in refused.stderr) == (5, True, True)
    assert run("ip", "release", "*", "--cloud", "india", "-y").returncode == 0
    assert [row["address"] for row in data("ip", "list", "--cloud", "india")] == [first["address"]]
    assert second["address"] != first["address"]
    assert data("ip", "unassign", "site")["public_addresses"] == []
    assert [row["used_by"] for row in data("ip", "list", "--unused", "--owner", "me")] == ["unused"]
    asked = run("ip", "release", first["address"])
    assert (asked.returncode, "unused" in asked.stderr, "add --yes" in asked.stderr) == (2, True, True)
    assert run("ip", "assign", "site", first["address"]).returncode == 0
    assert run("ip", "release", first["address"], "--force", "-y").returncode == 0
    assert data("ip", "list", "--cloud", "india") == []
    assert run("vm", "delete", "site", "--yes").returncode == 0
