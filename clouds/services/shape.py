"""Promises about what servers are besides running: their size, images of them, and what their clouds say now."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from cloudmesh.errors import Conflict, Invalid
from cloudmesh.types import ImageState
from clouds import defaults
from clouds.models import CloudAccount, Flavor, Image, Server
from clouds.services import facts
from clouds.services.servers import ask, require_able
from operations import services as operations
from operations.models import Operation
from projects import access, policy, quota

SHORTEST, LONGEST = 3, 128  # characters of an image's name that every provider takes


@transaction.atomic
def resize_servers(*, actor: User, servers: Sequence[Server], flavor: str) -> Operation:
    """Give servers of one cloud another flavor, for which they restart. Policies and quotas are asked for the growth.

    Raises NotAllowed, Conflict, NotFound, Ambiguous, Invalid, PolicyDenied, QuotaExceeded.
    """
    accounts = {server.account_id: server.account for server in servers}
    if len(accounts) != 1:
        raise Invalid("Resize servers of one cloud at a time: flavors are a cloud's own.", field="servers")
    [account] = accounts.values()
    size = defaults.find_flavor(account, flavor)
    for server in servers:
        access.permitted(server, actor=actor, permission="server.change")
        require_able(server, "resize")
        if server.flavor in (size.provider_id, size.name):
            raise Conflict(f"{server} has the flavor {size} already.", field="flavor")
    decision = _decide(actor, account, servers, size)
    params = {"flavor": size.provider_id, "name": size.name, "cores": size.cores, "ram": size.ram}
    return ask("server.resize", servers, actor=actor, permission="server.change", params=params, decision=decision)


def snapshot_server(*, actor: User, server: Server, name: str = "") -> Operation:
    """Make an image of a server, which goes on running; the operation ends when it can be booted from.

    Raises NotAllowed, Conflict, Invalid.
    """
    require_able(server, "snapshot")
    name = name.strip() or f"{server.name[:100]}-{timezone.now():%Y%m%d-%H%M%S}"
    if not SHORTEST <= len(name) <= LONGEST or not name.isprintable():
        raise Invalid(f"An image's name has {SHORTEST} to {LONGEST} characters that can be shown.", field="name")
    if Image.objects.filter(account=server.account, name=name).exclude(state=ImageState.DELETED).exists():
        raise Conflict(f"{server.account} has an image {name} already; give this one another name.", field="name")
    return ask("server.snapshot", [server], actor=actor, permission="server.change", params={"name": name})


def refresh_server(*, actor: User, server: Server) -> Operation:
    """Read one server from its cloud now. Raises NotAllowed, Conflict."""
    require_able(server, "refresh")
    return ask("server.refresh", [server], actor=actor, permission="server.view", params={})


def delete_images(*, actor: User, images: Sequence[Image]) -> Operation:
    """Delete images that the account itself has made. Raises NotAllowed, Conflict, Invalid."""
    if len({image.account.project_id for image in images}) != 1:
        raise Invalid("Choose images of one project at a time, and at least one.", field="images")
    for image in images:
        access.permitted(image, actor=actor, permission="image.delete")
        if not image.own:
            raise Conflict(f"The image {image} on {image.account} is not your account's own, so it stays.")
    lanes = [image.account.lane for image in images]
    project = images[0].account.project
    return operations.request("image.delete", targets=images, project=project, actor=actor, lanes=lanes)


def _growth(servers: Sequence[Server], size: Flavor) -> Mapping[str, int]:
    """How much more all of them would take; what shrinks asks nobody."""
    grown = {"cores": 0, "ram": 0}
    for server in servers:
        grown["cores"] += max(0, size.cores - server.cores)
        grown["ram"] += max(0, size.ram - server.ram)
    return {name: more for name, more in grown.items() if more}


def _decide(actor: User, account: CloudAccount, servers: Sequence[Server], size: Flavor) -> policy.Decision | None:
    """What policies say to the growth, once it fits; the project's limits are held until the transaction ends."""
    project, growth = account.project, _growth(servers, size)
    if not growth:
        return None
    quota.hold(project)
    taken = facts.taken_by(project)

    def rooms(member: User, wanted: Mapping[str, int]) -> list[quota.Room]:
        where = {"scope": account.lane, "label": str(account)}
        return quota.rooms(project, member=member, wanted=wanted, taken=lambda: taken, **where)

    for owner in {server.owner or actor for server in servers}:
        quota.check(rooms(owner, _growth([server for server in servers if (server.owner or actor) == owner], size)))
    quota.check(room for room in rooms(actor, growth) if not room.whose)

    def used() -> policy.Used:
        return policy.Used(
            project=quota.amounts(taken, growth, scope=account.lane),
            member=quota.amounts(taken, growth, scope=account.lane, owner_id=actor.pk),
        )

    wish = policy.Wish(service=f"cloud:{account.cloud.name}", resources=growth, used=used)
    return policy.decide(actor=actor, project=project, wish=wish).require()
