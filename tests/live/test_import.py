"""Files of the older Cloudmesh, imported into a portal that then talks to the clouds they name."""

import json
from pathlib import Path

import pytest

from tests.cloudmesh.shell.conftest import Run, portal, run
from tests.live.clouds import Clouds
from tests.live.test_ec2 import moto, moto_account

__all__ = ["moto", "moto_account", "portal", "run"]  # fixtures
pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

OF_4_1 = """
meta: {{version: 4.1, kind: clouds}}
cloudmesh:
  active: [live]
  clouds:
    live:
      cm_heading: A real OpenStack
      cm_type: openstack
      credentials:
        OS_AUTH_URL: {auth_url}
        OS_USERNAME: {username}
        OS_PASSWORD: TBD
        OS_PROJECT_NAME: {project_name}
        OS_PROJECT_DOMAIN_NAME: {project_domain_name}
        OS_USER_DOMAIN_NAME: {user_domain_name}
        OS_REGION_NAME: {region_name}
        OS_IDENTITY_API_VERSION: 3
      default: {{flavor: m1.tiny, image: None}}
    refused:
      cm_type: openstack
      credentials:
        OS_AUTH_URL: {auth_url}
        OS_USERNAME: {username}
        OS_PASSWORD: not-this-one
        OS_PROJECT_NAME: {project_name}
"""
OF_1_X = """
meta: {{yaml_version: 2.1, kind: clouds}}
cloudmesh:
  clouds:
    moto:
      cm_type: eucalyptus
      cm_type_version: 4.4.5
      credentials:
        EC2_URL: {endpoint_url}
        EC2_ACCESS_KEY: {access_key_id}
        EC2_SECRET_KEY: {secret_access_key}
"""


def imported(run: Run, file: Path, *more: str, stdin: str = "") -> tuple[int, dict[str, tuple[str, str]], str]:
    ended = run("config", "import", str(file), "--yes", "--format", "json", *more, stdin=stdin)
    rows = {row["name"]: (row["state"], row["reason"]) for row in json.loads(ended.stdout) if row["kind"] == "cloud"}
    return ended.returncode, rows, ended.stdout + ended.stderr


def test_an_openstack_of_a_4_1_file_is_used_and_a_wrong_password_is_told(
    run: Run, openstack: Clouds, tmp_path: Path
) -> None:
    credential = openstack.credential()
    file = tmp_path / "cloudmesh.yaml"
    file.write_text(OF_4_1.format(**{"region_name": "", **credential}))
    secret = f"live.password={credential['password']}\n"
    code, rows, said = imported(run, file, "--secret-file", "-", stdin=secret)
    assert (code, rows["live"][0], rows["refused"][0]) == (1, "done", "refused"), said
    assert "401" in rows["refused"][1] or "authenticat" in rows["refused"][1].lower()
    assert "not-this-one" not in said
    assert credential["password"] not in said
    known = json.loads(run("image", "list", "--cloud", "live", "--format", "json").stdout)
    assert known, "its images are there when the import ends"
    code, rows, said = imported(run, file, "--only", "live")
    assert (code, rows["live"][0]) == (0, "there already"), said


def test_an_ec2_of_a_1_x_file_is_used(run: Run, moto: str, moto_account: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "cloudmesh.yaml"
    file.write_text(OF_1_X.format(**{**moto_account, "endpoint_url": moto}))
    code, rows, said = imported(run, file)
    assert (code, rows["moto"][0]) == (0, "done"), said
    assert moto_account["secret_access_key"] not in said
