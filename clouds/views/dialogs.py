"""What is asked before a server is renamed, labelled, resized or made an image of."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import QueryDict

from accounts.models import User
from cloudmesh.errors import Invalid
from clouds import services
from clouds.models import Flavor, Server
from operations.models import Operation

Deed = Callable[[User, Server, QueryDict], Operation]


def rename(actor: User, server: Server, form: QueryDict) -> Operation:
    return services.rename_server(actor=actor, server=server, name=form.get("name", "").strip())


def label(actor: User, server: Server, form: QueryDict) -> Operation:
    """The labels are to be what stands in the dialog: those that are missing there are removed."""
    wanted = dict(_pair(line) for line in form.get("labels", "").splitlines() if line.strip())
    changed = {key: value for key, value in wanted.items() if server.labels.get(key) != value}
    gone = sorted(server.labels.keys() - wanted.keys())
    if not changed and not gone:
        raise Invalid("Nothing is different: change a line, add one or take one away.", field="labels")
    return services.label_servers(actor=actor, servers=[server], labels=changed, remove=gone)


def resize(actor: User, server: Server, form: QueryDict) -> Operation:
    return services.resize_servers(actor=actor, servers=[server], flavor=form.get("flavor", ""))


def snapshot(actor: User, server: Server, form: QueryDict) -> Operation:
    return services.snapshot_server(actor=actor, server=server, name=form.get("name", ""))


#: What has a dialog → what follows from it.
DEEDS: Mapping[str, Deed] = {"rename": rename, "label": label, "resize": resize, "snapshot": snapshot}


def context(server: Server, action: str) -> dict[str, Any]:
    """What the dialog of an action shows."""
    if action != "resize":
        return {"server": server}
    flavors = Flavor.objects.filter(account=server.account)
    now = next((each for each in flavors if server.flavor in (each.provider_id, each.name)), None)
    others = [each for each in flavors if each != now]
    larger = (each for each in others if now and each.ram > now.ram and each.disk >= now.disk)
    return {"server": server, "now": now, "flavors": others, "likely": next(larger, None)}


def _pair(line: str) -> tuple[str, str]:
    key, given, value = line.strip().partition("=")
    if not given:
        raise Invalid(f"{line.strip()[:60]!r} is no label. Write KEY=VALUE, one a line.", field="labels")
    return key.strip(), value.strip()
