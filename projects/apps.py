import importlib

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"

    def ready(self) -> None:
        """Whatever process a directory is read in, its groups give and take memberships."""
        importlib.import_module("projects.services.directory")
