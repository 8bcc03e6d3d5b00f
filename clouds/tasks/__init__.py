"""The work: handlers that ask a cloud once and say what they learned, and the Celery side of reading clouds."""

from celery import current_app, shared_task

from clouds.sync import schedule
from clouds.tasks import accounts, networks, servers, shape, volumes

__all__ = ["accounts", "networks", "servers", "shape", "sync", "sync_due", "volumes"]


@shared_task
def sync_due() -> None:
    for sync_id in schedule.due():
        current_app.send_task("clouds.tasks.sync", args=[sync_id], expires=60)


@shared_task
def sync(sync_id: int) -> None:
    schedule.run(sync_id)
