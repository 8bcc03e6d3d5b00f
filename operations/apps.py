import importlib

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self) -> None:
        """Whatever process somebody is taken out of a project in, their wishes there end with it."""
        importlib.import_module("operations.services")
