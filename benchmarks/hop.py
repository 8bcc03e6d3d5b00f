"""The bare hop: a Celery app of its own on the same broker, whose one task says when it began."""

import os
import time

import redis
from celery import Celery

from portal.settings import broker

QUEUE = "benchmark-hop"

app = Celery("hop", broker=broker(os.environ["REDIS_URL"]), set_as_current=False)
app.conf.update(task_default_queue=QUEUE, task_ignore_result=True, worker_prefetch_multiplier=1, task_acks_late=True)
answers = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=None)


@app.task(name="benchmarks.hop.say")
def say() -> None:
    answers.rpush(QUEUE + "-answers", time.time())


def once() -> float:
    """Seconds from sending the message to the beginning of its task."""
    began = time.time()
    say.delay()
    _, said = answers.blpop([QUEUE + "-answers"])  # type: ignore[misc]
    return float(said) - began
