"""What `cm` wants to know beside the data: with `Prefer: output-format` an answer tells how lists are to be shown.

A header of the answer that is sent anyway costs `cm` no request of its own, and unlike a copy beside the login it is
never old: a default changed in the web counts for the next `cm vm list`. Who does not ask pays nothing.
"""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import User
from clouds import services

FORMAT = "output-format"


def told(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: see above."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.headers.get("Prefer") == FORMAT and isinstance(user := getattr(request, "user", None), User):
            response.headers["Preference-Applied"] = f"{FORMAT}={services.output_format(user)}"
        return response

    return answer
