"""What a server of Nova is besides running: its metadata."""

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cloudmesh.errors import Busy, DriverError, Gone, Rejected
from clouds.drivers.openstack import records

if TYPE_CHECKING:
    from clouds.drivers.openstack.connection import Cloud

CONFLICT = 409


def label(cloud: "Cloud", server_id: str, labels: Mapping[str, str], remove: Iterable[str]) -> None:
    """See clouds.drivers. Only what differs is written, so that a second attempt asks for nothing."""
    seen = cloud.read("compute", "servers", server_id, key="server", translate=records.server)
    news = {key: value for key, value in labels.items() if seen.labels.get(key) != value}
    try:
        for key in {*remove} & seen.labels.keys():
            with contextlib.suppress(Gone):
                cloud.ask("DELETE", "compute", "servers", server_id, "metadata", key, plain=True)
        if news:
            cloud.ask("POST", "compute", "servers", server_id, "metadata", body={"metadata": news}, plain=True)
    except (Busy, Rejected) as reason:
        raise _in_time(reason, is_settled=seen.state.is_settled) from reason


def _in_time(reason: DriverError, *, is_settled: bool) -> DriverError:
    """A conflict while something else is being done to the server ends by itself."""
    passing = reason.facts.get("code") == CONFLICT and not is_settled
    return Busy(reason.message, **reason.facts) if passing else reason
