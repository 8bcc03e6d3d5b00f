"""`make` on machines that lack something, below a path with a space."""

import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]
TOOLS = ["awk", "cat", "cksum", "date", "dirname", "grep", "id", "make", "pwd", "rm", "sed", "sh", "test"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    clone = tmp_path / "a clone"
    clone.mkdir()
    shutil.copy(TOP / "Makefile", clone)
    shutil.copytree(TOP / "requirements", clone / "requirements")
    (clone / "pyproject.toml").touch()
    return clone


def make(clone: Path, target: str, python: str = "exit 1") -> str:
    """What people read after `make TARGET` where `python3` is a script like `python`."""
    tools = clone.parent / "bin"
    tools.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    (tools / "python3").write_text(f"#!/bin/sh\n{python}\n")
    (tools / "python3").chmod(0o755)
    environment = {"PATH": str(tools), "HOME": str(clone.parent)}
    run = subprocess.run(["make", target], cwd=clone, env=environment, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


def test_help_shows_every_target(clone: Path) -> None:
    phony = next(line for line in (TOP / "Makefile").read_text().splitlines() if line.startswith(".PHONY: "))
    targets = phony.removeprefix(".PHONY: ").split()
    shown = [line.split()[1] for line in make(clone, "help").splitlines() if line.startswith("  make ")]
    assert "run" in shown
    assert shown == targets


def test_no_python_that_is_new_enough_is_said_with_what_to_do(clone: Path) -> None:
    said = make(clone, "run")
    assert "The portal needs Python 3.11 or newer and found none. Install it with" in said
    assert "or name one: make run PYTHON=/path/to/python3" in said
    assert "Traceback" not in said


def test_a_python_without_venv_is_said_with_the_package(clone: Path) -> None:
    said = make(clone, "run", 'case "$*" in *ensurepip*) exit 1 ;; *sys.version_info\\[*) echo 3.12 ;; esac')
    assert "python3 3.12 comes without its venv module. Install it with" in said
    assert "python3.12-venv" in said
    assert not (clone / ".venv").exists()


def test_before_the_first_run_there_is_nothing_to_show(clone: Path) -> None:
    assert make(clone, "status") == "Nothing is installed here. Install and start it with: make run\n"


def test_before_the_first_run_there_is_nothing_to_stop(clone: Path) -> None:
    assert make(clone, "stop") == ""
