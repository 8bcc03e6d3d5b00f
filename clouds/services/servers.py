"""Promises about servers that are there: recorded in one transaction; nothing here waits for a cloud."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotFound
from cloudmesh.types import ServerState
from clouds import defaults
from clouds.models import Server
from clouds.sync import connect
from clouds.tasks.servers import BRINGS
from operations import services as operations
from operations.models import OPEN, CredentialState, Operation
from projects import access, policy
from projects.access import naming
from projects.models import Project

ACTIONS = tuple(BRINGS)
#: From which states an action makes sense; any other state refuses it before the cloud is asked.
FROM: Mapping[str, frozenset[str]] = {
    "start": frozenset({ServerState.STOPPED, ServerState.SUSPENDED, ServerState.ERROR, ServerState.UNKNOWN}),
    "stop": frozenset({ServerState.ACTIVE, ServerState.ERROR, ServerState.UNKNOWN, ServerState.RESCUED}),
    "reboot": frozenset({ServerState.ACTIVE, ServerState.STOPPED, ServerState.ERROR, ServerState.UNKNOWN}),
    "suspend": frozenset({ServerState.ACTIVE}),
    "resume": frozenset({ServerState.SUSPENDED}),
    "pause": frozenset({ServerState.ACTIVE}),
    "unpause": frozenset({ServerState.PAUSED}),
    "shelve": frozenset({ServerState.ACTIVE, ServerState.STOPPED, ServerState.PAUSED, ServerState.SUSPENDED}),
    "unshelve": frozenset({ServerState.SHELVED}),
    "resize": frozenset({ServerState.ACTIVE, ServerState.STOPPED}),
    "snapshot": frozenset({ServerState.ACTIVE, ServerState.STOPPED, ServerState.PAUSED, ServerState.SUSPENDED}),
}
#: What else is done to a server → the ability that its driver needs for it.
BESIDE: Mapping[str, str] = {
    "rename": "rename",
    "assign_ip": "floating_ips",
    "release_ip": "floating_ips",
    "unassign_ip": "floating_ips",
    "console": "console",
    "console_log": "console_log",
    "label": "labels",
    "resize": "resize",
    "snapshot": "snapshots",
    "refresh": "",
}


@transaction.atomic
def change_servers(*, actor: User, servers: Sequence[Server], action: str) -> Operation:
    """Start, stop, reboot … servers. Raises NotAllowed, Conflict, Invalid."""
    if action not in BRINGS:
        raise Invalid(f"There is no action {action!r}; there are: {', '.join((*ACTIONS, 'delete'))}.", field="action")
    for server in servers:
        reason = why_not(server, action)
        if reason:
            raise Conflict(reason, state=server.state)
    return ask("server.act", servers, actor=actor, permission="server.change", params={"action": action})


@transaction.atomic
def delete_servers(*, actor: User, servers: Sequence[Server]) -> Operation:
    """Delete servers; a boot that is still going on is taken back first. Raises NotAllowed, NotFound."""
    gone = next((server for server in servers if server.is_gone), None)
    if gone:
        raise NotFound(f"{gone} is deleted already, since {gone.changed_at:%Y-%m-%d %H:%M} UTC.")
    operation = ask("server.delete", servers, actor=actor, permission="server.delete", params={})
    boots = Operation.objects.filter(target_id__in=[s.pk for s in servers], kind="server.create", state__in=OPEN)
    # All of them first and in one order: whoever ends one of them holds it when it asks for their batch.
    for boot in list(boots.select_related("project").select_for_update(no_key=True, of=("self",)).order_by("pk")):
        operations.cancel(actor=actor, operation=boot)
    for server in sorted(servers, key=lambda server: server.pk):
        server.refresh_from_db()
        if server.state not in (ServerState.DELETED, ServerState.DELETING):
            lifecycle.transition(server, ServerState.DELETING, actor=actor)
    return operation


def rename_server(*, actor: User, server: Server, name: str) -> Operation:
    """Give a server another name, here and at its cloud. Raises NotAllowed, Invalid, Conflict."""
    require_able(server, "rename")
    names = defaults.check_names(server.project, name)
    if len(names) != 1:
        raise Invalid(f"{name!r} stands for {len(names)} names; a server has one.", field="name")
    return ask("server.rename", [server], actor=actor, permission="server.change", params={"name": names[0]})


def open_console(*, actor: User, server: Server) -> Operation:
    """Ask for a URL where the screen can be seen. Raises NotAllowed, Conflict."""
    require_able(server, "console")
    return ask("server.console", [server], actor=actor, permission="server.console", params={})


def read_console_log(*, actor: User, server: Server, lines: int = 100) -> Operation:
    """Ask for the last lines of the console. Raises NotAllowed, Conflict, Invalid."""
    if not 1 <= lines <= 10_000:
        raise Invalid(f"lines must be between 1 and 10000, not {lines}.", field="lines")
    require_able(server, "console_log")
    return ask("server.console_log", [server], actor=actor, permission="server.console", params={"lines": lines})


def find_servers(*, actor: User, names: Sequence[str], permission: str, project: Project | None = None) -> list[Server]:
    """The live servers that names, ids, hostlists and globs mean. Raises NotFound, Ambiguous, NotAllowed."""
    live = access.visible(Server, actor).exclude(state=ServerState.DELETED).select_related("account__cloud", "project")
    live = live.filter(project=project) if project else live
    found = naming.find(live, names, kind="server")
    return [access.permitted(server, actor=actor, permission=permission) for server in found]


def abilities(server: Server) -> list[dict[str, Any]]:
    """Each action with whether it can be done now and, if not, why not."""
    names = (*ACTIONS, *BESIDE, "delete")
    reasons = {name: why_not(server, name) for name in names}
    return [{"name": name, "able": not reasons[name], "reason": reasons[name]} for name in names]


def ask(
    kind: str,
    servers: Sequence[Server],
    *,
    actor: User,
    permission: str,
    params: dict[str, Any],
    decision: policy.Decision | None = None,
) -> Operation:
    """One wish about several servers of one project."""
    projects = {server.project_id for server in servers}
    if len(projects) != 1:
        raise Invalid("Choose servers of one project at a time.", field="servers")
    for server in servers:
        access.permitted(server, actor=actor, permission=permission)
        if server.account.state == CredentialState.VERIFYING:
            raise Conflict(f"The cloud {server.account} is not verified yet.")
    lanes = [server.account.lane for server in servers]
    return operations.request(
        kind,
        targets=servers,
        project=servers[0].project,
        actor=actor,
        lanes=lanes,
        decision=decision,
        params=params,
    )


def why_not(server: Server, action: str) -> str:
    """Why an action cannot be done to a server now, as a sentence; empty when it can."""
    if action == "delete":
        return f"{server} is being deleted already." if server.state == ServerState.DELETING else ""
    reason = connect.drivers.named(server.account.cloud.driver).abilities.reason(BESIDE.get(action, action))
    if reason:
        return reason
    if not server.provider_id:
        return f"{server} is not at its cloud yet."
    if action in FROM and server.state not in FROM[action]:
        return f"{server} is {server.state}; {action} needs it to be {' or '.join(sorted(FROM[action]))}."
    return ""


def require_able(server: Server, action: str) -> None:
    reason = why_not(server, action)
    if reason:
        raise Conflict(reason, state=server.state)
