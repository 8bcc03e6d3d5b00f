"""The owner of a simulated cloud changes it behind the portal's back."""

import datetime

import pytest

from cloudmesh.types import ServerState
from clouds.drivers.simulator import Simulator, control
from clouds.drivers.simulator.world import CloudError


def test_the_owner_changes_servers_directly_and_all_see_it(driver: Simulator, world: control.World) -> None:
    before = datetime.datetime.now(datetime.UTC)
    ids = control.boot(world, "surprise", count=2)
    control.act(world, "surprise1", "stop")
    control.act(world, "surprise2", "rename", value="renamed")
    control.break_down(world, "renamed", "Fire.")
    changed = {server.id: server for server in driver.servers(since=before)}
    assert [changed[each].state for each in ids] == [ServerState.STOPPED, ServerState.ERROR]
    assert (changed[ids[1]].name, changed[ids[1]].fault) == ("renamed", "Fire.")
    control.act(world, ids[0], "delete")
    assert [server.state for server in driver.servers(since=before) if server.id == ids[0]] == [ServerState.DELETED]
    assert control.requests(world, "create_server") == []


def test_an_ambiguous_name_is_not_guessed(driver: Simulator, world: control.World) -> None:
    control.boot(world, "twin")
    control.boot(world, "twin")
    with pytest.raises(CloudError, match="2 servers 'twin'"):
        control.act(world, "twin", "delete")
    assert len(list(driver.servers())) == 2


def test_a_latency_that_cannot_be_is_refused(world: control.World) -> None:
    with pytest.raises(CloudError, match="5 to 4 seconds"):
        control.set_latency(world, 5, 4)
    with pytest.raises(CloudError, match="no latency of dreaming"):
        control.set_latency(world, 1, kinds=["dreaming"])
    assert control.latencies(world)["build"] == (0, 0)
