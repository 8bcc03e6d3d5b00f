"""Worlds differ, know their accounts, and are shared, durable and quick."""

import concurrent.futures
import datetime
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudmesh.errors import Busy, Gone, Refused, Rejected
from cloudmesh.types import ImageState, Server, ServerSpec, ServerState
from clouds.drivers import Site
from clouds.drivers.simulator import Simulator, control

DEMO = {"world": "india", "username": "demo", "password": "demo"}
ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("name", ["", "India", "a b", "../india", "x" * 41, "é"])
def test_a_name_that_no_world_can_have_is_rejected(site: Site, name: str) -> None:
    with pytest.raises(Rejected, match="small letters"):
        Simulator(DEMO | {"world": name}, site).check()
    assert list(site.state_dir.iterdir()) == []


def test_each_world_has_a_character(site: Site) -> None:
    clouds = {name: Simulator(DEMO | {"world": name}, site) for name in ("india", "alamo", "sierra", "elsewhere")}
    names = {name: {image.name for image in cloud.images()} for name, cloud in clouds.items()}
    sizes = {name: [(each.name, each.cores, each.ram) for each in cloud.flavors()] for name, cloud in clouds.items()}
    assert [name for name in names if "futuregrid/ubuntu-14.04" in names[name]] == ["india"]
    assert all("ubuntu-24.04" in each for each in names.values())
    assert len({tuple(each) for each in sizes.values()}) == 3
    assert all({"m1.tiny", "m1.xlarge"} <= {name for name, *_ in each} for each in sizes.values())


def test_images_know_their_login_and_one_is_deprecated(driver: Simulator) -> None:
    images = {image.name: image for image in driver.images()}
    assert all(image.login for image in images.values())
    assert [name for name, image in images.items() if image.state is ImageState.DEPRECATED] == ["ubuntu-18.04"]


def test_ids_are_the_same_in_a_world_made_anew(site: Site, tmp_path: Path) -> None:
    again = Simulator(DEMO, Site(state_dir=tmp_path / "again", guard=site.guard))
    assert [image.id for image in again.images()] == [image.id for image in Simulator(DEMO, site).images()]


def test_nobody_else_can_read_a_world(driver: Simulator, world: control.World) -> None:
    driver.check()
    assert world.path.stat().st_mode & 0o077 == 0
    assert "demo$" not in world.path.read_bytes().decode(errors="ignore")


def test_there_are_only_so_many_worlds(site: Site) -> None:
    (site.state_dir / "simulator").mkdir()
    for number in range(200):
        (site.state_dir / f"simulator/{number}.db").touch()
    with pytest.raises(Rejected, match="200 worlds already"):
        Simulator(DEMO, site).check()


def test_a_world_whose_file_is_broken_says_so(site: Site, world: control.World) -> None:
    world.path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(Busy, match="india cannot use its file"):
        Simulator(DEMO, site).check()


@pytest.mark.parametrize("wrong", [{"username": "nobody"}, {"password": "Demo"}, {"password": ""}])
def test_a_login_that_is_not_known_is_refused(driver: Simulator, site: Site, wrong: dict[str, str]) -> None:
    with pytest.raises(Refused, match="not accepted"):
        Simulator(DEMO | wrong, site).check()


def test_a_changed_password_ends_a_running_session(driver: Simulator, site: Site, world: control.World) -> None:
    driver.check()
    control.add_account(world, "demo", "new one")
    with pytest.raises(Refused):
        driver.servers()
    assert "demo" in Simulator(DEMO | {"password": "new one"}, site).check()


def test_projects_do_not_see_each_other(driver: Simulator, site: Site, world: control.World, spec: ServerSpec) -> None:
    control.add_account(world, "eve", "eve's")
    eve, mine = Simulator(DEMO | {"username": "eve", "password": "eve's"}, site), driver.create_server(spec, token="t")
    assert (list(eve.servers()), eve.find("t")) == ([], None)
    with pytest.raises(Gone):
        eve.act(mine.id, "stop")
    eve.delete_server(mine.id)
    assert driver.server(mine.id).state is ServerState.ACTIVE


def test_accounts_of_one_project_share_its_servers(
    driver: Simulator, site: Site, world: control.World, spec: ServerSpec
) -> None:
    control.add_account(world, "bob", "bob's", project="demo")
    mine = driver.create_server(spec, token="t")
    assert Simulator(DEMO | {"username": "bob", "password": "bob's"}, site).server(mine.id).name == "web"


MAKER = """
import sys, pathlib
from cloudmesh.types import ServerSpec
from clouds.drivers import Site
from clouds.drivers.simulator import Simulator
state, name, count = sys.argv[1:]
credential = dict(world="india", username="demo", password="demo")
driver = Simulator(credential, Site(state_dir=pathlib.Path(state), guard=print))
image = next(image.id for image in driver.images() if image.name == "ubuntu-24.04")
for number in range(int(count)):
    try:
        made = driver.create_server(ServerSpec(name=name, image=image, flavor="2"), token=f"{name}-{number}")
        print(made.id, flush=True)
    except Exception as error:
        print(type(error).__name__, flush=True)
"""


def maker(state: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", MAKER, str(state), name, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_processes_that_make_a_world_at_once_share_it_and_its_quota(site: Site) -> None:
    makers = [maker(site.state_dir, f"p{number}", 30) for number in range(3)]
    said = [line for each in makers for line in each.communicate()[0].split()]
    made = [line for line in said if line != "Full"]
    assert (len(said), len(made), len(set(made))) == (90, 50, 50)
    assert {server.id for server in Simulator(DEMO, site).servers()} == set(made)
    assert min(path.name for path in (site.state_dir / "simulator").iterdir()) == "india.db"


def test_what_was_answered_survives_kill_9(site: Site) -> None:
    world = control.World(site.state_dir, "india")
    control.set_quota(world, instances=None, cores=None, ram=None)
    victim = maker(site.state_dir, "victim", 100_000)
    assert victim.stdout is not None
    answered = [victim.stdout.readline().strip() for _ in range(100)]
    victim.send_signal(signal.SIGKILL)
    answered += victim.communicate()[0].split("\n")[:-1]
    kept = {server.id for server in Simulator(DEMO, site).servers()}
    assert set(answered) <= kept
    assert len(kept) - len(answered) in (0, 1)


def test_threads_get_different_servers_and_addresses(site: Site, driver: Simulator, spec: ServerSpec) -> None:
    def live(number: int) -> tuple[str, ...]:
        own = Simulator(DEMO, site)
        made = own.create_server(spec, token=f"t{number}")
        own.assign_floating_ip(made.id)
        return own.server(made.id).addresses

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        lives = list(threads.map(live, range(8)))
    assert len({address for addresses in lives for address in addresses}) == 16


def test_a_driver_can_go_from_thread_to_thread(driver: Simulator, spec: ServerSpec) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        made = thread.submit(driver.create_server, spec, token="t").result()
    assert driver.server(made.id).name == "web"


def test_a_driver_survives_a_fork(driver: Simulator, site: Site) -> None:
    script = f"""
import os, pathlib
from clouds.drivers import Site
from clouds.drivers.simulator import Simulator
driver = Simulator({DEMO!r}, Site(state_dir=pathlib.Path({str(site.state_dir)!r}), guard=print))
driver.check()
child = os.fork()
print(driver.ensure_security_group("child" if child == 0 else "parent", []).name, flush=True)
child and os.waitpid(child, 0)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["child", "parent"]
    assert {"child", "parent"} < {group.name for group in driver.security_groups()}


def test_ten_thousand_servers_are_listed_and_silence_costs_nothing(driver: Simulator, world: control.World) -> None:
    control.boot(world, "load_", count=10_000)
    everything, took = timed(lambda: list(driver.servers()))
    changed, took_changes = timed(lambda: list(driver.servers(since=datetime.datetime.now(datetime.UTC))))
    assert (len(everything), changed) == (10_000, [])
    assert len({address for server in everything for address in server.addresses}) == 10_000
    assert took_changes < took / 20


def timed(work: Callable[[], list[Server]]) -> tuple[list[Server], float]:
    start = time.process_time()
    return work(), time.process_time() - start
