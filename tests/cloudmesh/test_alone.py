"""What pip installs is the client alone: nothing of the portal, and its types."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
#: With what the libraries themselves need.
NEEDED = {"cloudmesh-portal", "click", "prompt-toolkit", "wcwidth", "pyyaml"}
PROGRAM = """
import asyncio

import cloudmesh
from cloudmesh.errors import CloudmeshError, NotFound


def first(cloud: str) -> str:
    mesh = cloudmesh.mesh()
    try:
        image = mesh.image(cloud, "ubuntu-24.04")
    except NotFound as error:
        return error.message
    servers = cloudmesh.vm.boot(cloud, count=2, image=image["name"])
    with cloudmesh.Client() as client:
        names: list[str] = [server["name"] for server in client.servers(state="active")]
    return cloudmesh.shell("vm list") + ", ".join(names) + str(servers[0]["id"])


async def second() -> int:
    async with cloudmesh.AsyncClient(timeout=10) as client:
        wish = await client.boot(count=2)
        await client.wait(wish, timeout=60)
        return len([server["name"] async for server in client.servers()])


def third() -> None:
    try:
        asyncio.run(second())
    except CloudmeshError as error:
        print(error.exit_code, error.facts)
"""


def run(*command: object, **env: str) -> str:
    ended = subprocess.run(
        [str(word) for word in command], cwd=env.pop("cwd", TOP), env={**_plain(), **env}, capture_output=True,
        text=True, timeout=110, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return ended.stdout


def _plain() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith(("CLOUDMESH_", "PYTHON"))}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment where pip installed the wheel and what it asks for."""
    home = tmp_path_factory.mktemp("alone")
    run(sys.executable, "-m", "venv", "--without-pip", home)
    made = home / "bin/python"
    run(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", made, wheel)
    return made


def test_the_wheel_holds_the_client_with_its_types_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"cloudmesh", "cloudmesh_portal"}
    assert "cloudmesh/py.typed" in names
    assert "cloudmesh/shell/vm/boot.py" in names


def test_it_brings_only_what_it_needs(python: Path) -> None:
    installed = run(python, "-c", "import importlib.metadata as m; print(*(d.name.lower() for d in m.distributions()))")
    assert set(installed.replace("_", "-").split()) == NEEDED
    wanted = run(python, "-m", "cloudmesh.shell", "--version", cwd=str(python.parent))
    assert wanted == run(python.parent / "cm", "--version") != ""


def test_everything_of_it_can_be_imported(python: Path) -> None:
    code = (
        "import importlib, pkgutil, cloudmesh\n"
        "for found in pkgutil.walk_packages(cloudmesh.__path__, 'cloudmesh.'):\n"
        "    name = found.name\n"
        "    name.endswith('__main__') or name == 'cloudmesh.wire' or importlib.import_module(name)\n"
        "print(cloudmesh.__file__)"
    )
    place = run(python, "-I", "-c", code)
    assert str(python.parents[1]) in place


def test_without_a_portal_it_says_what_to_do(python: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [python.parent / "cm", "vm", "list"], env={**_plain(), "XDG_CONFIG_HOME": str(tmp_path)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, "cm login URL" in ended.stderr) == (6, True)


def test_a_program_that_uses_it_passes_the_strictest_type_check(python: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    strict = ("-m", "mypy", "--strict", "--config-file", "", "--cache-dir", tmp_path / "cache")
    run(sys.executable, *strict, "--python-executable", python, program, cwd=str(tmp_path))
    program.write_text(PROGRAM.replace("timeout=10", "timeuot=10").replace("mesh.image(cloud", "mesh.imgae(cloud"))
    with pytest.raises(AssertionError, match=r"(?s)imgae.*timeuot"):
        run(sys.executable, *strict, "--python-executable", python, program, cwd=str(tmp_path))
