"""What a scheduler was registered with, and how it is shown."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from activity.views import SIGNED, needs
from cloudmesh.errors import CloudmeshError
from hpc import services
from hpc.forms import ShownForm, blame, clusters_text
from hpc.models import Scheduler
from hpc.views.clusters import cluster_cards, managed, seen_cluster
from projects import access
from projects.views import Signed, answer


@needs(SIGNED, post="cluster.manage")
class Settings(View):
    request: Signed

    def get(self, request: Signed, pk: uuid.UUID) -> HttpResponse:
        scheduler = seen_cluster(request.user, pk).scheduler
        known = {
            "label": scheduler.label,
            "clusters": clusters_text(list(scheduler.clusters.all())),
            "shows_all": scheduler.shows_all,
            "identity": scheduler.identity,
        }
        return self._page(pk, ShownForm(initial=known, by_admin=access.is_admin(request.user)))

    def post(self, request: Signed, pk: uuid.UUID) -> HttpResponse:
        cluster = managed(request.user, pk)
        form = ShownForm(request.POST, by_admin=access.is_admin(request.user))
        if not form.is_valid():
            return self._page(pk, form)
        said, scheduler = form.cleaned_data, cluster.scheduler
        try:
            services.change_scheduler(
                actor=request.user,
                scheduler=scheduler,
                label=said["label"],
                identity=said.get("identity"),
                shows_all=said["shows_all"],
            )
            services.set_clusters(
                actor=request.user, scheduler=scheduler, clusters=said["clusters"] or {str(scheduler): []}
            )
        except CloudmeshError as error:
            blame(form, error)
            return self._page(pk, form)
        first = scheduler.clusters.order_by("name")[0]
        here = cluster if scheduler.clusters.filter(pk=cluster.pk).exists() else first
        return answer(request, f"{scheduler} is changed", back=reverse("hpc:cluster-settings", args=[here.pk]))

    def _page(self, pk: uuid.UUID, form: ShownForm) -> HttpResponse:
        cluster = cluster_cards(self.request.user, [seen_cluster(self.request.user, pk)])[0]
        context = {
            "cluster": cluster,
            "tab": "settings",
            "form": form,
            "facts": _facts(cluster.scheduler),
            "clusters": cluster.scheduler.clusters.all(),
        }
        return render(self.request, "hpc/cluster_settings.html", context, status=400 if form.errors else 200)


def _facts(scheduler: Scheduler) -> list[tuple[str, Any]]:
    """What was given with its credential and is no secret, under the names that the form has."""
    driver = scheduler.driver if scheduler.driver in services.drivers() else ""
    labels = {field.name: field.label for field in services.fields(driver, scheduler.way)} if driver else {}
    return [(labels.get(name, name), value) for name, value in scheduler.facts.items() if value]
