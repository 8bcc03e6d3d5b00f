"""Putting ticked servers into a group."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from activity.views import SIGNED, needs
from clouds import services
from clouds.models import Server
from projects.views import Signed, answer


@needs(SIGNED)
class Grouping(View):
    def get(self, request: Signed) -> HttpResponse:
        """The dialog that asks which group."""
        servers = _chosen(request, request.GET.getlist("servers"))
        now = {server.group for server in servers}
        context = {
            "servers": servers,
            "names": ",".join(server.name for server in servers),
            "group": now.pop() if len(now) == 1 else "",
            "groups": sorted({group.name for group in services.groups(actor=request.user)}),
        }
        return render(request, "clouds/_group_dialog.html", context)

    def post(self, request: Signed) -> HttpResponse:
        group = request.POST.get("group", "").strip()
        servers = _chosen(request, request.POST.getlist("servers"))
        services.group_servers(actor=request.user, servers=servers, group=group)
        count = f"{len(servers)} server{'' if len(servers) == 1 else 's'}"
        title = f"{count} in the group {group}" if group else f"{count} in no group"
        return answer(request, title, back=reverse("clouds:server-list"))


def _chosen(request: Signed, names: list[str]) -> list[Server]:
    return services.find_servers(actor=request.user, names=names, permission="server.change")
