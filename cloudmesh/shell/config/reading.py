"""Files from disk as what they hold: those that belong together, paths of keys, and certificates."""

import os
from collections.abc import Iterable, Iterator

import click

from cloudmesh.errors import CloudmeshError, Invalid, NotFound
from cloudmesh.imports import kinds
from cloudmesh.imports.documents import LARGEST
from cloudmesh.imports.found import Found, joined

#: Files that tools keep beside each other, each of which holds a part.
BESIDE = {"clouds.yaml": "secure.yaml", "clouds.yml": "secure.yml", "credentials": "config", "config": "credentials"}


def read(files: Iterable[str], kind: str = "") -> Found:
    """What the files hold together. Raises Invalid, NotFound."""
    paths = dict.fromkeys(os.path.expanduser(file) for file in files)
    return joined([_read(path, kind) for path in paths] + [_read(path, kind) for path in _beside(paths)])


def text_of(path: str) -> str:
    """A short text file. Raises CloudmeshError."""
    return _bytes(os.path.expandvars(os.path.expanduser(path))).decode("utf-8", "replace")


def public_key(path: str) -> str:
    """The public key at a path, also where that is its private half, which is not read. Raises CloudmeshError."""
    path = os.path.expandvars(os.path.expanduser(path))
    path = path if path.endswith(".pub") else f"{path}.pub"
    text = text_of(path).strip()
    if "PRIVATE KEY" in text:
        raise Invalid(f"{path} holds a private key.")
    return text


def _read(path: str, kind: str) -> Found:
    try:
        return kinds.read(_bytes(path), path, kind)
    except Invalid as error:
        if path in error.message:
            raise
        raise Invalid(f"{path}: {error.message}", **error.facts) from None


def _bytes(path: str) -> bytes:
    try:
        with click.open_file(path, "rb") as file:
            content: bytes = file.read(LARGEST + 1)
            return content
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise Invalid(f"{path} is a folder. Give the files in it that are to be imported.") from None
    except OSError as error:
        raise CloudmeshError(f"{path} cannot be read: {error.strerror}.") from error


def _beside(paths: Iterable[str]) -> Iterator[str]:
    """The other halves of files that were given; of `config` only where it is AWS's."""
    given = set(paths)
    for path in given:
        folder, name = os.path.split(path)
        other = os.path.join(folder, BESIDE.get(name, ""))
        belongs = name in BESIDE and (name not in ("config", "credentials") or os.path.basename(folder) == ".aws")
        if belongs and other not in given and os.path.isfile(other):
            yield other
