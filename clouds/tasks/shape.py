"""What a server is besides running, as its cloud keeps it. A handler asks once; see `clouds.tasks.servers`."""

from django.utils import timezone

from cloudmesh import types
from cloudmesh.errors import Full, Gone, Rejected
from cloudmesh.types import ImageState, ServerState
from clouds.drivers import CloudDriver
from clouds.models import Image, Server, Sync
from clouds.sync import catalogue, connect, schedule
from clouds.tasks.steps import MINUTES, gone, learn, patience, server_of
from operations import engine
from operations.engine import Again, Done, Outcome, handles
from operations.models import Operation

UNHEARD = 5  # attempts until a cloud must know what it has just made


@handles("server.label", deadline=5 * MINUTES)
def label_server(operation: Operation) -> Outcome:
    server, labels, remove = server_of(operation), operation.params["labels"], operation.params["remove"]
    with connect.reaching(server.account) as driver:
        driver.label_server(server.provider_id, labels, remove=remove)
        learn(operation, server, driver.server(server.provider_id))
        schedule.hurry(server.account)
    said = [*(f"{key}={value}" for key, value in labels.items()), *(f"{key}-" for key in remove)]
    return Done(step=f"labelled {' '.join(said)}"[:200])


@handles("server.refresh", deadline=MINUTES)
def refresh_server(operation: Operation) -> Outcome:
    """Read one server anew; a cloud that does not know it any more is believed."""
    server = server_of(operation)
    with connect.reaching(server.account) as driver:
        try:
            seen = driver.server(server.provider_id)
        except Gone:
            gone(server, reason="It is not at its cloud any more.")
            return Done(step="it is not there any more")
        learn(operation, server, seen)
    Server.objects.filter(pk=server.pk).update(seen_at=timezone.now())  # also where nothing changed
    return Done(step=f"{seen.state.label} on {server.account}")


# -- size ------------------------------------------------------------------------------------------------------


def _undo_resize(operation: Operation) -> Outcome:
    """The size stays as it is by now; a server that was stopped for it is started."""
    server = server_of(operation)
    with connect.reaching(server.account) as driver:
        seen = driver.server(server.provider_id)
        learn(operation, server, seen)
        if not seen.state.is_settled or not driver.keep_size(server.provider_id):
            return Again(after=patience(operation), step=seen.state.label)
        if operation.result.get("restart") and seen.state is ServerState.STOPPED:
            driver.act(server.provider_id, "start")
    return Done(step="cancelled")


@handles("server.resize", deadline=60 * MINUTES, cancel=_undo_resize)
def resize_server(operation: Operation) -> Outcome:
    """Have a server of another flavor: one step at each attempt, whichever is next.

    Where its cloud resizes only what is stopped, one that runs is stopped before and started after.
    """
    server = server_of(operation)
    with connect.reaching(server.account) as driver:
        seen = driver.server(server.provider_id)
        learn(operation, server, seen)
        schedule.hurry(server.account)
        if seen.state is ServerState.ERROR:
            raise Rejected(seen.fault or f"{server} went into error at {server.account}.")
        if not seen.state.is_settled:
            return Again(after=patience(operation), step=seen.state.label, progress=50)
        if seen.flavor in (operation.params["flavor"], operation.params["name"]):
            return _after_resize(operation, server, driver, seen)
        return _before_resize(operation, server, driver, seen)


def _before_resize(operation: Operation, server: Server, driver: CloudDriver, seen: types.Server) -> Outcome:
    """Stop it where that is needed, and ask for the size once."""
    name, done = operation.params["name"], dict(operation.result)
    if done.get("asked"):
        raise Rejected(
            f"{server.account} left {server} as it was and gave no reason; perhaps none has room for {name}."
        )
    if driver.resizes_stopped and seen.state is not ServerState.STOPPED:
        engine.report(operation, step="stopping it", progress=10, result={**done, "restart": True})
        driver.act(server.provider_id, "stop")
        return Again(after=1, step="stopping it")
    engine.confirm(operation)
    try:
        driver.resize_server(server.provider_id, operation.params["flavor"])
    except (Full, Rejected):
        if done.get("restart"):
            driver.act(server.provider_id, "start")
        raise
    engine.report(operation, step=f"{name} asked of {server.account}", progress=30, result={**done, "asked": True})
    return Again(after=1, step=f"{name} asked of {server.account}")


def _after_resize(operation: Operation, server: Server, driver: CloudDriver, seen: types.Server) -> Outcome:
    """Have the size be for good, and the server run again if it ran."""
    name, done = operation.params["name"], dict(operation.result)
    if not driver.keep_size(server.provider_id):
        return Again(after=1, step=f"keeping {name}", progress=80)
    if done.get("restart") and seen.state is ServerState.STOPPED:
        driver.act(server.provider_id, "start")
        return Again(after=1, step="starting it again", progress=90)
    return Done(step=f"{name}, {seen.state.label}")


# -- images of servers -----------------------------------------------------------------------------------------


def _undo_snapshot(operation: Operation) -> Outcome:
    server, image_id = server_of(operation), operation.result.get("image_id")
    if image_id:
        with connect.reaching(server.account) as driver:
            driver.delete_image(image_id)
            schedule.hurry(server.account, Sync.Kind.IMAGES)
    return Done(step="cancelled")


@handles("server.snapshot", deadline=120 * MINUTES, cancel=_undo_snapshot)
def snapshot_server(operation: Operation) -> Outcome:
    """Have exactly one image for this wish; done when it can be booted from."""
    server, name = server_of(operation), str(operation.params["name"])
    with connect.reaching(server.account) as driver:
        image = _snapshot(operation, driver, server.provider_id, name)
    if image is None or image.state is ImageState.PENDING:
        return Again(after=patience(operation), step=f"making the image {name}", progress=50)
    if image.state is not ImageState.ACTIVE:
        raise Rejected(f"The image {name} is {image.state} at {server.account}.")
    catalogue.remember_image(server.account, image, by=operation)
    schedule.hurry(server.account, Sync.Kind.IMAGES)
    return Done(step=f"made the image {name}", result={"image": name, "image_id": image.id})


def _snapshot(operation: Operation, driver: CloudDriver, server_id: str, name: str) -> types.Image | None:
    """The image as it is; None while its cloud does not list what it has just promised."""
    image_id = operation.result.get("image_id")
    if not image_id:
        engine.confirm(operation)
        image = driver.snapshot_server(server_id, name, token=operation.token)
        engine.report(operation, step=f"making the image {name}", progress=20, result={"image_id": image.id})
        return image
    try:
        return driver.image(image_id)
    except Gone:
        if operation.attempts > UNHEARD:
            raise
        return None


@handles("image.delete", deadline=5 * MINUTES)
def delete_image(operation: Operation) -> Outcome:
    image = Image.objects.select_related("account__cloud").filter(pk=str(operation.target_id)).first()
    if image is None:
        return Done(step="deleted already")
    with connect.reaching(image.account) as driver:
        driver.delete_image(image.provider_id)
    catalogue.forget(image, by=operation)
    return Done(step="deleted")
