"""Two things measured in turn, and the line of a table that says how they compare."""

import statistics
import time
from collections.abc import Callable, Sequence
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


def at_most(name: str, value: float, goal: float, unit: str = "") -> Row:
    """A value that has a goal of its own and no bound."""
    return Row(name=name, value=f"{value:g}{unit}", bound="", ratio="", goal=f"≤ {goal:g}{unit}", met=value <= goal)


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
