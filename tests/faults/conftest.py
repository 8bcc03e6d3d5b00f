"""One stage for all fault tests of a process; `--full-faults` runs all of them and writes REPORT.md."""

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from operations.models import OPEN, Operation
from tests.faults import report, stage
from tests.faults.stage import Stage


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full-faults", action="store_true", help="all fault tests, then write tests/faults/REPORT.md")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full-faults", default=False):
        return
    long = [item for item in items if "long" in [word for mark in item.iter_markers("fault") for word in mark.args]]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if session.config.getoption("--full-faults", default=False) and exitstatus == 0:
        report.write()


@pytest.fixture(scope="session")
def _stage(django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    with django_db_blocker.unblock(), stage.opened() as opened:
        yield opened


@pytest.fixture(name="stage")
def entered_stage(_stage: Stage, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """The stage, with this process as its web; what a failed test leaves undone is nobody's any more."""
    with django_db_blocker.unblock(), _stage.entered():
        yield _stage
        Operation.objects.filter(state__in=OPEN).update(state="cancelled")
