"""Cloudmesh: one set of words for many clouds, queues and machines."""

__version__ = "1.0.0.dev0"
