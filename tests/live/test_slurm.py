"""The contract of HPC drivers on a real Slurm, by its commands and by slurmrestd, and what is said when parts fail."""

import dataclasses
import pathlib
from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest

from hpc.drivers import HpcDriver, Site
from hpc.drivers.slurm import Slurm
from tests.hpc.drivers.bed import Read
from tests.hpc.drivers.contract import HpcContract
from tests.live import slurms
from tests.live.slurms import Cluster

pytestmark = pytest.mark.live
ALICE, BOB = "fsalice", "fsbob"


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    found = slurms.named()
    if found is None:
        pytest.skip("no Slurm: run tests/live/slurm/up.sh")
    return found


def elsewhere(cluster: Cluster, **changed: str) -> str:
    """A slurm.conf in which something is otherwise, so that others who use that Slurm notice nothing."""
    lines = pathlib.Path(cluster.conf).read_text().splitlines()
    kept = [line for line in lines if line.partition("=")[0] not in changed]
    path = pathlib.Path(cluster.conf).with_name(f"without-{'-'.join(changed)}.conf")
    path.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in changed.items()), ""]))
    return str(path)


class SlurmContract(HpcContract):
    driver_class = Slurm
    pause = 0.3
    queue: ClassVar[str] = "debug"


class TestCommands(SlurmContract):
    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls, cluster: Cluster) -> Mapping[str, str]:
        return {"conf": cluster.conf}

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return slurms.site(cluster.shell(ALICE), tmp_path_factory.mktemp("state"))

    @pytest.fixture(scope="class")
    @classmethod
    def other_site(cls, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return slurms.site(cluster.shell(BOB), tmp_path_factory.mktemp("state"))

    @pytest.fixture
    @classmethod
    def unreachable(cls, cluster: Cluster, site: Site) -> HpcDriver:
        return Slurm({"conf": elsewhere(cluster, SlurmctldPort="1", AccountingStoragePort="1")}, site)


class TestText(TestCommands):
    """As Slurm 20.11 answers, which has no JSON."""

    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls, cluster: Cluster) -> Mapping[str, str]:
        return {"conf": cluster.conf, "answers": "text"}


class TestRest(SlurmContract):
    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls, cluster: Cluster) -> Mapping[str, str]:
        return {"url": cluster.url, "user": ALICE, "token": cluster.token(ALICE)}

    @pytest.fixture(scope="class")
    @classmethod
    def other_credential(cls, cluster: Cluster) -> Mapping[str, str]:
        return {"url": cluster.url, "user": BOB, "token": cluster.token(BOB)}

    @pytest.fixture(scope="class")
    @classmethod
    def wrong_credential(cls, cluster: Cluster) -> Mapping[str, str]:
        return {"url": cluster.url, "user": ALICE, "token": cluster.token(BOB)}

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return slurms.site(None, tmp_path_factory.mktemp("state"))

    @pytest.fixture(scope="class")
    @classmethod
    def other_site(cls, site: Site) -> Site:
        return site

    @pytest.fixture(scope="class")
    @classmethod
    def directory(cls, cluster: Cluster, site: Site) -> Iterator[str]:
        yield from cls.made_directory(dataclasses.replace(site, shell=cluster.shell(ALICE)))

    @pytest.fixture(scope="class")
    @classmethod
    def other_directory(cls, cluster: Cluster, site: Site) -> Iterator[str]:
        yield from cls.made_directory(dataclasses.replace(site, shell=cluster.shell(BOB)))

    @pytest.fixture(scope="class")
    @classmethod
    def read(cls, cluster: Cluster) -> Read:
        shell = cluster.shell(ALICE)
        return lambda path: shell.run("cat", "--", path).output

    @pytest.fixture
    @classmethod
    def unreachable(cls, credential: Mapping[str, str], site: Site) -> HpcDriver:
        return Slurm({**credential, "url": "http://127.0.0.1:1"}, site)
