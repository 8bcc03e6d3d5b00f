"""A person's SSH keys: added by pasting or from a file, deleted, and one of them the default."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_POST

from accounts import services as accounts
from accounts.models import SshKey
from activity.views import OWN, SIGNED, needs
from cloudmesh.errors import CloudmeshError
from clouds import services
from clouds.forms import KeyForm, blame
from projects import access
from projects.views import Signed, answer, dress, is_htmx


@needs(SIGNED)
class Keys(View):
    def get(self, request: Signed, form: KeyForm | None = None) -> HttpResponse:
        context = {"keys": _keys(request), "form": form or KeyForm(), "tab": "keys"}
        return render(request, "clouds/key_list.html", context, status=400 if form else 200)

    def post(self, request: Signed) -> HttpResponse:
        form = KeyForm(request.POST, request.FILES)
        if form.is_valid():
            name, text = form.cleaned_data["name"], form.cleaned_data["public_key"]
            try:
                added = accounts.add_ssh_keys(actor=request.user, name=name, text=text)
                messages.success(request, f"Added: {', '.join(key.name for key in added)}.")
                return redirect("clouds:key-list")
            except CloudmeshError as error:
                blame(form, error)
        return self.get(request, form)


@needs(OWN)
@require_POST
def key_delete(request: Signed, pk: uuid.UUID) -> HttpResponse:
    key = access.fetch(SshKey, pk, actor=request.user, permission="key.delete")
    accounts.remove_ssh_key(actor=request.user, key=key)
    if is_htmx(request):
        return HttpResponse()  # the row is swapped for nothing
    return answer(request, f"The key {key} is deleted", back=reverse("clouds:key-list"))


def _keys(request: Signed) -> list[Any]:
    places = access.workplaces(request.user)
    usual = services.usual_key(request.user, places[0] if places else None)
    return [
        dress(key, is_default=key == usual, may_default=bool(places)) for key in access.visible(SshKey, request.user)
    ]
