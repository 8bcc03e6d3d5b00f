"""What every benchmark here needs: the portal's real services, rounds of two things in turn, and a table."""

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the results: a measured value, its bound of the same run, and the goal for their ratio."""

    name: str
    value: str
    bound: str
    ratio: str
    goal: str
    met: bool | None = None

    def __str__(self) -> str:
        mark = "" if self.met is None else "yes" if self.met else "**no**"
        return f"| {self.name} | {self.value} | {self.bound} | {self.ratio} | {self.goal} | {mark} |"


HEAD = "| what | measured | bound | ratio | goal | met |\n|---|---|---|---|---|---|"


@contextlib.contextmanager
def portal() -> Iterator[None]:
    """PostgreSQL and Valkey of its own, the tables made, Django ready in this process."""
    from tests import services

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    os.environ.setdefault("CLOUDMESH_SECRET_KEY", "only for benchmarks")
    os.environ.setdefault("CLOUDMESH_KEYS", "bench:" + "A" * 43)
    os.environ.setdefault("CLOUDMESH_STANDALONE", "1")
    with services.environment():
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        try:
            yield
        finally:
            connections.close_all()


def in_turn(
    rounds: int, *works: Callable[[], object], before: Callable[[], object] = lambda: None
) -> list[list[float]]:
    """The seconds of each work in each round; the works take turns, so that noise meets all alike."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for taken, work in zip(times, works, strict=True):
            before()
            began = time.perf_counter()
            work()
            taken.append(time.perf_counter() - began)
    return times


def compare(name: str, mine: Sequence[float], bound: Sequence[float], goal: float) -> Row:
    """Medians side by side."""
    value, least = statistics.median(mine), statistics.median(bound)
    ratio = value / least
    return Row(
        name=name, value=_ms(value), bound=_ms(least), ratio=f"{ratio:.2f}×", goal=f"≤ {goal:g}×", met=ratio <= goal
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
