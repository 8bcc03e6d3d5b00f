"""The examples of the documents do what they say, on a portal as `make run` starts it."""

import concurrent.futures
import doctest
from pathlib import Path

import pytest

from cloudmesh.client import flat

GUIDES = Path(__file__).parents[3] / "docs/howto"


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "least"), [("python.md", 20), ("hpc.md", 8)])
def test_the_examples_of_the_guide_work(portal: Path, monkeypatch: pytest.MonkeyPatch, name: str, least: int) -> None:
    monkeypatch.setenv("CLOUDMESH_STATE_DIR", str(portal))
    flat.shared.cache_clear()
    told: list[str] = []
    guide = GUIDES / name
    examples = doctest.DocTestParser().get_doctest(guide.read_text(), {}, guide.name, str(guide), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:  # no event loop of another test runs there
            failed, tried = pool.submit(runner.run, examples, out=told.append, clear_globs=False).result()
    finally:
        if "mesh" in examples.globs:
            flat.default({"cloud": {"india": {"flavor": ""}}})
            flat.default(cloud="")
            examples.globs["mesh"].client.close()
        flat.shared().client.close()
        flat.shared.cache_clear()
    assert failed == 0, "".join(told)
    assert tried > least
