"""Registering a cloud: choose its kind or bring a file, then watch how its credential is verified."""

import re
import uuid
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_safe

from activity.views import SIGNED, needs
from cloudmesh.errors import CloudmeshError
from cloudmesh.types import Field
from clouds import services
from clouds.forms import AccountForm, FileForm, blame, from_file
from clouds.forms.account import CLOUDS_YAML, OPENRC, PREFIX
from clouds.models import CloudAccount
from operations.models import Operation, OperationState
from operations.views import shown
from projects import access
from projects.views import Signed

FILES = {
    CLOUDS_YAML: "The file of OpenStack's own tools; one of its clouds.",
    OPENRC: "The script that Horizon hands out; it is read, never run.",
}
OF_FILES = "openstack"  # what both files are about
ABSENT = "The file does not hold it. Give it here."


@needs(SIGNED)
class Register(View):
    """GET: the ways, and the form of the chosen one. POST: verify what was given."""

    request: Signed

    def get(self, request: Signed) -> HttpResponse:
        asked = request.GET
        if asked.get("account"):
            account = _account(request, asked["account"])
            return self._page(account.cloud.driver, _of_account(account), account=account)
        if asked.get("operation"):
            failed = access.fetch(Operation, asked["operation"], actor=request.user, permission="operation.view")
            return self._page(str(failed.params.get("driver", "")), _of_failed(failed))
        way = asked.get("driver") or asked.get("file", "")
        form = FileForm(way) if way in FILES else _form(way, name=asked.get("name", "")) if way else None
        return self._page(way, form)

    def post(self, request: Signed) -> HttpResponse:
        way = request.GET.get("driver") or request.GET.get("file", "")
        if way in FILES:
            return self._take_file(way)
        if request.GET.get("account"):
            account = _account(request, request.GET["account"])
            return self._replace(account, _of_account(account, request.POST))
        return self._register(way, _form(way, request.POST))

    def _take_file(self, way: str) -> HttpResponse:
        form = FileForm(way, self.request.POST, self.request.FILES)
        if form.is_valid():
            try:
                entry = from_file(form)
            except CloudmeshError as error:
                blame(form, error)
            else:
                name = form.cleaned_data["name"] or _as_name(entry.name)
                filled = QueryDict(mutable=True)
                filled.update({"name": name, "label": form.cleaned_data["label"]})
                filled.update({f"{PREFIX}{field}": value for field, value in entry.credential.items()})
                return self._register(OF_FILES, _form(OF_FILES, filled), absent=entry.missing)
        return self._page(way, form)

    def _register(self, way: str, form: AccountForm, absent: tuple[str, ...] = ()) -> HttpResponse:
        if form.is_valid() and not absent:
            try:
                _, operation = services.register_account(
                    actor=self.request.user,
                    project=access.default_project(self.request.user),
                    name=form.cleaned_data["name"],
                    driver=way,
                    credential=form.credential,
                    label=form.cleaned_data["label"],
                )
                return redirect("clouds:cloud-verify", operation.pk)
            except CloudmeshError as error:
                blame(form, error, prefix=PREFIX)
        for field in absent:
            form.add_error(f"{PREFIX}{field}", ABSENT)
        return self._page(way, form)

    def _replace(self, account: CloudAccount, form: AccountForm) -> HttpResponse:
        if form.is_valid():
            try:
                operation = services.replace_credential(
                    actor=self.request.user, account=account, credential=form.credential
                )
                return redirect("clouds:cloud-verify", operation.pk)
            except CloudmeshError as error:
                blame(form, error, prefix=PREFIX)
        return self._page(account.cloud.driver, form, account=account)

    def _page(self, way: str, form: Any, *, account: CloudAccount | None = None) -> HttpResponse:
        action = reverse("clouds:cloud-register") + "?" + urlencode({"account": account.pk} if account else _query(way))
        context = {"ways": [] if account else list(_ways(way)), "form": form, "action": action, "account": account}
        status = 400 if form is not None and form.is_bound else 200
        return render(self.request, "clouds/cloud_register.html", context, status=status)


@needs("operation.view")
@require_safe
def cloud_verify(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """How far the verification of a credential is, and what came of it."""
    operation = access.fetch(Operation, pk, actor=request.user, permission="operation.view")
    account = access.visible(CloudAccount, request.user).filter(pk=str(operation.target_id)).first()
    context = {
        "operation": shown(request.user, [operation])[0],
        "account": account,
        "is_done": operation.state == OperationState.SUCCEEDED,
        "again": urlencode({"account": account.pk} if account else {"operation": operation.pk}),
    }
    return render(request, "clouds/cloud_verify.html", context)


def _account(request: Signed, pk: str) -> CloudAccount:
    return access.fetch(CloudAccount, pk, actor=request.user, permission="cloud.manage")


def _form(driver: str, data: Any = None, **known: Any) -> AccountForm:
    """Raises Invalid for a kind that is not there."""
    return AccountForm(services.driver_named(driver).fields, data, **known)


def _of_account(account: CloudAccount, data: Any = None) -> AccountForm:
    return _form(account.cloud.driver, data, facts=account.facts, named=False)


def _of_failed(operation: Operation) -> AccountForm:
    """What was given and is no secret, to be corrected."""
    params = operation.params
    label = str(params.get("label", ""))
    return _form(str(params.get("driver", "")), facts=params.get("facts"), name=operation.target_name, label=label)


def _ways(chosen: str) -> Iterator[dict[str, Any]]:
    kinds = {name: (driver.label, _help(driver.fields)) for name, driver in services.drivers().items()}
    files = {name: (name, help) for name, help in FILES.items()}
    for name, (label, help) in {**kinds, **files}.items():
        yield {"label": label, "help": help, "url": "?" + urlencode(_query(name)), "selected": name == chosen}


def _query(way: str) -> dict[str, str]:
    return {"file" if way in FILES else "driver": way}


def _help(fields: Iterable[Field]) -> str:
    """What one has to have at hand."""
    needed = ", ".join(field.label for field in fields if field.required)
    return f"You need: {needed}." if needed else ""


def _as_name(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-")[:40]
