"""`import cloudmesh`: the overview's words and the flat ones, against a standalone portal."""

import ast
import asyncio
import concurrent.futures
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cloudmesh
from cloudmesh import errors
from cloudmesh.client import flat
from cloudmesh.client.mesh import Mesh
from cloudmesh.client.remote import execute

SNIPPET = """
import cloudmesh
mesh = cloudmesh.mesh("mongo")
username = cloudmesh.load().username()
mesh.activate(username)
image = mesh.image('india', 'futuregrid/ubuntu-14.04')
print(image)
"""


@pytest.fixture
def mesh(portal: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mesh]:
    """The mesh of a program that is started beside the portal."""
    monkeypatch.setenv("CLOUDMESH_STATE_DIR", str(portal))
    flat.shared.cache_clear()
    yield flat.shared()
    flat.shared().client.close()
    flat.shared.cache_clear()


@pytest.fixture
def server(mesh: Mesh) -> Iterator[Any]:
    """One that runs on india."""
    made = mesh.wait(mesh.start("india"), timeout=60)
    yield made
    mesh.delete(made["id"])


def python(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A program of its own, in a plain environment."""
    plain = {name: text for name, text in os.environ.items() if not name.startswith("CLOUDMESH_")}
    return subprocess.run(
        [sys.executable, "-c", code], env=plain | env, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_overviews_snippet_works_as_it_stands(portal: Path) -> None:
    ended = python(SNIPPET, CLOUDMESH_STATE_DIR=str(portal))
    assert ended.returncode == 0, ended.stderr
    image = ast.literal_eval(ended.stdout)
    assert (image["cloud"], image["name"], image["login"]) == ("india", "futuregrid/ubuntu-14.04", "ubuntu")
    assert image["native"]["name"] == "futuregrid/ubuntu-14.04"


def test_without_a_portal_it_says_what_to_do(tmp_path: Path) -> None:
    ended = python(SNIPPET, CLOUDMESH_STATE_DIR=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path))
    assert ended.returncode == 1
    assert "cloudmesh.errors.Unreachable: No portal is known. Start your own" in ended.stderr


def test_it_is_imported_without_what_it_may_need_later() -> None:
    ended = python("import sys, cloudmesh; print(*sys.modules)")
    loaded = set(ended.stdout.split())
    assert loaded.isdisjoint({"asyncio", "typing", "json", "socket", "click", "cloudmesh.client"})


def test_what_is_not_there_is_named_with_what_is_near(mesh: Mesh) -> None:
    with pytest.raises(errors.NotFound, match=r"india has no image ubuntu-24\.4\. Did you mean .*ubuntu-24\.04"):
        mesh.image("india", "ubuntu-24.4")
    with pytest.raises(errors.NotFound, match="Did you mean india"):
        mesh.flavor("indai", "m1.tiny")
    with pytest.raises(errors.NotAllowed, match="not as somebody"):
        mesh.activate("somebody")
    with pytest.raises(errors.Invalid, match="mongo"):
        cloudmesh.mesh("mango")
    with pytest.raises(AttributeError, match="mush"):
        cloudmesh.mush  # noqa: B018


def test_lists_are_dicts_by_cloud_and_id(mesh: Mesh) -> None:
    assert {"alamo", "india", "sierra"} <= mesh.clouds().keys()
    images = mesh.images("india")
    assert list(images) == ["india"]
    assert mesh.images(["india", "alamo"]).keys() == {"india", "alamo"}
    flavor = mesh.flavor("india", "m1.small")
    assert mesh.flavors("india")["india"][flavor["id"]]["ram"] == flavor["ram"] == 2048
    assert mesh.flavor("india", flavor["id"]) == mesh.flavor("india", flavor["provider_id"]) == flavor


def test_a_server_lives_in_plain_words(mesh: Mesh) -> None:
    expected = mesh.vmname()
    server = cloudmesh.vm.start("india")
    assert (server["name"], server["cloud"]) == (expected, "india")
    running = cloudmesh.vm.wait(server, timeout=60)
    assert (running["state"], running["native"]["name"]) == ("active", expected)
    assert running["id"] in mesh.servers("india")["india"]
    address = mesh.assign_public_ip(expected)
    assert cloudmesh.vm.ipaddress(expected) == address
    assert cloudmesh.vm.rename(server, f"{expected}-other")["name"] == f"{expected}-other"
    cloudmesh.vm.stop(server)
    assert cloudmesh.vm.wait(server, timeout=60)["state"] == "stopped"
    cloudmesh.vm.delete(server["id"])
    assert cloudmesh.vm.wait(server["id"], timeout=60)["state"] == "deleted"
    assert cloudmesh.vm.list(name=f"{expected}-other") == []


def test_a_defined_name_and_several_at_once(mesh: Mesh) -> None:
    one = mesh.start("india", prefix="sample", index=7, flavor="m1.medium")
    two, three = mesh.boot("india", count=2)
    try:
        assert (one["name"], one["flavor"]) == ("sample_7", "m1.medium")
        assert two["name"] != three["name"]
    finally:
        for server in (one, two, three):
            mesh.delete(server)


def test_defaults_are_those_of_the_web_and_of_cm(mesh: Mesh) -> None:
    before = cloudmesh.default()
    try:
        assert cloudmesh.default(cloud="india", flavor="m1.medium")["flavor"] == "m1.medium"
        assert '"m1.medium"' in cloudmesh.shell("default list --format json")
        cloudmesh.default({"cloud": {"india": {"image": "debian-12"}}})
        assert mesh.default("india", "image") == "debian-12"
        with pytest.raises(errors.NotFound, match="flavour"):
            mesh.default("india", "flavour")
    finally:
        cloudmesh.default({"cloud": {"india": {"flavor": "", "image": ""}}})
        cloudmesh.default(cloud=before["cloud"])


def test_what_one_has_used_and_may_have(mesh: Mesh) -> None:
    assert mesh.limits("india")["india"]["instances"].keys() >= {"used", "limit"}
    assert "instances" in {room["resource"] for room in mesh.quota()}
    assert all("core_hours" in row for row in mesh.usage(by="cloud"))
    assert cloudmesh.refresh("india").keys() == {"india"}
    person = cloudmesh.load()
    assert "india" in person.cloudnames()
    assert "india" in person.active()
    assert person.cloud("india")["driver"] == "simulator"
    assert person.default("india")["cloud"] == person.default()["cloud"]
    assert person.facts()["username"] == person.username()


def test_a_command_of_cm_answers_what_it_prints(mesh: Mesh, capfd: pytest.CaptureFixture[str]) -> None:
    assert "| india " in cloudmesh.shell("cloud list")
    assert cloudmesh.shell("vm list --format csv --columns name,state").startswith("name,state")
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("vm show no-such-server", errors.NotFound, "no server named"),
        ("vm lst", errors.Invalid, "Did you mean"),
        ("vm list 'x", errors.Invalid, "Close every quote"),
        ("", errors.Invalid, "Say a command"),
    ],
)
def test_a_command_that_fails_is_raised(mesh: Mesh, line: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        cloudmesh.shell(line)


def test_several_things_at_once(mesh: Mesh) -> None:
    async def talk() -> tuple[Any, ...]:
        async with cloudmesh.AsyncClient() as client:
            wish = await client.boot(cloud="india")
            ended = await client.wait(wish, timeout=60)
            names = [image["name"] async for image in client.images(cloud="india")]
            me, cloud = await asyncio.gather(client.me(), client.cloud("india"))
            await client.act("delete", wish["servers"])
            return ended["state"], "ubuntu-24.04" in names, me["username"], cloud["name"]

    with concurrent.futures.ThreadPoolExecutor(1) as own:  # a browser's tests leave an event loop behind
        told = own.submit(asyncio.run, talk()).result()
    assert told == ("succeeded", True, cloudmesh.load().username(), "india")


# -- ssh: a program of that name on the PATH says what it was asked ----------------------------------------------


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ssh"
    program.write_text('#!/bin/sh\nfor last; do :; done\n[ "$last" != fail ] || { echo no >&2; exit 3; }\necho "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def test_a_command_is_run_on_a_server_as_its_images_user(mesh: Mesh, ssh: None, server: Any) -> None:
    said = cloudmesh.vm.run(server, "uname -a")
    assert said.endswith(f"-l ubuntu -- {server['addresses'][0]} uname -a\n")
    assert "-l gregor --" in mesh.ssh_execute(server, "id", username="gregor")
    with pytest.raises(errors.CloudmeshError, match=f"{server['name']}: no") as failed:
        mesh.ssh_execute(server, "fail")
    assert failed.value.facts["exit_code"] == 3


@pytest.mark.parametrize(
    ("address", "username", "kind"), [("", "a", errors.Conflict), ("10.0.0.1", "-oX", errors.Invalid)]
)
def test_what_cannot_be_reached_is_not_tried(ssh: None, address: str, username: str, kind: type[Exception]) -> None:
    server = {"name": "a", "state": "building", "addresses": [address] if address else [], "public_addresses": []}
    with pytest.raises(kind):
        execute(server, "id", username, 5)
