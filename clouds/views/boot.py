"""Booting: the button that names the next server, the dialog with options, and the wish itself."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_safe

from accounts.models import SshKey
from activity.views import SIGNED, needs
from cloudmesh.errors import CloudmeshError, Invalid
from cloudmesh.types import ImageState
from clouds import services
from clouds.models import CloudAccount, Flavor, Image
from operations.models import Health
from operations.views import accepted
from projects import access
from projects.models import Project
from projects.views import Signed

WANTED = ("cloud", "image", "flavor", "key", "group", "network", "security_group")


@needs(SIGNED)
@require_safe
def server_next(request: Signed) -> HttpResponse:
    """The boot button with the next server's name, read again when a default or a server changed."""
    return render(request, "clouds/_boot.html", {"is_read": True, **next_context(request)})


@needs(SIGNED)
class Boot(View):
    request: Signed

    def get(self, request: Signed) -> HttpResponse:
        """The dialog, as the chosen cloud and what was typed so far make it."""
        project = access.default_project(request.user)
        boot = services.next_boot(actor=request.user, project=project, wanted=wanted(request.GET))
        account = boot.choice.account
        typed = {name: request.GET.get(name, "") for name in ("name", "count", "if_down", "floating_ip")}
        context = {
            "next": _next(boot),
            "choices": _choices(request, project, account),
            "cloud_down": f"{account} does not answer: {account.health_reason}"
            if account.health == Health.DOWN
            else "",
            **typed,
        }
        return render(request, "clouds/_boot_dialog.html", context)

    def post(self, request: Signed) -> HttpResponse:
        project, form = access.default_project(request.user), request.POST
        operation = services.boot_servers(actor=request.user, project=project, **_wish(form))
        return accepted(request, operation, f"Booting {operation.target_name}", back=reverse("clouds:server-list"))


@needs(SIGNED)
@require_safe
def boot_plan(request: Signed) -> HttpResponse:
    """What the boot that is being filled in would come to, or why there is none."""
    try:
        project = access.default_project(request.user)
        context: dict[str, Any] = {
            "plan": services.plan_servers(actor=request.user, project=project, **_wish(request.GET))
        }
    except CloudmeshError as error:
        context = {"problem": error.message}
    return render(request, "clouds/_boot_plan.html", context)


def _wish(form: Mapping[str, str]) -> dict[str, Any]:
    """What the dialog asks for."""
    return {
        "count": _count(form.get("count", "")),
        "name": form.get("name", "").strip(),
        "floating_ip": bool(form.get("floating_ip")),
        "if_down": form.get("if_down") or "wait",
        **wanted(form),
    }


def wanted(form: Mapping[str, str]) -> dict[str, str]:
    """What was chosen explicitly; the rest comes from the defaults."""
    return {name: form[name].strip() for name in WANTED if form.get(name, "").strip()}


def next_context(request: Signed) -> dict[str, Any]:
    """What one click would boot, or why none can."""
    try:
        project = access.default_project(request.user)
        return {"next": _next(services.next_boot(actor=request.user, project=project, wanted={}))}
    except CloudmeshError as error:
        return {"next": None, "next_problem": error.message}


def _down(account: CloudAccount) -> str:
    return f"{account} does not answer: {account.health_reason} What is booted there waits until it does."


def _next(boot: Any) -> dict[str, Any]:
    choice = boot.choice
    return {
        "name": boot.name,
        "cloud": str(choice.account),
        "image": str(choice.image),
        "flavor": str(choice.flavor),
        "key": str(choice.key or ""),
        "group": choice.group,
        "sources": choice.sources,
    }


def _choices(request: Signed, project: Project, account: CloudAccount) -> dict[str, list[tuple[str, str]]]:
    clouds = [cloud for cloud in services.known_clouds(request.user) if cloud.project_id == project.pk]
    images = Image.objects.filter(account=account, state=ImageState.ACTIVE).values_list("name", flat=True)
    flavors = Flavor.objects.filter(account=account)
    keys = access.visible(SshKey, request.user).values_list("name", flat=True)
    return {
        "clouds": _same(str(cloud) for cloud in clouds if cloud.is_usable),
        "images": _same(dict.fromkeys(images)),
        "flavors": [(flavor.name, _size(flavor)) for flavor in flavors],
        "keys": _same(keys),
    }


def _same(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


def _size(flavor: Flavor) -> str:
    ram = f"{flavor.ram / 1024:g} GiB" if flavor.ram >= 1024 else f"{flavor.ram} MiB"
    return f"{flavor.name} ({flavor.cores} core{'' if flavor.cores == 1 else 's'}, {ram})"


def _count(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise Invalid(f"How many should be a number, not {text[:40]!r}.", field="count") from None
