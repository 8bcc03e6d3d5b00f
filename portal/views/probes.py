"""Whether the process lives, and whether it can work."""

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from activity.views import PUBLIC, needs

WAIT = 1  # seconds for Redis


@needs(PUBLIC)
@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@needs(PUBLIC)
@never_cache
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """It reaches its database and Redis; 503 with what is down otherwise."""
    down = {name: why for name, why in (("database", _database()), ("redis", _redis())) if why}
    return JsonResponse({"ready": not down, "down": down}, status=503 if down else 200)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        return _word(error)
    return ""


def _redis() -> str:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=WAIT, socket_connect_timeout=WAIT) as client:
            client.ping()
    except redis.RedisError as error:
        return _word(error)
    return ""


def _word(error: Exception) -> str:
    """The kind of failure; its text may name hosts and users, which is for the log and not for strangers."""
    return type(error).__name__
