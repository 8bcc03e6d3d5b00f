"""How many deliveries a second the live portal makes, against a plain hub, and how soon a browser hears of a change."""

import contextlib
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator

import redis
from django.conf import settings
from django.db import transaction

from accounts import services as accounts
from accounts.models import User
from activity import events, lifecycle
from activity.models import Event
from benchmarks import bench
from benchmarks.bench import Row
from benchmarks.plain import CHANNEL
from benchmarks.stage import cpu_seconds, process, quantile, serving
from projects.models import Project
from tests import factories

DELIVERIES = 20_000  # of one burst, shared out among the subscribers
ROUNDS, WARM = 9, 1
CHANGES = 100  # one at a time
GOAL, SOON = 0.7, 150.0  # of the bound's deliveries; ms

Burst = Callable[[int], float]  # makes that many events; when they were there to be told


class Crowd:
    """The clients of one server, in a process of their own."""

    def __init__(self, talk: subprocess.Popen[str], server: int) -> None:
        self._talk = talk
        self._server = server
        assert self._line() == "ready"

    def hears(self, count: int, burst: Burst) -> list[float]:
        """How many seconds after the events each client had heard them all."""
        assert self._talk.stdin
        print(count, file=self._talk.stdin, flush=True)
        assert self._line() == "waiting"
        began = burst(count)
        return [came - began for came in json.loads(self._line())]

    def measure(self, count: int, burst: Burst) -> tuple[float, float]:
        """Deliveries a second, and µs of the server's CPU for each."""
        used = cpu_seconds(self._server)
        waits = self.hears(count, burst)
        deliveries = count * len(waits)
        return deliveries / max(waits), 1e6 * (cpu_seconds(self._server) - used) / deliveries

    def _line(self) -> str:
        assert self._talk.stdout
        return self._talk.stdout.readline().strip()


def main() -> Iterator[Row]:
    user = factories.make_user("bench")
    project = factories.make_project("bench", lead=user)
    _, token = accounts.issue_token(user=user, name="bench")
    for size in (100, 1000):
        with (
            crowd("portal.asgi:application", size, token, project) as ours,
            crowd("benchmarks.plain:application", size, token, project) as plain,
        ):
            yield fan_out(size, ours, plain, project)
            yield latency(size, ours, project, user)


@contextlib.contextmanager
def crowd(application: str, size: int, token: str, project: Project) -> Iterator[Crowd]:
    with serving(application) as server:
        arguments = (str(server.port), str(size), token, project.topic)
        with process("benchmarks.crowd", *arguments) as talk:
            yield Crowd(talk, server.pid)


def fan_out(size: int, ours: Crowd, plain: Crowd, project: Project) -> Row:
    each = DELIVERIES // size
    turns = [(ours.measure(each, committed(project)), plain.measure(each, published)) for _ in range(ROUNDS + WARM)]
    (rate, cost), (bound, least) = (
        tuple(statistics.median(values) for values in zip(*rows, strict=True))
        for rows in zip(*turns[WARM:], strict=True)
    )
    return Row(
        name=f"WebSocket deliveries to {size:,} subscribers, to those of a plain ASGI hub",
        value=f"{rate:,.0f}/s, {cost:.1f} µs CPU each",
        bound=f"{bound:,.0f}/s, {least:.1f} µs",
        ratio=f"{rate / bound:.2f}×",
        goal=f"≥ {GOAL:g}×",
        met=rate / bound >= GOAL,
    )


def committed(project: Project) -> Burst:
    """Events of one transaction, measured from its commit: their numbering counts."""

    def burst(count: int) -> float:
        with stopwatch() as times:
            events.write(
                Event(topic=project.topic, kind="server", object_id=project.pk, verb="changed") for _ in range(count)
            )
        return times[0]

    return burst


def published(count: int) -> float:
    """The same messages as the last burst's, where the plain hub hears them; measured from before."""
    hints = events.since(events.last() - count)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        began = time.monotonic()
        for start in range(0, count, events.PORTION):
            client.publish(CHANNEL, json.dumps(hints[start : start + events.PORTION]))
        return began


def latency(size: int, ours: Crowd, project: Project, user: User) -> Row:
    def rename(_: int) -> float:
        with stopwatch() as times:
            lifecycle.change(project, actor=user, title=f"Bench {time.monotonic()}")
        return times[0]

    waits = [1000 * wait for _ in range(CHANGES) for wait in ours.hears(1, rename)]
    name = f"from a change's commit to its hint at {size:,} subscribers, p95 (p50 {quantile(waits, 0.5):.1f} ms)"
    return bench.at_most(name, round(quantile(waits, 0.95), 1), SOON, " ms")


@contextlib.contextmanager
def stopwatch() -> Iterator[list[float]]:
    """A transaction, and the time when it was committed."""
    times: list[float] = []
    with transaction.atomic():
        transaction.on_commit(lambda: times.append(time.monotonic()))
        yield times
