"""The notebooks run from the first cell to the last, on a portal of their own; they are kept without outputs."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

TOP = Path(__file__).parents[3]
FOLDER = TOP / "notebooks"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def execute(portal: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The cells of a notebook with what each of them answered; a cell that fails is raised."""
    monkeypatch.setenv("CLOUDMESH_STATE_DIR", str(portal))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(portal / "ipython"))

    def run(name: str) -> Any:
        notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
        return NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(FOLDER)}}).execute()

    return run


def printed(notebook: Any) -> str:
    said = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in said)


def pictures(notebook: Any) -> int:
    said = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in said)


@pytest.mark.parametrize("name", ["api", "shell", "web"])
def test_a_notebook_is_kept_without_what_it_answered(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) > 5
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_the_notebook_of_the_api_runs(execute: Callable[[str], Any]) -> None:
    told = printed(execute("api"))
    assert "futuregrid/ubuntu-14.04" in told
    assert "'succeeded': 3" in told
    assert told.count("deleted") == 4


def test_the_notebook_of_the_shell_runs(execute: Callable[[str], Any]) -> None:
    told = printed(execute("shell"))
    assert "ended with 3" in told
    assert "hello from t00" in told
    assert "{'sample1': 'stopped', 'sample2': 'active', 'sample3': 'stopped'}" in told


@pytest.mark.browser
def test_the_notebook_of_the_web_runs(
    link: str, execute: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDMESH_LOGIN_LINK", link)
    assert pictures(execute("web")) == 5
