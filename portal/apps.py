from django.apps import AppConfig
from django.core import checks
from django.utils.module_loading import autodiscover_modules

from portal.checks import setup


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        checks.register(setup)
        autodiscover_modules("lifecycle")  # of each app: they follow what is written, whichever process writes it
