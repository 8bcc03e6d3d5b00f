"""Two people at a real Slurm through the whole portal: the shell, the Python API and the web, each as themselves."""

import pathlib
import time

import pytest

from cloudmesh.errors import CloudmeshError, Invalid, NotAllowed, Refused
from tests.live.people import TAG, Person, until
from tests.portal_process import Portal

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
ODD = "; rm -rf ~ $(touch /tmp/never) `id` \\ 'é\"" + "🙂" * 60


def test_the_clusters_of_one_slurm_are_shown_apart(people: dict[str, Person]) -> None:
    queues = until(lambda: people["alice"].data("hpc", "queues", "--cluster", "real"), "its queues")
    assert {queue["name"] for queue in queues} == {"batch", "long", "old"}
    assert [queue["name"] for queue in people["bob"].client.queues(cluster="real-debug")] == ["debug"]


def test_a_job_by_the_shell_runs_as_oneself_and_is_accounted_once(people: dict[str, Person], portal: Portal) -> None:
    alice = people["alice"]
    ran = alice.types("hpc", "run", "--name", f"by-cm-{TAG}", "--cluster", "real-debug", "whoami; pwd; sleep 2")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("fsalice\n/home/fsalice/cloudmesh/experiments/")
    job = alice.becomes(f"by-cm-{TAG}", "completed")
    assert (job["login"], job["owner"], job["project"], job["account"]) == ("fsalice", "alice", "fg82", "fg82")
    spans = until(lambda: _spans(portal, job["id"], is_ended=True), "its usage")
    time.sleep(8)  # several readings, and accounting
    assert _spans(portal, job["id"], is_ended=True) == spans == [(1, "fg82")]


def test_a_job_by_python_with_its_files(people: dict[str, Person]) -> None:
    bob = people["bob"]
    asked = bob.client.submit_job(
        script="#!/bin/sh\ncat data/in.txt >out.txt\nwhoami\n", name=f"by-python-{TAG}", cluster="real-debug",
        walltime=300, files={"data/in.txt": b"42\n"},
    )  # fmt: skip
    job = bob.client.wait_job(asked["jobs"][0], timeout=120)
    assert (job["state"], job["login"]) == ("completed", "fsbob")
    assert b"".join(bob.client.download(job, "out.txt")) == b"42\n"
    assert bob.client.read_job(job)["text"] == "fsbob\n"
    with pytest.raises(CloudmeshError):
        bob.client.read_job(job, path="../../.ssh/authorized_keys")


def test_a_job_by_the_web_is_cancelled_in_the_shell(people: dict[str, Person]) -> None:
    alice = people["alice"]
    cluster = alice.client.cluster("real-debug")["id"]
    form = {"cluster": cluster, "queue": "debug", "name": f"by-web-{TAG}", "script": "sleep 600", "walltime": "20m"}
    assert alice.sends("/jobs/submit/", **form) in (200, 204)
    job = alice.becomes(f"by-web-{TAG}", "running")
    assert alice.types("hpc", "cancel", f"by-web-{TAG}", "--yes").returncode == 0
    assert alice.becomes(f"by-web-{TAG}", "cancelled")["id"] == job["id"]


def test_what_is_others_is_not_touched_by_any_way(people: dict[str, Person]) -> None:
    alice, bob = people["alice"], people["bob"]
    asked = alice.client.submit_job(
        script="echo secret; sleep 600", name=f"hers-{TAG}", cluster="real-debug", is_held=True
    )
    job = alice.becomes(f"hers-{TAG}", "held")
    denied = bob.types("hpc", "cancel", job["provider_id"], "--yes", "--cluster", "real-debug")
    assert denied.returncode == 4, denied.stderr
    assert bob.types("hpc", "output", job["id"]).returncode == 4
    assert bob.sends(f"/jobs/{job['id']}/cancel/") == 403
    assert bob.sends(f"/jobs/{job['id']}/read/script/") == 403
    assert "secret" not in bob.client.job(job["id"])["script"]
    with pytest.raises((NotAllowed, Refused)):
        bob.client.change_jobs("release", asked["jobs"])
    assert alice.becomes(f"hers-{TAG}", "held")
    assert alice.types("hpc", "release", f"hers-{TAG}").returncode == 0
    alice.becomes(f"hers-{TAG}", "running", "queued")
    assert alice.types("hpc", "cancel", f"hers-{TAG}", "--yes").returncode == 0


@pytest.mark.parametrize("name", [ODD, "two\nlines\r\n#SBATCH --hold", "ü" * 2000])
def test_an_odd_name_is_a_name(people: dict[str, Person], name: str) -> None:
    alice, mine = people["alice"], pathlib.Path(f"/home/fsalice/mine-{TAG}")
    mine.touch()
    asked = alice.client.submit_job(script="true", name=name, cluster="real-debug", walltime=60)
    job = alice.client.wait_job(asked["jobs"][0], timeout=120)
    assert job["state"] == "completed"
    assert job["name"][:40] == " ".join(name.split())[:40]
    assert mine.exists()
    assert not pathlib.Path("/tmp/never").exists()
    mine.unlink()


@pytest.mark.parametrize("field", ["account", "qos", "queue"])
def test_odd_words_are_refused_before_they_go_anywhere(people: dict[str, Person], field: str) -> None:
    with pytest.raises(Invalid, match=field):
        people["alice"].client.submit_job(script="true", cluster="real-debug", **{field: "; rm -rf ~"})


def test_what_slurm_refuses_is_told_in_its_words_and_leaves_no_job(people: dict[str, Person]) -> None:
    refused = people["alice"].types(
        "hpc",
        "submit",
        "-",
        "--name",
        f"refused-{TAG}",
        "--cluster",
        "real-debug",
        "--account",
        "nobodys",
        stdin="true\n",
    )
    assert refused.returncode == 1
    assert "account" in refused.stderr.lower()
    assert people["alice"].job(f"refused-{TAG}")["state"] == "failed"


def _spans(portal: Portal, job: str, *, is_ended: bool) -> list[tuple[object, ...]]:
    query = """SELECT span.cores, project.name FROM projects_span AS span
               JOIN projects_project AS project ON project.id = span.project_id
               WHERE span.object_id = %s AND (span.ends_at IS NOT NULL) = %s"""
    return portal.ask(query, job, is_ended)
