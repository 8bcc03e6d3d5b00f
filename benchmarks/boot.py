"""From the click to the cloud: how much the portal adds to a bare Celery hop before the provider is asked."""

import statistics
import time

from django.conf import settings

from accounts.models import User
from benchmarks.bench import Row
from benchmarks.stage import process, quantile
from clouds import services
from clouds.drivers.simulator import control
from portal.standalone.children import wait_until
from projects.models import Project
from tests import factories

ROUNDS, WARM, GOAL = 40, 5, 50.0  # ms
WORKER = ("--pool", "threads", "--concurrency", "8", "--loglevel", "ERROR", "--without-gossip", "--without-mingle")


def main() -> list[Row]:
    from benchmarks import hop  # its broker is known only on the stage

    user = factories.make_user("bench")
    project = factories.make_project("bench", lead=user)
    world = factories.make_world(settings.STATE_DIR, f"bench-{int(time.time())}")
    factories.make_account(project, user, "bench", world=world.name)
    project.quotas.all().delete()
    with (
        process("celery", "-A", "portal", "worker", *WORKER),
        process("celery", "-A", "benchmarks.hop", "worker", *WORKER),
    ):
        boots, hops = [], []
        for _ in range(ROUNDS + WARM):
            hops.append(1000 * hop.once())
            boots.append(1000 * _boot(user, project, world))
    hop_ms, boot_ms = statistics.median(hops[WARM:]), statistics.median(boots[WARM:])
    extra = boot_ms - hop_ms
    return [
        Row(
            name=f"from the service call to the provider's first request (p95 {quantile(boots[WARM:], 0.95):.0f} ms), "
            "to a bare Celery hop",
            value=f"{boot_ms:.1f} ms",
            bound=f"{hop_ms:.1f} ms",
            ratio=f"+{extra:.1f} ms",
            goal=f"≤ +{GOAL:g} ms",
            met=extra <= GOAL,
        )
    ]


def _boot(user: User, project: Project, world: control.World) -> float:
    """Seconds from the call to the first request that the simulated cloud got for it."""
    began = time.time()
    services.boot_servers(actor=user, project=project)
    first: list[float] = []

    def asked() -> bool:
        first[:] = [row["at"] for row in control.requests(world) if row["at"] >= began and row["kind"] == "find"]
        return bool(first)

    assert wait_until(asked, seconds=30)
    time.sleep(0.5)  # the boot comes to its end, so that rounds do not meet
    return min(first) - began
