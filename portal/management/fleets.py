"""What the demonstration's projects have and had: clouds, quotas, servers that boot, and a month of usage."""

import datetime
import secrets
import subprocess
import sys
import uuid
from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from clouds import services as clouds
from clouds.models import CloudAccount
from portal.management import demo
from portal.management.commands.seed import connect_world
from projects import services as projects
from projects.models import Project, Role, Span

PAST = 30  # days of usage
MEMORY, DISK = 2048, 20  # MiB and GiB for each core


def make(row: list[str]) -> None:
    """Give one project what its row of `demo.FLEETS` says, unless it has clouds already.

    The servers are wishes like anybody's: the portal's worker boots them, at once or when it is started.
    """
    name, booted, worlds, limits = row
    project = Project.objects.get(name=name)
    if project.cloud_accounts.exists():
        return
    lead = User.objects.get(memberships__project=project, memberships__role=Role.LEAD)
    accounts = [_account(lead, project, world) for world in worlds.split()]
    for resource, limit in demo.numbers(limits).items():
        admin = User.objects.filter(is_superuser=True).earliest("date_joined")
        projects.set_quota(actor=admin, project=project, resource=resource, limit=limit)
    for number, (username, count) in enumerate(demo.numbers(booted).items()):
        user, account = User.objects.get(username=username), accounts[number % len(accounts)]
        clouds.boot_servers(actor=user, project=project, count=count, cloud=account.cloud.name)
        Span.objects.bulk_create(_past(user, account, count))


def _account(lead: User, project: Project, world: str) -> CloudAccount:
    """A project of its own in a simulated cloud, made as the owner of that cloud would, and registered."""
    password = secrets.token_hex(12)
    command = [sys.executable, "-m", "clouds.drivers.simulator", "--state-dir", str(settings.STATE_DIR), world]
    subprocess.run([*command, "account", project.name, "--password", password], cwd=settings.BASE_DIR, check=True)  # noqa: S603 - all our own
    return connect_world(lead, project, world, {"world": world, "username": project.name, "password": password})


def _past(user: User, account: CloudAccount, most: int) -> Iterator[Span]:
    """A month in which somebody worked on some days, for some hours; the same whenever it is made."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(PAST, 0, -1):
        busy = (day * 7 + sum(map(ord, user.username))) % 10 - 2  # hours
        if busy <= 0:
            continue
        begins = today - datetime.timedelta(days=day, hours=-8)
        cores = most * (1 + busy % 3)
        yield Span(
            project=account.project, user=user, scope=f"cloud:{account.pk}", label=account.cloud.name,
            object_id=uuid.uuid4(), cores=cores, ram=cores * MEMORY, disk=cores * DISK,
            begins_at=begins, ends_at=begins + datetime.timedelta(hours=busy),
        )  # fmt: skip
