"""Which OpenStack the live tests run against."""

import os
import pathlib
from collections.abc import Mapping

import yaml

OURS = pathlib.Path(os.environ.get("CLOUDMESH_LIVE_DIR", "/var/tmp/cloudmesh-live")) / "openstack/clouds.yaml"


class Clouds:
    """The clouds of one clouds.yaml, as credentials of the driver."""

    def __init__(self, path: pathlib.Path, default: str) -> None:
        self.default = default
        self.entries = yaml.safe_load(path.read_text())["clouds"]

    def credential(self, name: str = "") -> Mapping[str, str]:
        entry = self.entries[name or self.default]
        flat = {**entry["auth"], **{key: value for key, value in entry.items() if isinstance(value, str | bool)}}
        if pem := flat.get("cacert"):
            flat["cacert"] = pathlib.Path(pem).expanduser().read_text()
        return {key: str(value) for key, value in flat.items()}
