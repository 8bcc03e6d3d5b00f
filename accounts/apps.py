import importlib

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """Whatever process a directory is read in, the keys of its people come along."""
        importlib.import_module("accounts.services.directory")
