"""A person's webhooks: added, tested, switched off and on, with what became of the last deliveries."""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import services as accounts
from accounts.models import User, Webhook
from activity.views import OWN, SIGNED, needs
from cloudmesh.errors import CloudmeshError
from portal.views.events import KINDS
from projects import access, services
from projects.models import Project
from projects.views import Signed, answer, dress, is_htmx

LATEST = 50  # deliveries
INPUT = {"class": "form-control", "autocomplete": "off", "spellcheck": "false"}


class WebhookForm(forms.Form):
    url = forms.CharField(
        label="URL", max_length=400, help_text="https, on the public internet.", widget=forms.TextInput(attrs=INPUT)
    )
    project = forms.ChoiceField(label="Told of", required=False, widget=forms.Select(attrs={"class": "form-select"}))
    kinds = forms.CharField(
        label="Only these kinds of events",
        required=False,
        max_length=400,
        help_text=f"With commas, such as {', '.join(KINDS[:3])}. Empty: all.",
        widget=forms.TextInput(attrs=INPUT),
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = [place for place in access.workplaces(actor) if not access.why_not(actor, "webhook.manage", place)]
        choices = [("", "What concerns me"), *((place.name, f"Project {place}") for place in places)]
        self.fields["project"].choices = choices  # type: ignore[attr-defined]


@needs(SIGNED)
class Webhooks(View):
    def get(self, request: Signed, form: WebhookForm | None = None) -> HttpResponse:
        mine = list(access.visible(Webhook, request.user))
        rows = [dress(each, project=project) for each, project in zip(mine, _projects(mine), strict=True)]
        context = {"webhooks": rows, "form": form or WebhookForm(actor=request.user), "most": accounts.WEBHOOKS}
        return render(request, "portal/webhook_list.html", context, status=400 if form else 200)

    def post(self, request: Signed) -> HttpResponse:
        form = WebhookForm(request.POST, actor=request.user)
        if not form.is_valid():
            return self.get(request, form)
        name, kinds = form.cleaned_data["project"], form.cleaned_data["kinds"].split(",")
        try:
            project = access.project_named(request.user, name, permission="webhook.manage") if name else None
            webhook, secret = services.add_webhook(
                actor=request.user, url=form.cleaned_data["url"], project=project, kinds=kinds
            )
        except CloudmeshError as error:
            field = str(error.facts.get("field", ""))
            form.add_error(field if field in form.fields else None, error.message)
            return self.get(request, form)
        return _shown(request, webhook, secret=secret)


@needs(OWN)
@require_safe
def webhook_detail(request: Signed, webhook: uuid.UUID) -> HttpResponse:
    return _shown(request, _own(request, webhook))


@needs(OWN)
@require_POST
def webhook_action(request: Signed, webhook: uuid.UUID, action: str) -> HttpResponse:
    """Test, switch on or off, or remove it."""
    if action not in ACTIONS:
        raise Http404
    found = _own(request, webhook)
    here, act = reverse("portal:webhook", args=[found.pk]), ACTIONS[action]
    said = act(request, found)
    if action != "remove":
        return answer(request, said, back=here)
    if is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("portal:webhooks")})
    return answer(request, said, back=reverse("portal:webhooks"))


def _test(request: Signed, webhook: Webhook) -> str:
    services.test_webhook(actor=request.user, webhook=webhook)
    return "A test event is on its way."


def _enable(request: Signed, webhook: Webhook) -> str:
    services.enable_webhook(actor=request.user, webhook=webhook, skip="skip" in request.POST)
    return "The webhook is switched on."


def _disable(request: Signed, webhook: Webhook) -> str:
    accounts.disable_webhook(actor=request.user, webhook=webhook, reason="Switched off by you.")
    return "The webhook is switched off."


def _remove(request: Signed, webhook: Webhook) -> str:
    accounts.remove_webhook(actor=request.user, webhook=webhook)
    return "The webhook is removed."


ACTIONS: dict[str, Callable[[Signed, Webhook], str]] = {
    "test": _test,
    "enable": _enable,
    "disable": _disable,
    "remove": _remove,
}


@never_cache
def _shown(request: Signed, webhook: Webhook, *, secret: str = "") -> HttpResponse:
    context = {
        "webhook": webhook,
        "of_project": _projects([webhook])[0],
        "deliveries": webhook.deliveries.all()[:LATEST],
        "secret": secret,
    }
    return render(request, "portal/webhook_detail.html", context)


def _projects(webhooks: list[Webhook]) -> list[str | None]:
    """The names of the projects that they are told of."""
    ids = {each.project_id for each in webhooks if each.project_id}
    names = dict(Project.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    return [names.get(each.project_id) if each.project_id else None for each in webhooks]


def _own(request: Signed, pk: uuid.UUID) -> Webhook:
    return access.fetch(Webhook, pk, actor=request.user, permission="webhook.manage")
