"""The Celery side of the engine: messages carry ids only, and getting one twice does nothing twice."""

from celery import shared_task

from operations import engine


@shared_task
def run(operation_id: str) -> None:
    engine.run(operation_id)


@shared_task
def sweep() -> None:
    engine.sweep()
