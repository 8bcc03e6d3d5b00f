"""Reading the directory now and then, so that whoever left it is let in no more."""

import contextlib

from celery import shared_task

from accounts.backends.ldap import census, config
from accounts.backends.ldap.directory import directory
from cloudmesh.errors import CloudmeshError


@shared_task(name="accounts.tasks.sync_directory", time_limit=600)
def sync_directory() -> None:
    """What fails is tried again the next time."""
    settings = config.current()
    with contextlib.suppress(CloudmeshError):  # the census has said it
        census.take(directory(settings), settings)
