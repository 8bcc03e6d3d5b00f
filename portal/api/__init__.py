"""The REST API as a whole: how it reads and writes JSON, and which end points there are (`urls`)."""

import hashlib
import re
from collections.abc import Callable
from typing import IO, Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework import exceptions
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from cloudmesh.version import VERSIONS


class JSON(BaseRenderer):
    """JSON by orjson, 10 times quicker than the standard one."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_text, option=orjson.OPT_NON_STR_KEYS)


def _text(value: Any) -> str:
    """Lazy texts, amounts and the like in words; a function among them is a mistake of ours, and told to nobody."""
    if callable(value):
        raise TypeError(f"{value!r} is no answer.")
    return str(value)


class TooLarge(exceptions.APIException):
    status_code = 413
    default_detail = "Too large"


class JSONBody(BaseParser):
    """Bodies in JSON, no longer than the portal takes; none at all is an empty object."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        longest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(longest + 1)
        if len(body) > longest:
            raise TooLarge(f"The body is longer than {longest // 1000} kB, which is all that is taken.")
        try:
            return orjson.loads(body) if body.strip() else {}
        except orjson.JSONDecodeError as error:
            raise exceptions.ParseError(f"The body is not JSON: {error}.") from error


AGES = re.compile(rb'"age_seconds":\d+')


def fresh(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: answers of the API carry an ETag, and 304 says that nothing changed but ages."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not request.path.startswith("/api/"):
            return response
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.headers["Cloudmesh-Version"] = VERSIONS
        if request.method != "GET" or response.status_code != 200 or not isinstance(response, HttpResponse):
            return response
        digest = hashlib.blake2b(AGES.sub(b"", response.content), digest_size=16).hexdigest()
        response.headers["ETag"] = f'W/"{digest}"'
        return get_conditional_response(request, etag=response.headers["ETag"], response=response) or response

    return answer
