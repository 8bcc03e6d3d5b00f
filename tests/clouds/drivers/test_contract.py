"""What every registered cloud driver declares; forms, buttons, help and the API derive from it."""

import importlib.metadata
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cloudmesh.errors import Rejected
from clouds.drivers import ALL, Abilities, CloudDriver, Site

ROOT = Path(__file__).parents[3]
GROUP = "cloudmesh.clouds"
OURS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][GROUP]
REGISTERED = {name: importlib.metadata.EntryPoint(name, value, GROUP) for name, value in OURS.items()} | {
    entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)
}
SDKS = {"openstack", "keystoneauth1", "boto3", "botocore"}
TYPES = {"text", "password", "url", "choice", "file", "boolean"}


@pytest.fixture(params=sorted(REGISTERED))
def driver_class(request: pytest.FixtureRequest) -> type[CloudDriver]:
    driver = REGISTERED[request.param].load()
    assert issubclass(driver, CloudDriver)
    return driver


def test_there_is_a_simulator_and_more() -> None:
    assert {"simulator", "openstack", "ec2"} <= set(REGISTERED)


def test_it_does_all_that_the_interface_asks_and_shows_nothing_else(driver_class: type[CloudDriver]) -> None:
    shown = {name for name in dir(driver_class) if not name.startswith("_")}
    promised = {name for name in (*dir(CloudDriver), *CloudDriver.__annotations__) if not name.startswith("_")}
    assert not inspect.isabstract(driver_class)
    assert shown <= promised


def test_its_methods_take_what_the_interface_says(driver_class: type[CloudDriver]) -> None:
    ours = {name: list(inspect.signature(getattr(CloudDriver, name)).parameters) for name in _methods()}
    its = {name: list(inspect.signature(getattr(driver_class, name)).parameters) for name in _methods()}
    assert its == ours


def _methods() -> list[str]:
    return sorted(CloudDriver.__abstractmethods__)


def test_each_has_a_label_of_its_own() -> None:
    labels = [entry.load().label.strip() for entry in REGISTERED.values()]
    assert all(labels)
    assert len(set(labels)) == len(labels)


def test_what_it_cannot_do_has_a_reason(driver_class: type[CloudDriver]) -> None:
    missing = driver_class.abilities.missing
    assert set(missing) <= ALL
    assert [name for name, reason in missing.items() if len(reason.split()) < 3 or not reason.endswith(".")] == []


def test_it_can_boot_delete_and_tell_its_limits(driver_class: type[CloudDriver]) -> None:
    assert all(driver_class.abilities[name] for name in ("delete", "start", "stop", "reboot", "limits"))


def test_its_fields_can_become_a_form(driver_class: type[CloudDriver]) -> None:
    fields = driver_class.fields
    assert fields
    assert len({field.name for field in fields}) == len(fields)
    assert all(field.name.isidentifier() and field.label.strip() and field.type in TYPES for field in fields)
    assert all(bool(field.choices) == (field.type == "choice") for field in fields)
    assert all(field.default in ("", *field.choices) for field in fields if field.choices)


def test_its_secrets_are_hidden_and_have_no_default(driver_class: type[CloudDriver]) -> None:
    secret = [field for field in driver_class.fields if field.secret]
    assert secret
    assert all(field.type in ("password", "file") and not field.default for field in secret)
    assert all(field.secret for field in driver_class.fields if field.type == "password")


def test_making_one_connects_nowhere_and_shows_no_secret(driver_class: type[CloudDriver], tmp_path: Path) -> None:
    def forbid(address: str) -> None:
        raise Rejected(f"{address} was asked for.")

    credential = {field.name: f"the {field.name}" for field in driver_class.fields}
    driver = driver_class(credential, Site(state_dir=tmp_path, guard=forbid))
    assert "the " not in repr(driver)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(OURS))
def test_it_has_a_page_that_names_every_field(name: str) -> None:
    page = (ROOT / f"docs/howto/clouds/{name}.md").read_text()
    assert [field.name for field in REGISTERED[name].load().fields if f"`{field.name}`" not in page] == []


@pytest.mark.parametrize("name", sorted(OURS))
def test_it_imports_its_sdk_only_when_it_is_used(name: str) -> None:
    module = OURS[name].partition(":")[0]
    script = f"import sys, {module}; print(*sorted({SDKS!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_abilities_know_their_words() -> None:
    with pytest.raises(ValueError, match="no such ability"):
        Abilities(missing={"fly": "It has no wings."})
