"""Drivers by name, from the entry points of this and other packages; each is imported only when it is used."""

import functools
import importlib.metadata
import logging
from typing import Generic, TypeVar

from cloudmesh.errors import Invalid

log = logging.getLogger(__name__)
Driver = TypeVar("Driver")


class Drivers(Generic[Driver]):
    def __init__(self, group: str, called: str) -> None:
        self._group = group
        self._called = called  # a sentence calls one of them so

    @functools.cached_property
    def all(self) -> dict[str, type[Driver]]:
        """Those that can be used, by name."""
        found = {}
        for name in self._points:
            try:
                found[name] = self.named(name)
            except ImportError as error:
                log.warning("The %s %s is left out: %s", self._called, name, error)
        return found

    def named(self, name: str) -> type[Driver]:
        """One driver; only its own module is imported. Raises Invalid."""
        try:
            point = self._points[name]
        except KeyError:
            known = ", ".join(self._points)
            raise Invalid(f"There is no {self._called} {name[:40]!r}; there are: {known}.", field="driver") from None
        driver: type[Driver] = point.load()
        return driver

    @functools.cached_property
    def _points(self) -> dict[str, importlib.metadata.EntryPoint]:
        return {point.name: point for point in sorted(importlib.metadata.entry_points(group=self._group))}
