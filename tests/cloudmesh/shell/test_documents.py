"""The examples of the documents do what they say, on a portal as `make run` starts it."""

import concurrent.futures
import doctest
from pathlib import Path

import pytest

from cloudmesh.client import flat

GUIDE = Path(__file__).parents[3] / "docs/howto/python.md"


def test_the_examples_of_the_guide_work(portal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDMESH_STATE_DIR", str(portal))
    flat.shared.cache_clear()
    told: list[str] = []
    examples = doctest.DocTestParser().get_doctest(GUIDE.read_text(), {}, GUIDE.name, str(GUIDE), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:  # no event loop of another test runs there
            failed, tried = pool.submit(runner.run, examples, out=told.append, clear_globs=False).result()
    finally:
        flat.default({"cloud": {"india": {"flavor": ""}}})
        flat.default(cloud="")
        examples.globs["mesh"].client.close()
        flat.shared().client.close()
        flat.shared.cache_clear()
    assert failed == 0, "".join(told)
    assert tried > 20
