import importlib

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.core import checks
from django.utils.module_loading import autodiscover_modules

from portal.checks import setup


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        checks.register(setup)
        # Of each app, whichever process it is: who sees its records, and what follows when they are written.
        autodiscover_modules("access", "lifecycle")


class ConsoleConfig(SimpleAdminConfig):
    """Django's admin as our console: with the pages of our own apps, since others' would write past the services."""

    default_site = "portal.admin.Console"
    shown = ("clouds", "hpc", "operations", "projects", "accounts", "activity")

    def ready(self) -> None:
        super().ready()
        for app in self.shown:
            importlib.import_module(f"{app}.admin")
