"""Jobs of HPC clusters: named, submitted, waited for, read; and in the words of PBS."""

import base64
from collections.abc import Iterator

import pytest

from cloudmesh import errors
from cloudmesh.client import Client
from cloudmesh.client.batch import Cluster
from cloudmesh.client.pbs import PBS
from tests.cloudmesh.hpc import Portal, job
from tests.cloudmesh.speaker import Server

ENDED = {"state": "completed", "ended": "2026-01-02T04:00:00Z"}


@pytest.fixture
def portal(server: Server) -> Portal:
    made = Portal(
        job("a", number=101),
        job("b", "sim", 102, cluster="delta"),
        job("c", "post", 103),
        job("d", "old", 104, **ENDED),
    )
    server.answer = made
    return made


@pytest.fixture
def client(server: Server, portal: Portal) -> Iterator[Client]:
    with Client(server.url, "cm_secret") as made:
        yield made


def test_jobs_are_named_by_ids_hostlists_and_names(client: Client) -> None:
    assert [each["id"] for each in client.select_jobs("[102-103]", "101", "102")] == ["b", "c", "a"]
    assert [each["id"] for each in client.select_jobs("post", "a")] == ["c", "a"]
    assert [each["id"] for each in client.select_jobs("104")] == ["d"]  # by id though it has ended
    with pytest.raises(errors.NotFound, match=r"No job is named old.*cm hpc jobs"):
        client.select_jobs("old")
    with pytest.raises(errors.Ambiguous, match=r"2 jobs are named sim .delta, india.*--cluster"):
        client.select_jobs("sim")


def test_an_id_of_two_schedulers_is_ambiguous_and_of_one_the_newest(client: Client, portal: Portal) -> None:
    portal.jobs["e"] = job("e", "older", 103)
    assert [each["id"] for each in client.select_jobs("103")] == ["c"]
    portal.jobs["f"] = job("f", "other", 103, scheduler="echo", cluster="echo")
    with pytest.raises(errors.Ambiguous, match="103"):
        client.select_jobs("103")


def test_a_job_takes_files_along_and_nothing_that_was_not_said(client: Client, portal: Portal) -> None:
    client.submit_job(command="hostname", queue=None, nodes=2, files={"in.bin": b"\xff\x00"})
    client.change_jobs("cancel", client.select_jobs("101", "103"))
    content = base64.b64encode(b"\xff\x00").decode()
    assert portal.bodies == [
        ("POST jobs", {"command": "hostname", "nodes": 2, "files": [{"path": "in.bin", "content": content}]}),
        ("POST jobs/bulk", {"action": "cancel", "jobs": ["a", "c"]}),
    ]


def test_what_a_job_wrote_comes_in_parts_to_where_it_ends(client: Client, portal: Portal) -> None:
    portal.written = "Grüße von i001\n".encode()
    found = client.job("a")
    assert client.read_job(found, most=2) == {"text": "Gr", "offset": 0, "next": 2, "size": 17}
    assert b"".join(client.download(found)) == portal.written
    assert b"".join(client.download(found, "plots/a.png", offset=9)) == portal.written[9:]
    assert portal.bodies[-2] == (
        "POST jobs/a/read", {"path": "plots/a.png", "offset": 9, "most": 2**20, "raw": True},
    )  # fmt: skip
    portal.written = b""
    assert list(client.download(found)) == []


def test_a_job_is_waited_for_until_it_has_ended_or_the_time_is_over(client: Client, portal: Portal) -> None:
    with pytest.raises(errors.Busy, match=r"sim has not ended after 0\.3 seconds"):
        client.wait_job(portal.jobs["a"], timeout=0.3)
    assert client.wait_job(portal.jobs["d"], timeout=5)["state"] == "completed"


def test_a_cluster_in_plain_words(client: Client, portal: Portal) -> None:
    india = Cluster(client, "india")
    portal.written = b"i001\n"
    assert india.submit(command="hostname", walltime="1:30:00", memory="4G")["id"] == "a"
    assert portal.bodies[0][1] == {"command": "hostname", "walltime": 5400, "memory": 4096, "cluster": "india"}
    assert india.output("a") == "i001\n"
    assert india.cancel(portal.jobs["c"])["id"] == "c"
    assert portal.bodies[-1] == ("POST jobs/bulk", {"action": "cancel", "jobs": ["c"]})
    with pytest.raises(errors.Invalid, match="is no time"):
        india.submit(command="hostname", walltime="90")


def test_jobs_queues_and_nodes_in_the_words_of_pbs(client: Client, portal: Portal) -> None:
    pbs = PBS(Cluster(client, "india"))
    jobs = pbs.qstat()
    assert list(jobs) == ["101", "102", "103"]
    assert (jobs["101"]["job_state"], jobs["101"]["exec_host"]) == ("R", "i002+i001")
    assert (jobs["101"]["Job_Owner"], jobs["101"]["cm_host"]) == ("ada01@india", "india")
    assert jobs["101"]["Resource_List"]["walltime"] == "01:30:00"
    batch = pbs.qinfo()["batch"]
    assert batch["state_count"] == {
        "Transit": 0, "Queued": 0, "Held": 0, "Waiting": 0, "Running": 2, "Exiting": 0,
    }  # fmt: skip
    assert (batch["started"], batch["total_jobs"], pbs.qinfo()["old"]["enabled"]) == ("True", 2, "False")
    nodes = pbs.pbsnodes()
    assert (nodes["i001"]["state"], nodes["i003"]["state"], nodes["i001"]["np"]) == ("job-exclusive", "free", 16)
    assert nodes["i001"]["status"]["totmem"] == "67108864kb"
    assert PBS(Cluster(client), "nobody").qstat() == {}
    portal.jobs.clear()
    assert (len(pbs.qstat(refresh=False)), pbs.qstat()) == (3, {})
