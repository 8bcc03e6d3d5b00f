"""The work: handlers that ask a scheduler once and say what they learned, and the Celery side of reading them."""

from celery import current_app, shared_task

from hpc.sync import schedule
from hpc.tasks import files, jobs, schedulers

__all__ = ["files", "jobs", "schedulers", "sync", "sync_due"]


@shared_task
def sync_due() -> None:
    for sync_id in schedule.due():
        current_app.send_task("hpc.tasks.sync", args=[sync_id], expires=60)


@shared_task
def sync(sync_id: int) -> None:
    schedule.run(sync_id)
