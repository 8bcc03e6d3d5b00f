"""What tests of the client and the shell share."""

from collections.abc import Iterator

import pytest

from tests.cloudmesh.speaker import Server


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()
