"""What is done to servers. A handler asks once and says what it learned; it never sleeps and never decides.

Each can be begun again at any point after a crash: a create first looks for its token, the others first look at
what is so already.
"""

from activity import lifecycle
from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import Rule, ServerSpec, ServerState
from clouds.drivers import CloudDriver
from clouds.models import KeyPair, SecurityGroup, Server
from clouds.sync import catalogue, connect, schedule
from clouds.tasks.networks import kept_by_others, remember_given
from clouds.tasks.steps import MINUTES, gone, learn, look, patience, server_of
from operations import engine
from operations.engine import Again, Done, Outcome, handles
from operations.models import OPEN, Operation, OperationState, new_token

#: What everybody wants of a new server: to reach it.
OPENINGS = (Rule(protocol="tcp", first_port=22, last_port=22), Rule(protocol="icmp"))
#: The state that each action is to bring about.
BRINGS = {
    "start": ServerState.ACTIVE,
    "stop": ServerState.STOPPED,
    "reboot": ServerState.ACTIVE,
    "suspend": ServerState.SUSPENDED,
    "resume": ServerState.ACTIVE,
    "pause": ServerState.PAUSED,
    "unpause": ServerState.ACTIVE,
    "shelve": ServerState.SHELVED,
    "unshelve": ServerState.ACTIVE,
}


# -- create ----------------------------------------------------------------------------------------------------


def _undo_create(operation: Operation) -> Outcome:
    """The boot is not wanted any more: delete what it may have made."""
    server = server_of(operation)
    with connect.reaching(server.account) as driver:
        seen = look(driver, server, operation.token)
        if seen is not None:
            driver.delete_server(seen.id)
            return Again(after=1, step="deleting what was made")
    gone(server, reason="The boot was cancelled.")
    return Done(step="cancelled")


def _create_ended(operation: Operation, reason: str) -> None:
    """A boot that failed leaves a record that its owner can read, retry and delete; a cancelled one leaves none."""
    server = server_of(operation)
    if operation.state == OperationState.FAILED:
        if server.state != ServerState.DELETED:
            lifecycle.transition(server, ServerState.ERROR, reason=reason)
    elif not server.provider_id:
        gone(server, reason=reason)


def _create_again(operation: Operation) -> None:
    """Try once more; what the cloud could not build is deleted first and the new try has a token of its own."""
    server = server_of(operation)
    if not server.provider_id:
        lifecycle.transition(server, ServerState.REQUESTED)
        return
    token = new_token()
    lifecycle.change(operation, token=token, params={**operation.params, "replaces": server.provider_id})
    lifecycle.transition(server, ServerState.REQUESTED, provider_id="", token=token, native_hash="")


@handles("server.create", deadline=30 * MINUTES, cancel=_undo_create, ended=_create_ended, again=_create_again)
def create_server(operation: Operation) -> Outcome:
    """Have exactly one server for this wish: adopt the one that carries its token, else ask for it."""
    server = server_of(operation)
    with connect.reaching(server.account) as driver:
        seen = look(driver, server, operation.token)
        if seen is None and server.provider_id:
            raise Gone(f"{server} was deleted at {server.account} while it was being built.")
        if seen is None:
            if operation.params.get("replaces"):
                driver.delete_server(operation.params["replaces"])
            spec = _spec(operation, server, driver)
            engine.confirm(operation)
            seen = driver.create_server(spec, token=operation.token)
        learn(operation, server, seen)
        schedule.hurry(server.account)
        if seen.state is ServerState.ERROR:
            raise Rejected(seen.fault or f"{server.account} could not build {server} and gave no reason.")
        if not seen.state.is_settled:
            return Again(after=patience(operation), step=f"{seen.state.label} on {server.account}", progress=50)
        if operation.params.get("floating_ip") and not seen.public_addresses:
            address = driver.assign_floating_ip(seen.id, but=kept_by_others(operation, server.account))
            remember_given(operation, server, address)
            learn(operation, server, driver.server(seen.id))
    return Done(step=f"{server.state} on {server.account}", result={"addresses": server.addresses})


def _spec(operation: Operation, server: Server, driver: CloudDriver) -> ServerSpec:
    params = operation.params
    return ServerSpec(
        name=server.name,
        image=server.image,
        flavor=server.flavor,
        key=_ensure_key(operation, server, driver),
        networks=tuple(params.get("networks", ())),
        security_groups=_ensure_group(operation, server, driver),
        labels={**server.labels, **marks(server)},
        floating_ip=bool(params.get("floating_ip")),
    )


def marks(server: Server) -> dict[str, str]:
    """What the portal writes on a server beside its token, so that people at the cloud know it too."""
    return {"cloudmesh_group": server.group, "cloudmesh_owner": server.owner.username if server.owner else ""}


def _ensure_key(operation: Operation, server: Server, driver: CloudDriver) -> str:
    """Have the user's key at the cloud, once; it is named after the key itself, so two users' never meet."""
    name, public_key = operation.params.get("key_name", ""), operation.params.get("public_key", "")
    if not public_key or not driver.abilities["keys"]:
        return ""
    if not KeyPair.objects.filter(account=server.account, provider_id=name).exists():
        engine.report(operation, step=f"uploading the key {name} to {server.account}", progress=10)
        catalogue.remember_key(server.account, driver.ensure_key(name, public_key))
    return str(name)


def _ensure_group(operation: Operation, server: Server, driver: CloudDriver) -> tuple[str, ...]:
    name = operation.params.get("security_group", "")
    if not name or not driver.abilities["security_groups"]:
        return ()
    known = list(SecurityGroup.objects.filter(account=server.account, name=name)[:2])
    if any(group.network for group in known):
        return (name,)  # the driver knows which of that name is where the server will be
    if not known:
        engine.report(operation, step=f"ensuring the security group {name} on {server.account}", progress=20)
        group = driver.ensure_security_group(name, OPENINGS)
        catalogue.remember_group(server.account, group)
        return (group.id,)
    return (known[0].provider_id,)


# -- change ----------------------------------------------------------------------------------------------------


@handles("server.act", deadline=15 * MINUTES)
def change_server(operation: Operation) -> Outcome:
    """Do one action; what is so already is not done again."""
    server, action = server_of(operation), str(operation.params["action"])
    want = BRINGS[action]
    with connect.reaching(server.account) as driver:
        seen = driver.server(server.provider_id)
        if not operation.result.get("asked"):
            if seen.state is want and action != "reboot":
                learn(operation, server, seen)
                return Done(step=f"{want} already")
            engine.confirm(operation)
            driver.act(server.provider_id, action)
            engine.report(operation, step=f"{action} asked of {server.account}", progress=30, result={"asked": True})
            seen = driver.server(server.provider_id)
        learn(operation, server, seen)
        schedule.hurry(server.account)
    if seen.state is ServerState.ERROR:
        raise Rejected(seen.fault or f"{server} went into error at {server.account}.")
    return (
        Done(step=seen.state.label) if seen.state is want else Again(after=patience(operation), step=seen.state.label)
    )


@handles("server.rename", deadline=5 * MINUTES)
def rename_server(operation: Operation) -> Outcome:
    server, name = server_of(operation), str(operation.params["name"])
    with connect.reaching(server.account) as driver:
        driver.act(server.provider_id, "rename", value=name)
        learn(operation, server, driver.server(server.provider_id))
    return Done(step=f"renamed to {name}")


# -- look ------------------------------------------------------------------------------------------------------


@handles("server.console", deadline=MINUTES)
def open_console(operation: Operation) -> Outcome:
    server = server_of(operation)
    with connect.reaching(server.account) as driver:
        console = driver.console(server.provider_id)
    return Done(result={"url": console.url, "kind": console.kind})


@handles("server.console_log", deadline=MINUTES)
def read_console_log(operation: Operation) -> Outcome:
    server = server_of(operation)
    with connect.reaching(server.account) as driver:
        text = driver.console_log(server.provider_id, int(operation.params.get("lines", 100)))
    return Done(result={"text": text[-200_000:]})


# -- delete ----------------------------------------------------------------------------------------------------


def _delete_ended(operation: Operation, reason: str) -> None:
    """The server is still there: say so instead of showing it as going away."""
    server = server_of(operation)
    if server.state == ServerState.DELETING:
        words = f"It could not be deleted: {reason}"
        lifecycle.transition(
            server, ServerState.UNKNOWN, reason=words, native_hash=""
        )  # so that the next reading counts
        schedule.hurry(server.account)


@handles("server.delete", deadline=30 * MINUTES, ended=_delete_ended)
def delete_server(operation: Operation) -> Outcome:
    """Have no server of this name and token left; one that is gone already is what was wished for."""
    server = server_of(operation)
    if _boot_is_open(server):
        return Again(after=1, step="waiting for its boot to be taken back")
    with connect.reaching(server.account) as driver:
        seen = look(driver, server, server.token)
        if seen is not None:
            if not operation.result.get("asked"):
                driver.delete_server(seen.id)
                engine.report(
                    operation, step=f"deletion asked of {server.account}", progress=30, result={"asked": True}
                )
            return Again(after=patience(operation), step=f"deleting on {server.account}", progress=50)
    gone(server, reason="")
    return Done(step="deleted")


def _boot_is_open(server: Server) -> bool:
    return Operation.objects.filter(target_id=server.pk, kind="server.create", state__in=OPEN).exists()
