"""Fill an empty portal with what a person needs to begin: themselves, a project, simulated clouds and clusters."""

import getpass
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from accounts import services as accounts
from accounts.models import SshKey, User
from cloudmesh.errors import Conflict, Invalid
from clouds import services as clouds
from clouds.models import Cloud, CloudAccount
from clouds.sync import schedule
from hpc import services as hpc
from hpc.models import Identity, Scheduler
from hpc.sync import schedule as readings
from operations import engine
from projects import services as projects
from projects.models import Project

PROJECT = "sandbox"
SCHEDULER = "india"
CLUSTERS = {"india": [], "delta": ["delta*"]}
WORLDS = {"alamo": "Alamo, small and near", "india": "India, the large one", "sierra": "Sierra, far away"}


class Command(BaseCommand):
    help = "Fill a new portal with its owner, a project, simulated clouds and clusters; doing it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(is_superuser=True).order_by("date_joined").first() or self._owner()
        project = Project.objects.filter(name=PROJECT).first() or self._project(owner)
        for name, label in WORLDS.items():
            if not Cloud.objects.filter(name=name).exists():
                demo = {"world": name, "username": "demo", "password": "demo"}
                connect_world(owner, project, name, demo, label=label, shared=True)
                self.stdout.write(f"cloud {name}: {label}")
        if not Scheduler.objects.exists():
            connect_scheduler(owner, project)
            self.stdout.write(f"clusters {', '.join(CLUSTERS)}: simulated")

    def _owner(self) -> User:
        """The portal's first administrator, named like whoever runs it; with their public SSH keys."""
        name = re.sub(r"[^a-z0-9-]", "", getpass.getuser().lower()) or "me"
        owner = accounts.create_user(username=name, email=f"{name}@localhost", is_admin=True)
        for path in sorted(pathlib.Path("~/.ssh").expanduser().glob("id_*.pub")):
            self._key(owner, path)
        return owner

    def _key(self, owner: User, path: pathlib.Path) -> None:
        try:
            key: SshKey = accounts.add_ssh_key(actor=owner, name=path.stem, public_key=path.read_text())
        except (OSError, UnicodeDecodeError, Invalid, Conflict) as error:
            self.stderr.write(f"{path} is left out: {error}")
        else:
            self.stdout.write(f"key {key.name}: {key.fingerprint}")

    def _project(self, owner: User) -> Project:
        project = projects.create_project(name=PROJECT, lead=owner, title="Sandbox", actor=owner)
        projects.select_project(actor=owner, project=project)
        return project


def connect_world(
    actor: User, project: Project, name: str, credential: Mapping[str, str], *, label: str = "", shared: bool = False
) -> CloudAccount:
    """Register, verify and read a simulated cloud at once: no worker runs yet, and nothing here takes long."""
    with transaction.atomic():
        account, verify = clouds.register_account(
            actor=actor, project=project, name=name, driver="simulator", credential=credential, label=label,
            shared=shared,
        )  # fmt: skip
    engine.run(verify.pk)
    account = CloudAccount.objects.get(pk=account.pk)
    for sync in account.syncs.order_by("kind"):
        schedule.run(sync.pk)
    return account


def connect_scheduler(actor: User, project: Project) -> None:
    """Register, verify and read the simulated scheduler at once, shown as two clusters."""
    demo = {"world": SCHEDULER, "username": "demo", "password": "demo"}
    with transaction.atomic():
        scheduler, verify = hpc.register_scheduler(
            actor=actor, project=project, name=SCHEDULER, driver="simulator", way="simulator", credential=demo,
            label="Simulated", shared=True, identity=Identity.ONE, clusters=CLUSTERS,
        )  # fmt: skip
    engine.run(verify.pk)
    for sync in scheduler.syncs.order_by("-kind"):
        readings.run(sync.pk)
