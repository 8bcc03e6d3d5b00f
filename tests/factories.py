"""People, projects and clouds for tests: made as the portal makes them, on a simulated cloud without latency.

The fixtures are one small story: `member` works in `project`, which `lead` leads and which has the cloud `account`
(the simulated `india`); `stranger` works elsewhere. `work` does what a worker would.
"""

import base64
import concurrent.futures
import datetime
import itertools
import struct
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from accounts import secrets
from accounts import services as people
from accounts.models import SshKey, User
from activity import lifecycle
from cloudmesh.types import JobState, ServerState
from clouds import services
from clouds.drivers.simulator import control
from clouds.models import CloudAccount, Flavor, Image, Server, Volume
from clouds.sync import schedule
from hpc.models import Cluster, Job, Scheduler
from operations import engine
from operations.models import RUNNABLE, CredentialState, Operation
from projects import services as projects
from projects.models import Project, Role

Result = TypeVar("Result")

PASSWORD = "correct horse battery staple"
LONG_AGO = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
numbers = itertools.count(1)


# -- people and projects ---------------------------------------------------------------------------------------


def make_user(username: str = "", *, is_admin: bool = False, password: str | None = None) -> User:
    username = username or f"user{next(numbers)}"
    return people.create_user(username=username, email=f"{username}@example.org", password=password, is_admin=is_admin)


def make_project(name: str = "", *, lead: User, members: tuple[User, ...] = ()) -> Project:
    project = projects.create_project(name=name or f"project{next(numbers)}", lead=lead, actor=lead)
    for user in members:
        projects.add_member(actor=lead, project=project, user=user, role=Role.MEMBER)
    return project


def make_key(user: User, name: str = "laptop") -> SshKey:
    return people.add_ssh_key(actor=user, name=name, public_key=public_key(f"{user.username}@{name}"))


def public_key(comment: str = "") -> str:
    """A public key of the right form; each call another one."""
    kind, body = b"ssh-ed25519", next(numbers).to_bytes(32)
    blob = struct.pack(">I", len(kind)) + kind + struct.pack(">I", len(body)) + body
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} {comment}".strip()


# -- schedulers ------------------------------------------------------------------------------------------------


def make_scheduler(project: Project, owner: User, name: str = "india", **more: Any) -> Scheduler:
    """A verified scheduler that is shown as one cluster of its name, or as `clusters`: names with their queues."""
    clusters = more.pop("clusters", {name: []})
    facts = {"driver": "simulator", "way": "simulator", "state": CredentialState.ACTIVE, **more}
    scheduler = Scheduler(name=name, project=project, owner=owner, **facts)
    scheduler.credential = secrets.seal(secrets.ring(), {}, **scheduler.place)
    [scheduler] = lifecycle.begin([scheduler])
    for called, queues in clusters.items():
        Cluster.objects.create(scheduler=scheduler, name=called, chosen=queues)
    return scheduler


def make_job(scheduler: Scheduler, name: str = "", **more: Any) -> Job:
    """A job of the first cluster as it would be stored; without `project` it is nobody's here."""
    number = next(numbers)
    facts = {
        "cluster": scheduler.clusters.order_by("name")[0],
        "provider_id": str(1000 + number),
        "state": JobState.QUEUED,
        "queue": "batch",
        "login": "fsalice",
        "cores": 1,
        "nodes": 1,
        "tasks": 1,
        "walltime": 3600,
        "submitted": timezone.now(),
        "seen_at": LONG_AGO,
        **more,
    }
    [job] = lifecycle.begin([Job(scheduler=scheduler, name=name or f"job{number}", **facts)])
    return job


# -- clouds ----------------------------------------------------------------------------------------------------


def make_world(state_dir: Path, name: str) -> control.World:
    """A simulated cloud that does everything at once."""
    world = control.World(state_dir, name)
    control.set_latency(world, 0)
    return world


def make_account(project: Project, owner: User, name: str = "india", *, world: str = "") -> CloudAccount:
    """A verified cloud that has been read once."""
    credential = {"world": world or name, "username": "demo", "password": "demo"}
    account, verify = services.register_account(
        actor=owner, project=project, name=name, driver="simulator", credential=credential
    )
    run(verify.pk)
    account = CloudAccount.objects.select_related("cloud", "project").get(pk=account.pk)
    read(account)
    return account


def read(account: CloudAccount) -> None:
    """Read everything of a cloud now; in a test's transaction PostgreSQL's clock stands still, hence the old date."""
    schedule.plan(account)
    account.syncs.update(due_at=LONG_AGO)
    for sync in account.syncs.order_by("kind"):
        schedule.run(sync.pk)


def make_server(account: CloudAccount, owner: User, name: str = "", **fields: Any) -> Server:
    """A server's record, without one at the cloud; `make_servers` for many."""
    return make_servers(account, owner, 1, name=name, **fields)[0]


def make_servers(account: CloudAccount, owner: User, count: int, *, name: str = "", **fields: Any) -> list[Server]:
    """Records of servers that their cloud would know, all noted in one transaction."""
    image = Image.objects.filter(account=account, name="ubuntu-24.04").get()
    flavor = Flavor.objects.filter(account=account, name="m1.small").get()
    usual: dict[str, Any] = {
        "state": ServerState.ACTIVE,
        "image": image.provider_id,
        "flavor": flavor.provider_id,
        "cores": flavor.cores,
        "ram": flavor.ram,
        "addresses": ["10.16.0.7"],
    }
    names = [name] if name and count == 1 else [f"{name or 'server'}{next(numbers)}" for _ in range(count)]
    servers = [
        Server(account=account, project=account.project, owner=owner, name=each, **_known(usual | fields))
        for each in names
    ]
    return lifecycle.begin(servers, actor=owner)


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    """With an id at the cloud, unless the test says otherwise."""
    return {"provider_id": str(uuid.uuid4()), **fields}


def boot(account: CloudAccount, owner: User, **wanted: Any) -> Server:
    """A server that is active at its simulated cloud."""
    operation = services.boot_servers(actor=owner, project=account.project, cloud=account.cloud.name, **wanted)
    do_all_work()
    return Server.objects.get(pk=operation.target_id)


def make_volume(account: CloudAccount, owner: User, name: str = "", **wanted: Any) -> Volume:
    """A volume that is there at its simulated cloud."""
    wanted = {"name": name or f"volume{next(numbers)}", "size": 10, "cloud": account.cloud.name, **wanted}
    operation = services.create_volumes(actor=owner, project=account.project, **wanted)
    do_all_work()
    return Volume.objects.get(pk=operation.target_id)


def run(operation_id: uuid.UUID) -> None:
    """One attempt at an operation, due or not."""
    Operation.objects.filter(pk=operation_id).update(not_before=LONG_AGO)
    engine.run(operation_id)


def do_all_work(seconds: float = 20) -> None:
    """Run what is asked for until nothing is left, as workers do."""
    end = time.monotonic() + seconds
    while ids := list(Operation.objects.filter(state__in=RUNNABLE, is_batch=False).values_list("pk", flat=True)):
        assert time.monotonic() < end, [str(wish) for wish in Operation.objects.filter(pk__in=ids)]
        for pk in ids:
            run(pk)


def at_once(count: int, do: Callable[[], Result]) -> list[Result]:
    """What each of `count` threads gets that do the same at the same instant; needs a test without a transaction."""
    start = threading.Barrier(count)

    def one(_: int) -> Result:
        try:
            start.wait(10)
            return do()
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


# -- the story -------------------------------------------------------------------------------------------------


@pytest.fixture
def world(settings: LazySettings, tmp_path: Path) -> control.World:
    """The simulated cloud `india`, new for this test."""
    settings.STATE_DIR = tmp_path
    settings.PROVIDER_TIMEOUT = 0.5
    return make_world(tmp_path, "india")


@pytest.fixture
def lead(db: None) -> User:
    return make_user("laszewski")


@pytest.fixture
def member(db: None) -> User:
    return make_user("gregor")


@pytest.fixture
def project(lead: User, member: User) -> Project:
    return make_project("fg101", lead=lead, members=(member,))


@pytest.fixture
def stranger(db: None) -> User:
    user = make_user("mallory")
    make_project("elsewhere", lead=user)
    return user


@pytest.fixture
def admin(db: None) -> User:
    return make_user("root", is_admin=True)


@pytest.fixture
def account(world: control.World, project: Project, member: User) -> CloudAccount:
    return make_account(project, member)


@pytest.fixture
def server(account: CloudAccount, member: User) -> Server:
    return make_server(account, member, "gregor_1")


@pytest.fixture
def work() -> Callable[[], None]:
    return do_all_work
