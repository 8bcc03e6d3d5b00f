"""The work: handlers that ask a scheduler once and say what they learned, and the Celery side of reading them."""

import datetime

from celery import current_app, shared_task
from django.utils import timezone

from hpc.sync import schedule
from hpc.tasks import files, jobs, schedulers
from operations.models import Operation

__all__ = ["files", "forget_readings", "jobs", "schedulers", "sync", "sync_due"]

READINGS = ("job.read", "job.files", "job.forecast")
HOUR = datetime.timedelta(hours=1)


@shared_task
def sync_due() -> None:
    for sync_id in schedule.due():
        current_app.send_task("hpc.tasks.sync", args=[sync_id], expires=60)


@shared_task
def sync(sync_id: int) -> None:
    schedule.run(sync_id)


@shared_task
def forget_readings() -> None:
    """What was read for somebody is not kept."""
    Operation.objects.filter(kind__in=READINGS, finished_at__lt=timezone.now() - HOUR).delete()
