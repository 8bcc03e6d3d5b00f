"""What people write in files instead of many options: one object, as JSON or YAML."""

import json
from typing import TYPE_CHECKING, TextIO

from cloudmesh.errors import Invalid

if TYPE_CHECKING:
    from cloudmesh.types import Json


def read(file: TextIO, holding: str) -> "Json":
    """The object in a JSON or YAML file; `holding` says what belongs in it. Raises Invalid."""
    try:
        text = file.read()
    except UnicodeDecodeError:
        raise Invalid(f"{file.name} is no text file.") from None
    try:
        found = json.loads(text)
    except ValueError:
        found = _yaml(text)
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise Invalid(f"The file must hold an object with {holding}; --help shows one.")
    return found


def _yaml(text: str) -> object:
    try:
        import yaml
    except ImportError:
        raise Invalid("The file is no JSON, and reading YAML needs: pip install pyyaml") from None
    try:
        found: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Invalid(f"The file is neither JSON nor YAML: {error}") from None
    return found
