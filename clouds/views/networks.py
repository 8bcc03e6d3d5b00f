"""Networks, security groups and public addresses of all clouds, and what is done to the latter."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_POST

from accounts.views import Signed
from activity.views import SIGNED, needs
from cloudmesh.types import ServerState
from clouds import services
from clouds.models import CloudAccount, FloatingIp, Network, SecurityGroup, Server
from clouds.views.catalogue import Catalogue
from clouds.views.servers import cloud_filter
from operations.views import accepted
from projects import access
from projects.views import Filter, Listing, dress, owner_filter

MOST_SERVERS = 500  # offered in a dialog
USED = [("used", "Used"), ("unused", "Unused")]


@needs(SIGNED)
class NetworkList(Catalogue):
    model = Network
    template_name = "clouds/network_list.html"
    name = "networks"
    orders = {"name": ["name"], "cloud": ["account__cloud__name"]}


# -- security groups -------------------------------------------------------------------------------------------


@needs(SIGNED)
class SecgroupList(Catalogue):
    model = SecurityGroup
    template_name = "clouds/secgroup_list.html"
    name = "groups"
    orders = {"name": ["name"], "cloud": ["account__cloud__name"]}

    def filters(self) -> Iterable[Filter]:
        yield cloud_filter(self.request.user)
        yield owner_filter(self.request.user)

    def rows(self, records: list[Any]) -> list[Any]:
        """With rules in words, and why its reader may not change one."""
        actor = self.request.user
        here = {place.pk for place in access.workplaces(actor)[:1]}
        return [
            dress(
                facts.held,
                is_default=facts.is_default,
                may_default=facts.held.account.project_id in here,
                opens=facts.rules,
                why_not=_why_not(self.request, "secgroup.change", facts.held),
            )
            for facts in services.group_facts(records, actor=actor)
        ]


@needs(SIGNED)
class NewSecgroup(View):
    """The dialog, and the wish itself."""

    def get(self, request: Signed) -> HttpResponse:
        return render(request, "clouds/_secgroup_dialog.html", {"clouds": _clouds(request, "security_groups")})

    def post(self, request: Signed) -> HttpResponse:
        form = request.POST
        operation = services.create_group(
            actor=request.user,
            project=access.default_project(request.user),
            name=form.get("name", "").strip(),
            rules=form.get("rules", "").split(),
            cloud=form.get("cloud", "").strip(),
        )
        return accepted(request, operation, f"Making {operation.target_name}", back=reverse("clouds:secgroup-list"))


@needs("secgroup.view", post="secgroup.change")
class SecgroupRules(View):
    """The dialog for a rule more; what is sent adds rules and removes others."""

    def get(self, request: Signed, pk: uuid.UUID) -> HttpResponse:
        group = access.fetch(SecurityGroup, pk, actor=request.user, permission="secgroup.view")
        return render(request, "clouds/_rule_dialog.html", {"group": group})

    def post(self, request: Signed, pk: uuid.UUID) -> HttpResponse:
        group = access.fetch(SecurityGroup, pk, actor=request.user, permission="secgroup.change")
        add, remove = (request.POST.get(name, "").split() for name in ("add", "remove"))
        operation = services.change_group(actor=request.user, group=group, add=add, remove=remove)
        detail = " ".join([*add, *(f"no {rule}" for rule in remove)])
        return accepted(request, operation, f"Changing {group}", back=reverse("clouds:secgroup-list"), detail=detail)


@needs("secgroup.delete")
@require_POST
def secgroup_delete(request: Signed, pk: uuid.UUID) -> HttpResponse:
    group = access.fetch(SecurityGroup, pk, actor=request.user, permission="secgroup.delete")
    operation = services.delete_groups(actor=request.user, groups=[group])
    back = reverse("clouds:secgroup-list")
    return accepted(request, operation, f"Deleting {group}", back=back, detail=f"on {group.account}")


# -- public addresses ------------------------------------------------------------------------------------------


@needs(SIGNED)
class IpList(Listing):
    model = FloatingIp
    template_name = "clouds/ip_list.html"
    name = "addresses"
    words = ("name", "provider_id")
    orders = {"name": ["name"], "cloud": ["account__cloud__name"], "owner": ["owner__username"]}
    usual = ("account__cloud__name", "name", "pk")

    def filters(self) -> Iterable[Filter]:
        yield Filter(name="use", label="Use", choices=USED, where=_in_use)
        yield cloud_filter(self.request.user)
        yield owner_filter(self.request.user)

    def records(self) -> QuerySet[Any]:
        return super().records().defer("native")

    def rows(self, records: list[Any]) -> list[Any]:
        return [
            dress(
                facts.address,
                server=facts.server,
                is_used=facts.is_used,
                why_not=_why_not(self.request, "ip.release", facts.address),
            )
            for facts in services.address_facts(records, actor=self.request.user)
        ]


@needs(SIGNED)
class NewIp(View):
    """The dialog, and the wish itself."""

    def get(self, request: Signed) -> HttpResponse:
        return render(request, "clouds/_ip_dialog.html", {"clouds": _clouds(request, "floating_ips")})

    def post(self, request: Signed) -> HttpResponse:
        count = request.POST.get("count", "").strip() or "1"
        operation = services.reserve_addresses(
            actor=request.user,
            project=access.default_project(request.user),
            cloud=request.POST.get("cloud", "").strip(),
            count=int(count) if count.isascii() and count.isdigit() and len(count) < 5 else 0,
        )
        return accepted(request, operation, f"Reserving {operation.target_name}", back=reverse("clouds:ip-list"))


@needs("ip.view")
class GiveIp(View):
    """The dialog that asks for a server, and the wish to give it the address."""

    def get(self, request: Signed, pk: uuid.UUID) -> HttpResponse:
        address = access.fetch(FloatingIp, pk, actor=request.user, permission="ip.view")
        there = services.light(_live(request)).filter(account=address.account_id).exclude(provider_id="")
        context = {"address": address, "servers": there.order_by("name")[:MOST_SERVERS]}
        return render(request, "clouds/_give_ip_dialog.html", context)

    def post(self, request: Signed, pk: uuid.UUID) -> HttpResponse:
        address = access.fetch(FloatingIp, pk, actor=request.user, permission="ip.view")
        there = _live(request).filter(account=address.account_id).select_related("account__cloud", "project")
        wanted = request.POST.get("server", "").strip()
        server = access.find(there, wanted, actor=request.user, permission="server.change", kind="server")
        operation = services.assign_ip(actor=request.user, server=server, address=address.name)
        return accepted(request, operation, f"Giving {address} to {server}", back=reverse("clouds:ip-list"))


@needs("ip.release")
@require_POST
def ip_release(request: Signed, pk: uuid.UUID) -> HttpResponse:
    address = access.fetch(FloatingIp, pk, actor=request.user, permission="ip.release")
    operation = services.release_addresses(actor=request.user, addresses=[address])
    back = reverse("clouds:ip-list")
    return accepted(request, operation, f"Giving back {address}", back=back, detail=f"to {address.account}")


def _clouds(request: Signed, ability: str) -> list[CloudAccount]:
    """The clouds of where somebody works now that can do something."""
    places = [place.pk for place in access.workplaces(request.user)[:1]]
    here = [cloud for cloud in services.known_clouds(request.user) if cloud.project_id in places and cloud.is_usable]
    return [cloud for cloud in here if services.driver_named(cloud.cloud.driver).abilities[ability]]


def _live(request: Signed) -> QuerySet[Server]:
    return access.visible(Server, request.user).exclude(state=ServerState.DELETED)


def _why_not(request: Signed, permission: str, held: SecurityGroup | FloatingIp) -> str:
    return access.why_not(request.user, permission, held.account.project, owner_id=held.owner_id)


def _in_use(word: str) -> Q:
    return ~Q(server_provider_id="") if word == "used" else Q(server_provider_id="")
