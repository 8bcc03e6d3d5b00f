"""Registering a scheduler: its kind, the way to it, what these need; then watch how it is verified."""

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_safe

from activity.views import SIGNED, needs
from cloudmesh.errors import CloudmeshError
from hpc import services
from hpc.forms import SchedulerForm, blame
from hpc.forms.schedulers import PREFIX
from hpc.models import Identity, Scheduler, Way
from operations.models import Operation, OperationState
from operations.views import shown
from projects import access
from projects.views import Signed

WAYS = {
    Way.SSH: "The portal runs the scheduler's commands on a login node. You need a user name and a key there.",
    Way.LOCAL: "The portal runs on a login node itself; for administrators.",
    Way.REST: "The scheduler has an interface for programs. You need its address and a token.",
    Way.SIMULATOR: "Nothing real: to try things, to teach and to test.",
}


@needs(SIGNED)
class Register(View):
    """GET: the kinds, the ways of the chosen one, and its form. POST: verify what was given."""

    request: Signed

    def get(self, request: Signed) -> HttpResponse:
        asked = request.GET
        if asked.get("scheduler"):
            scheduler = self._scheduler()
            return self._page(scheduler.driver, scheduler.way, self._of(scheduler), scheduler=scheduler)
        if asked.get("operation"):
            failed = access.fetch(Operation, asked["operation"], actor=request.user, permission="operation.view")
            return self._again(failed)
        driver, way = self._chosen()
        return self._page(driver, way, self._form(driver, way, name=asked.get("name", "")) if way else None)

    def post(self, request: Signed) -> HttpResponse:
        if request.GET.get("scheduler"):
            scheduler = self._scheduler()
            return self._replace(scheduler, self._of(scheduler, request.POST))
        driver, way = self._chosen()
        return self._register(driver, way, self._form(driver, way, request.POST))

    def _chosen(self) -> tuple[str, str]:
        """A kind that is reached in one way alone needs no choice of it."""
        driver, way = self.request.GET.get("driver", ""), self.request.GET.get("way", "")
        if driver and not way:
            ways = services.driver_named(driver).ways
            way = ways[0] if len(ways) == 1 else ""
        return driver, way

    def _register(self, driver: str, way: str, form: SchedulerForm) -> HttpResponse:
        if form.is_valid():
            said = form.cleaned_data
            try:
                _, operation = services.register_scheduler(
                    actor=self.request.user,
                    project=access.default_project(self.request.user),
                    name=said["name"],
                    driver=driver,
                    way=way,
                    credential=form.credential,
                    label=said["label"],
                    shared=said.get("shared", False),
                    identity=said.get("identity") or Identity.OWN,
                    shows_all=said["shows_all"],
                    clusters=said["clusters"] or None,
                )
                return redirect("hpc:cluster-verify", operation.pk)
            except CloudmeshError as error:
                blame(form, error, prefix=PREFIX)
        return self._page(driver, way, form)

    def _replace(self, scheduler: Scheduler, form: SchedulerForm) -> HttpResponse:
        if form.is_valid():
            try:
                operation = services.replace_credential(
                    actor=self.request.user, scheduler=scheduler, credential=form.credential
                )
                return redirect("hpc:cluster-verify", operation.pk)
            except CloudmeshError as error:
                blame(form, error, prefix=PREFIX)
        return self._page(scheduler.driver, scheduler.way, form, scheduler=scheduler)

    def _again(self, failed: Operation) -> HttpResponse:
        """What was given and is no secret, to be corrected."""
        params = failed.params
        driver, way = str(params.get("driver", "")), str(params.get("way", ""))
        way = way or services.driver_named(driver).ways[0]
        form = self._form(
            driver, way, facts=params.get("facts"), name=failed.target_name, label=str(params.get("label", ""))
        )
        return self._page(driver, way, form)

    def _form(self, driver: str, way: str, data: Any = None, **known: Any) -> SchedulerForm:
        """Raises Invalid for a kind or a way that is not there."""
        by_admin = access.is_admin(self.request.user)
        return SchedulerForm(services.fields(driver, way), data, by_admin=by_admin, **known)

    def _of(self, scheduler: Scheduler, data: Any = None) -> SchedulerForm:
        return self._form(scheduler.driver, scheduler.way, data, facts=scheduler.facts, named=False)

    def _scheduler(self) -> Scheduler:
        pk = self.request.GET["scheduler"]
        return access.fetch(Scheduler, pk, actor=self.request.user, permission="cluster.manage")

    def _page(self, driver: str, way: str, form: Any, *, scheduler: Scheduler | None = None) -> HttpResponse:
        query = {"scheduler": str(scheduler.pk)} if scheduler else {"driver": driver, "way": way}
        context = {
            "kinds": [] if scheduler else list(_kinds(driver)),
            "ways": list(_ways(driver, way)) if driver and not scheduler else [],
            "form": form,
            "driver": driver,
            "way": way,
            "action": f"{reverse('hpc:cluster-register')}?{urlencode(query)}",
            "scheduler": scheduler,
        }
        status = 400 if form is not None and form.is_bound else 200
        return render(self.request, "hpc/cluster_register.html", context, status=status)


@needs("operation.view")
@require_safe
def cluster_verify(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """How far the verification is, what came of it, and the host key that was found."""
    operation = access.fetch(Operation, pk, actor=request.user, permission="operation.view")
    scheduler = access.visible(Scheduler, request.user).filter(pk=str(operation.target_id)).first()
    context = {
        "operation": shown(request.user, [operation])[0],
        "scheduler": scheduler,
        "clusters": scheduler.clusters.all() if scheduler else [],
        "is_done": operation.state == OperationState.SUCCEEDED,
        "host_key": operation.result.get("host_key", ""),
        "again": urlencode({"scheduler": scheduler.pk} if scheduler else {"operation": operation.pk}),
    }
    return render(request, "hpc/cluster_verify.html", context)


def _kinds(chosen: str) -> Iterator[dict[str, Any]]:
    for name, driver in services.drivers().items():
        many = f"Reached {', or '.join(Way(way).label for way in driver.ways)}."
        help = many if len(driver.ways) > 1 else WAYS[Way(driver.ways[0])]
        yield {"label": driver.label, "help": help, "query": f"driver={name}", "selected": name == chosen}


def _ways(driver: str, chosen: str) -> Iterator[dict[str, Any]]:
    for way in services.driver_named(driver).ways:
        label = Way(way).label
        query = urlencode({"driver": driver, "way": way})
        label = label[:1].upper() + label[1:]
        yield {"label": label, "help": WAYS[Way(way)], "query": query, "selected": way == chosen}
