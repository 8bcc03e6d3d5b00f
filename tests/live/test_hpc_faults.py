"""Parts of a real Slurm go away under a whole portal: each is told in words, and nothing is lost."""

import contextlib
import os
import pathlib
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from cloudmesh.client import Client
from cloudmesh.errors import Busy, Conflict
from tests.live import slurms
from tests.live.people import TAG, Person, registration, until
from tests.portal_process import Portal

pytestmark = [pytest.mark.live, pytest.mark.timeout(400)]
Trouble = Callable[[pathlib.Path], contextlib.AbstractContextManager[None]]
BED = pathlib.Path(__file__).parent / "slurm"


@contextlib.contextmanager
def without(part: str) -> Iterator[None]:
    sessions = _sessions() if part == "sshd" else []
    subprocess.run([BED / "down.sh", part], check=True, capture_output=True)
    _end(sessions)  # connections that were made outlive their server
    try:
        yield
    finally:
        subprocess.run([BED / "up.sh"], check=True, capture_output=True)


@contextlib.contextmanager
def withdrawn(keys: pathlib.Path) -> Iterator[None]:
    """The login node does not accept the scheduler's own key any more."""
    allowed = keys / "authorized/cmrobot"
    aside = allowed.rename(keys / "withdrawn")
    _end(_sessions())
    try:
        yield
    finally:
        aside.rename(allowed)


@contextlib.contextmanager
def another_host(keys: pathlib.Path) -> Iterator[None]:
    """What answers at the login node's address has another host key."""
    halves = [keys / "host", keys / "host.pub"]
    with without("sshd"):
        kept = [half.rename(half.with_name(f"kept-{half.name}")) for half in halves]
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", halves[0]]
        subprocess.run(make, check=True)
    try:
        yield
    finally:
        with without("sshd"):
            for half, before in zip(halves, kept, strict=True):
                before.replace(half)


def _end(processes: list[int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _sessions() -> list[int]:
    """The processes of those who are logged in at this sshd, and of no other."""
    found = subprocess.run(["pgrep", "-f", "slurm/etc/sshd_config"], capture_output=True, text=True, check=True)
    parents = ",".join(found.stdout.split())
    children = subprocess.run(["pgrep", "-P", parents], capture_output=True, text=True, check=False)
    return [int(pid) for pid in children.stdout.split()]


@pytest.mark.parametrize(
    ("part", "word"),
    [("slurmctld", "slurmctld"), ("munge", "munge"), ("sshd", "cannot be reached")],
)
def test_what_is_away_is_named_and_what_was_wished_is_done_later(
    people: dict[str, Person], portal: Portal, part: str, word: str
) -> None:
    alice, owner = people["alice"], Client(portal.url, portal.token)
    alice.client.submit_job(script="sleep 900", name=f"before-{part}-{TAG}", cluster="real-debug")
    alice.becomes(f"before-{part}-{TAG}", "running")
    with without(part):

        def trouble() -> str:
            with contextlib.suppress(Exception):
                owner.refresh_scheduler("real")
            cluster = alice.client.cluster("real-debug")
            return str(cluster["health_reason"]) if cluster["health"] != "ok" else ""

        reason = until(trouble, f"a word about {part}")
        assert word in reason
        wish = alice.client.submit_job(script="true", name=f"during-{part}-{TAG}", cluster="real-debug")
        with pytest.raises(Busy):
            alice.client.wait(wish["operation"], timeout=8)
        known = alice.job(f"before-{part}-{TAG}")
        assert (known["state"], known["age_seconds"] > 5) == ("running", True)
    owner.refresh_scheduler("real")
    alice.becomes(f"during-{part}-{TAG}", "completed", seconds=180)
    assert len(list(alice.client.jobs(name=f"during-{part}-{TAG}"))) == 1
    before = alice.job(f"before-{part}-{TAG}")
    assert before["state"] == "running"
    assert alice.types("hpc", "cancel", before["id"], "--yes").returncode == 0
    owner.close()


@pytest.mark.parametrize(("trouble", "word"), [(withdrawn, "key of cmrobot"), (another_host, "host key")])
def test_a_scheduler_that_is_refused_is_told_and_keeps_what_is_known(
    people: dict[str, Person], portal: Portal, slurm: slurms.Cluster, trouble: Trouble, word: str
) -> None:
    alice, owner, keys = people["alice"], Client(portal.url, portal.token), pathlib.Path(slurm.keys)
    name = f"known-{trouble.__name__}-{TAG}"
    alice.client.submit_job(script="sleep 900", name=name, cluster="real-debug")
    job = alice.becomes(name, "running")
    with trouble(keys):

        def refusal() -> str:
            with contextlib.suppress(Conflict):
                owner.refresh_scheduler("real")
            seen = owner.scheduler("real")
            return str(seen["reason"]) if seen["state"] == "refused" else ""

        assert word in until(refusal, "a refusal")
        refused = alice.types("hpc", "submit", "-", "--cluster", "real-debug", stdin="true\n")
        assert (refused.returncode, "is refused" in refused.stderr) == (5, True), refused.stderr
        assert alice.client.job(job["id"])["state"] == "running"
    owner.wait(owner.replace_scheduler_credential("real", registration(slurm)))
    until(lambda: alice.client.job(job["id"])["age_seconds"] < 5, "it is read again")
    assert alice.client.job(job["id"])["state"] == "running"
    assert alice.types("hpc", "cancel", job["id"], "--yes").returncode == 0
    owner.close()


def test_a_full_disk_is_told_and_no_job_is_submitted(people: dict[str, Person]) -> None:
    alice, place = people["alice"], "/home/fsalice/cloudmesh"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs", place], check=True)
    try:
        asked = alice.client.submit_job(
            script="true", name=f"full-{TAG}", cluster="real-debug", files={"data": b"x" * 500_000}
        )
        ended = until(
            lambda: (wish := alice.client.operation(asked["operation"]["id"]))["state"] == "failed" and wish, ""
        )
        assert "full" in ended["reason"]
        assert alice.job(f"full-{TAG}")["state"] == "failed"
        assert not alice.job(f"full-{TAG}")["provider_id"]
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_key_that_is_not_accepted_and_a_host_that_is_another(
    people: dict[str, Person], portal: Portal, slurm: slurms.Cluster
) -> None:
    refused = people["bob"].types("hpc", "login", "set", "real", "fsalice", "--key", f"{slurm.keys}/fsbob")
    assert refused.returncode == 4
    assert "fsalice" in refused.stderr
    assert people["bob"].types("hpc", "login", "set", "real", "fsbob", "--key", f"{slurm.keys}/fsbob").returncode == 0
    other = (pathlib.Path(slurm.keys) / "fsbob.pub").read_text()
    owner = Client(portal.url, portal.token)
    credential = {**registration(slurm), "host_key": " ".join(other.split()[:2])}
    asked = owner.register_scheduler("changed", "slurm", way="ssh", credential=credential)
    ended = until(lambda: (wish := owner.operation(asked["operation"]["id"]))["state"] == "failed" and wish, "")
    assert "host key" in ended["reason"].lower()
    assert [each["name"] for each in owner.schedulers(name="changed")] == []
    owner.close()
