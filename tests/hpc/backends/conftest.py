"""A real login node for the tests of ssh."""

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hpc.backends.connections import exchange
from hpc.backends.ssh import Ssh
from tests.hpc.backends.sshd import ME, SSHD, Sshd, running

Reach = Callable[..., Ssh]


@pytest.fixture(scope="session")
def sshd() -> Iterator[Sshd]:
    if not pathlib.Path(SSHD).exists():
        pytest.skip("needs a real SSH server: apt-get install openssh-server")
    with running() as server:
        yield server


@pytest.fixture
def reach(sshd: Sshd) -> Iterator[Reach]:
    """A shell at the login node; what is given differs from what is right."""

    def reach(login: str = ME, **changes: Any) -> Ssh:
        right = {"host": "127.0.0.1", "port": sshd.port, "host_key": sshd.host_key(), "guard": lambda address: None}
        identity = sshd.identities.get(login, sshd.identities[ME])
        return Ssh(login, **{**right, "identity": identity, "timeout": 10.0, **changes})

    yield reach
    exchange().close()
