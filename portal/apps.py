from django.apps import AppConfig
from django.core import checks

from portal.checks import setup


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        checks.register(setup)
