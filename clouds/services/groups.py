"""Groups: servers that belong together under a word; each is in one group of its project, or in none."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import transaction
from django.db.models import Count

from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import Invalid
from cloudmesh.types import ServerState
from clouds import defaults
from clouds.models import Server
from clouds.services.labels import mark_servers
from operations.models import Operation
from projects import access
from projects.models import Project


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group as it is now: it is there as long as it has servers."""

    name: str
    project: str
    servers: int
    owners: Sequence[str]
    clouds: Sequence[str]


def groups(*, actor: User, project: Project | None = None) -> list[Group]:
    """The groups that `actor` sees, by name; one question."""
    live = access.visible(Server, actor).exclude(state=ServerState.DELETED).exclude(group="")
    rows = live.filter(project=project) if project else live
    counted = (
        rows.order_by("group", "project__name")
        .values("group", "project__name")
        .annotate(
            servers=Count("pk"),
            owners=ArrayAgg("owner__username", distinct=True, default=[]),
            clouds=ArrayAgg("account__cloud__name", distinct=True, default=[]),
        )
    )
    return [
        Group(
            name=row["group"],
            project=row["project__name"],
            servers=row["servers"],
            owners=[name for name in row["owners"] if name],
            clouds=row["clouds"],
        )
        for row in counted
    ]


@transaction.atomic
def group_servers(*, actor: User, servers: Sequence[Server], group: str) -> Operation | None:
    """Have servers of one project in a group, and in no other; an empty one takes them out.

    Their clouds are told by an operation, where they keep labels. Raises NotAllowed, Invalid.
    """
    if group and not defaults.NAME.match(group):
        raise Invalid(
            f"{group[:40]!r} cannot be a group: use up to 63 letters, digits, dots, dashes and underscores.",
            field="group",
        )
    if len({server.project_id for server in servers}) > 1:
        raise Invalid("Choose servers of one project at a time.", field="servers")
    for server in servers:
        access.permitted(server, actor=actor, permission="server.change")
    moved = [server for server in servers if server.group != group]
    for server in moved:
        lifecycle.change(server, actor=actor, verb="grouped", group=group)
    return mark_servers(actor=actor, servers=moved, marks={"cloudmesh_group": group}) if moved else None
