"""Reading the directory now and then, so that whoever left it is let in no more."""

import logging

from celery import shared_task

from accounts.backends.ldap import census, config
from accounts.backends.ldap.directory import directory
from cloudmesh.errors import CloudmeshError

log = logging.getLogger(__name__)


@shared_task(name="accounts.tasks.sync_directory", time_limit=600)
def sync_directory() -> None:
    """What fails is noted by the census itself, and tried again the next time."""
    try:
        settings = config.current()
        census.take(directory(settings), settings)
    except CloudmeshError as error:
        log.warning("The directory was not read: %s", error)
