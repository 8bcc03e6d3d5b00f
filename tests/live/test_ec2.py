"""The contract on an EC2 endpoint: moto's server as a process of its own, or the one the environment names.

CLOUDMESH_LIVE_EC2_ACCESS_KEY_ID and _SECRET_ACCESS_KEY choose a real one (it will cost a few cents), with _REGION,
_ENDPOINT_URL, _CA_BUNDLE, _IMAGE_OWNERS, _IMAGE and _FLAVOR (names) where they differ from Amazon's usual ones.
moto checks signatures, permissions, images, types and keys here; what it cannot do (fail, or look like another cloud)
is tested in tests/clouds/drivers/ec2.
"""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import ClassVar

import botocore.session
import pytest

from clouds.drivers import CloudDriver, Site
from clouds.drivers.ec2 import Ec2
from tests.clouds.drivers.network_contract import NetworkContract

NAMES = "access_key_id secret_access_key region endpoint_url ca_bundle image_owners image flavor"
NAMED = {name: os.environ.get(f"CLOUDMESH_LIVE_EC2_{name.upper()}", "") for name in NAMES.split()}
PAGE = pathlib.Path(__file__).parents[2] / "docs/howto/clouds/ec2.md"
STRICT = ("MOTO_ENABLE_AMI_VALIDATION", "MOTO_ENABLE_KEYPAIR_VALIDATION", "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION")
CANONICAL = "099720109477"

pytestmark = pytest.mark.live


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that lets anybody in for three calls, as many as `moto_account` makes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    log = tmp_path_factory.mktemp("moto") / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port]
    environment = os.environ | dict.fromkeys(STRICT, "1") | {"INITIAL_NO_AUTH_ACTION_COUNT": "3"}
    with log.open("w") as output, subprocess.Popen(command, env=environment, stdout=output, stderr=output) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/moto-api/data.json", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: pathlib.Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    raise RuntimeError(f"moto's server did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def moto_account(moto: str) -> Mapping[str, str]:
    """A user with the permissions that the docs ask for; from now on moto checks signatures and permissions."""
    session = botocore.session.Session()
    options = {"region_name": "us-east-1", "aws_access_key_id": "first", "aws_secret_access_key": "first"}
    iam = session.create_client("iam", endpoint_url=moto, **options)
    iam.create_user(UserName="portal")
    policy = PAGE.read_text().partition("```json")[2].partition("```")[0]
    iam.put_user_policy(UserName="portal", PolicyName="portal", PolicyDocument=policy)
    key = iam.create_access_key(UserName="portal")["AccessKey"]
    return {
        "access_key_id": key["AccessKeyId"],
        "secret_access_key": key["SecretAccessKey"],
        "region": "us-east-1",
        "endpoint_url": moto,
        "image_owners": CANONICAL,
    }


class TestEc2(NetworkContract):
    driver_class = Ec2
    image_name: ClassVar[str] = NAMED["image"]
    flavor_name: ClassVar[str] = NAMED["flavor"] or "t3.micro"
    unknown_id = "i-0123456789abcdef0"
    unknown_image = "ami-0123456789abcdef0"
    unknown_volume = "vol-0123456789abcdef0"
    unknown_flavor = "x9.enormous"
    checks_sizes = bool(NAMED["access_key_id"])  # moto resizes to whatever is called a type
    minds_use = checks_sizes  # moto deletes groups that servers use
    pause = 0.1 if not NAMED["access_key_id"] else 5.0
    patience = 600.0

    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls, request: pytest.FixtureRequest) -> Mapping[str, str]:
        if NAMED["access_key_id"]:
            return {name: value for name, value in NAMED.items() if value and name not in ("image", "flavor")}
        account: Mapping[str, str] = request.getfixturevalue("moto_account")
        return account

    @pytest.fixture(scope="class")
    @classmethod
    def wrong_credential(cls, credential: Mapping[str, str]) -> Mapping[str, str]:
        return {**credential, "secret_access_key": "this/Is+Not/The/Secret/Of/That/Key/aaaaaa"}

    @pytest.fixture(scope="class")
    @classmethod
    def unreachable(cls, credential: Mapping[str, str], site: Site) -> Iterator[CloudDriver]:
        with socket.socket() as silent:  # bound, not listening
            silent.bind(("127.0.0.1", 0))
            endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
            yield Ec2({**credential, "endpoint_url": endpoint}, site)
