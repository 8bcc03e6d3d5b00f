"""One's API tokens: made with a scope, an end and perhaps for one project; the secret is shown once."""

import datetime
import uuid

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from accounts import services
from accounts.models import ApiToken
from accounts.views import Signed
from activity.views import OWN, SIGNED, needs
from projects import access
from projects.forms.tokens import TokenForm
from projects.views.lists import answer, dress


@needs(SIGNED)
@method_decorator(never_cache, name="dispatch")
class Tokens(View):
    def get(self, request: Signed) -> HttpResponse:
        return self._page(request, TokenForm(actor=request.user))

    @method_decorator(sensitive_variables("secret"))
    def post(self, request: Signed) -> HttpResponse:
        form = TokenForm(request.POST, actor=request.user)
        if not form.is_valid():
            return self._page(request, form, status=400)
        token, secret = services.issue_token(user=request.user, **form.wish())
        return self._page(request, TokenForm(actor=request.user), token=token, secret=secret)

    def _page(
        self, request: Signed, form: forms.Form, *, status: int = 200, token: ApiToken | None = None, secret: str = ""
    ) -> HttpResponse:
        context = {"form": form, "tokens": _tokens(request), "token": token, "secret": secret, "tab": "tokens"}
        return render(request, "accounts/token_list.html", context, status=status)


@needs(OWN)
@require_POST
def token_revoke(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """End a token at once."""
    token = access.fetch(ApiToken, pk, actor=request.user, permission="token.revoke")
    services.revoke_token(token=token, actor=request.user)
    return answer(request, f"The token {token} is revoked.", back=reverse("portal:account-tokens"))


def _tokens(request: Signed) -> list[ApiToken]:
    names = {project.pk: project.name for project in access.workplaces(request.user)}
    now = datetime.datetime.now(datetime.UTC)
    return [
        dress(
            token,
            project_name=names.get(token.project_id, "a project that you left") if token.project_id else "",
            is_over=token.expires_at is not None and token.expires_at <= now,
        )
        for token in access.visible(ApiToken, request.user)
    ]
