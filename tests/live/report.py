"""tests/live/REPORT.md: what ran against what, in which versions, and how it ended."""

import collections
import datetime
import importlib.metadata
import os
import pathlib
import platform
import subprocess
from collections.abc import Iterator

import pytest

from tests.live import directories, gridengines, oars, slurms
from tests.live.clouds import Clouds, Person, named

PINS = pathlib.Path(__file__).parent / "openstack/requirements.txt"
SERVICES = ("keystone", "nova", "neutron", "glance", "openstack-placement")
TOOLS = {
    "ldap": ("ldap3",),
    "ec2": ("botocore",),
    "openstack": ("keystoneauth1", "openstacksdk"),
    "slurm": ("asyncssh", "urllib3"),
    "oar": ("asyncssh",),
    "hpc_people": ("asyncssh",),
    "hpc_faults": ("asyncssh",),
    "gridengine": ("asyncssh",),
}
OUTCOMES = ("passed", "failed", "skipped")


class Report:
    """Listens to pytest and writes in the end."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.outcomes: dict[str, str] = {}
        self.seconds: collections.Counter[str] = collections.Counter()
        self.words: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration
        if self.outcomes.get(report.nodeid, "passed") == "passed":
            self.outcomes[report.nodeid] = report.outcome
        if not report.passed:
            self.words.setdefault(report.nodeid, reason(report))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.outcomes and not session.config.getoption("keyword"):  # a part of the tests makes no report
            self.path.write_text("\n".join([*self.head(), *self.table(), *self.troubles(), *self.each(), ""]))

    def head(self) -> Iterator[str]:
        now = datetime.datetime.now(datetime.UTC)
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
        yield "# What `make live` saw"
        yield ""
        yield f"On {now:%d %B %Y at %H:%M} UTC, of commit {commit.stdout.strip() or 'unknown'}, on {machine()}."
        yield "Written by `make live`; seconds include what the clouds took to do it."
        yield ""

    def table(self) -> Iterator[str]:
        yield "| tests | against | with | passed | failed | skipped | seconds |"
        yield "|---|---|---|---:|---:|---:|---:|"
        for group, tests in self.groups().items():
            ends = collections.Counter(self.outcomes[test] for test in tests)
            counts = " | ".join(str(ends[outcome]) for outcome in OUTCOMES)
            seconds = sum(self.seconds[test] for test in tests)
            yield f"| {group} | {against(group)} | {tools(group)} | {counts} | {seconds:.0f} |"
        yield ""

    def troubles(self) -> Iterator[str]:
        if self.words:
            yield "## Not passed"
            yield ""
            for test, words in sorted(self.words.items()):
                yield f"- `{test.rpartition('/')[2]}` {self.outcomes[test]}: {words}"
            yield ""

    def each(self) -> Iterator[str]:
        for group, tests in self.groups().items():
            yield f"## {group}"
            yield ""
            yield "| test | ended | seconds |"
            yield "|---|---|---:|"
            for test in tests:
                yield f"| {test.rpartition('::')[2]} | {self.outcomes[test]} | {self.seconds[test]:.1f} |"
            yield ""

    def groups(self) -> dict[str, list[str]]:
        """The tests by file and class."""
        groups: dict[str, list[str]] = {}
        for test in self.outcomes:
            groups.setdefault(test.rpartition("/")[2].partition("[")[0].rpartition("::")[0], []).append(test)
        return groups


def reason(report: pytest.TestReport) -> str:
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    words = crash.message if crash else report.longreprtext
    return (words.splitlines() or ["no reason given"])[0][:200]


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}, Python {platform.python_version()}"


def against(group: str) -> str:
    if "ec2" in group:
        if not os.environ.get("CLOUDMESH_LIVE_EC2_ACCESS_KEY_ID"):
            return f"moto {importlib.metadata.version('moto')}"
        return os.environ.get("CLOUDMESH_LIVE_EC2_ENDPOINT_URL") or "Amazon EC2"
    if "ldap" in group:
        return ldap(directories.named())
    if "slurm" in group or "hpc_people" in group or "hpc_faults" in group:
        cluster = slurms.named()
        return f"Slurm {cluster.version}" if cluster else "—"
    if "oar" in group:
        return f"OAR {oars.version()}" if oars.named() else "—"
    if "gridengine" in group:
        grid = gridengines.named()
        return f"Son of Grid Engine {grid.version}" if grid else "—"
    clouds = named() if "openstack" in group else None
    return openstack(clouds) if clouds else "—"


def openstack(clouds: Clouds) -> str:
    if not clouds.ours:
        version = ".".join(map(str, Person(clouds.entries[clouds.default], pathlib.Path()).driver._cloud.microversion))
        return f"{clouds.credential()['auth_url']}, Nova {version}"
    pins = dict(line.split("==") for line in PINS.read_text().split() if "==" in line)
    return "OpenStack 2026.1: " + ", ".join(f"{name.rpartition('-')[2]} {pins[name]}" for name in SERVICES)


def ldap(site: directories.Site | None) -> str:
    if site is None or not site.ours:
        return ", ".join(site.config.servers) if site else "—"
    slapd = subprocess.run([site.path.parent / "slapd", "-VV"], capture_output=True, text=True, check=False)
    return "OpenLDAP " + slapd.stderr.partition("slapd ")[2].partition(" ")[0]


def tools(group: str) -> str:
    packages = next((names for word, names in TOOLS.items() if word in group), ())
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
