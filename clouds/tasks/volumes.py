"""What is done to volumes. As with servers: a handler asks once, says what it learned, and can be begun again."""

from django.db import transaction

from activity import lifecycle
from cloudmesh import types
from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import VolumeSpec, VolumeState
from clouds.drivers import CloudDriver
from clouds.models import Sync, Volume
from clouds.sync import connect, schedule
from clouds.sync import volumes as reading
from clouds.tasks.steps import MINUTES, patience
from operations import engine
from operations.engine import Again, Done, Outcome, handles
from operations.models import OPEN, Operation, OperationState, new_token

MOST_ASKED = 5  # times that a volume may be available again after it was to be attached


# -- create ----------------------------------------------------------------------------------------------------


def _undo_create(operation: Operation) -> Outcome:
    """The volume is not wanted any more: free and delete what may have been made."""
    volume = _volume(operation)
    with connect.reaching(volume.account) as driver:
        seen = _look(driver, volume, operation.token)
        if seen is not None:
            _end(driver, seen)
            return Again(after=1, step="deleting what was made")
    _gone(volume, reason="The wish was cancelled.")
    return Done(step="cancelled")


def _create_ended(operation: Operation, reason: str) -> None:
    """What failed leaves a record that its owner can read, retry and delete; what was cancelled leaves none."""
    volume = _volume(operation)
    if operation.state == OperationState.FAILED:
        if volume.state not in (VolumeState.DELETED, VolumeState.AVAILABLE, VolumeState.IN_USE):
            lifecycle.transition(volume, VolumeState.ERROR, reason=reason)
    elif not volume.provider_id:
        _gone(volume, reason=reason)


def _create_again(operation: Operation) -> None:
    """Try once more; what the cloud could not make is deleted first and the new try has a token of its own."""
    volume = _volume(operation)
    if volume.state in (VolumeState.AVAILABLE, VolumeState.IN_USE):
        return  # only what was to be done with it failed
    if volume.provider_id:
        replaced = {**operation.params, "replaces": volume.provider_id}
        lifecycle.change(operation, token=(token := new_token()), params=replaced)
        lifecycle.change(volume, provider_id="", token=token, native_hash="")
    lifecycle.transition(volume, VolumeState.REQUESTED)


@handles("volume.create", deadline=15 * MINUTES, cancel=_undo_create, ended=_create_ended, again=_create_again)
def create_volume(operation: Operation) -> Outcome:
    """Have exactly one volume for this wish, and at the server it was wished for, if at any."""
    volume = _volume(operation)
    with connect.reaching(volume.account) as driver:
        seen = _look(driver, volume, operation.token)
        if seen is None and volume.provider_id:
            raise Gone(f"{volume} was deleted at {volume.account} while it was being made.")
        if seen is None:
            if operation.params.get("replaces"):
                driver.delete_volume(operation.params["replaces"])
            engine.confirm(operation)
            seen = driver.create_volume(_spec(operation, volume), token=operation.token)
        _learn(operation, volume, seen)
        if operation.params.get("server") and seen.state in (VolumeState.AVAILABLE, VolumeState.ATTACHING):
            return _attach(operation, volume, driver, seen)
    return _outcome(operation, volume, seen)


def _spec(operation: Operation, volume: Volume) -> VolumeSpec:
    owner = {"cloudmesh_owner": volume.owner.username} if volume.owner else {}
    return VolumeSpec(name=volume.name, size=volume.size, server=operation.params.get("server", ""), labels=owner)


# -- attach and detach -----------------------------------------------------------------------------------------


@handles("volume.attach", deadline=10 * MINUTES)
def attach_volume(operation: Operation) -> Outcome:
    """Have the volume at a server; where it is so already nothing is done again."""
    volume = _volume(operation)
    with connect.reaching(volume.account) as driver:
        seen = driver.volume(volume.provider_id)
        if seen.state is VolumeState.IN_USE and seen.server != operation.params["server"]:
            raise Rejected(f"{volume} is attached to another server; detach it there first.")
        if seen.state is not VolumeState.IN_USE:
            return _attach(operation, volume, driver, seen)
        _learn(operation, volume, seen)
    return _outcome(operation, volume, seen)


def _attach(operation: Operation, volume: Volume, driver: CloudDriver, seen: types.Volume) -> Outcome:
    """Ask that the server gets it, unless that is on its way; the next look tells what came of it."""
    name, asked = operation.params.get("server_name", ""), int(operation.result.get("asked", 0))
    if seen.state is VolumeState.AVAILABLE:
        if asked >= MOST_ASKED:
            raise Rejected(
                f"{volume.account} took the wish, but {volume} does not stay at {name}. See the cloud's log."
            )
        step = f"attaching to {name}"
        engine.report(operation, step=step, progress=60, result={**operation.result, "asked": asked + 1})
        driver.attach_volume(volume.provider_id, operation.params["server"], device=operation.params.get("device", ""))
        seen = driver.volume(volume.provider_id)
    _learn(operation, volume, seen)
    return _outcome(operation, volume, seen, until=VolumeState.IN_USE)


@handles("volume.detach", deadline=10 * MINUTES)
def detach_volume(operation: Operation) -> Outcome:
    """Have the volume at no server."""
    volume = _volume(operation)
    with connect.reaching(volume.account) as driver:
        seen = driver.volume(volume.provider_id)
        if seen.state is VolumeState.IN_USE and not operation.result.get("asked"):
            engine.report(operation, step="detaching", progress=30, result={"asked": True})
            driver.detach_volume(volume.provider_id)
            seen = driver.volume(volume.provider_id)
        _learn(operation, volume, seen)
    return _outcome(operation, volume, seen, until=VolumeState.AVAILABLE)


# -- delete ----------------------------------------------------------------------------------------------------


def _delete_ended(operation: Operation, reason: str) -> None:
    """The volume is still there: say so instead of showing it as going away."""
    volume = _volume(operation)
    if volume.state == VolumeState.DELETING:
        words = f"It could not be deleted: {reason}"
        lifecycle.transition(volume, VolumeState.UNKNOWN, reason=words, native_hash="")
        schedule.hurry(volume.account, Sync.Kind.VOLUMES)


@handles("volume.delete", deadline=15 * MINUTES, ended=_delete_ended)
def delete_volume(operation: Operation) -> Outcome:
    """Have no volume of this token left; one that is gone already is what was wished for."""
    volume = _volume(operation)
    if Operation.objects.filter(target_id=volume.pk, kind="volume.create", state__in=OPEN).exists():
        return Again(after=1, step="waiting for its making to be taken back")
    with connect.reaching(volume.account) as driver:
        seen = _look(driver, volume, volume.token)
        if seen is not None:
            if not operation.result.get("asked"):
                driver.delete_volume(seen.id)
                step = f"deletion asked of {volume.account}"
                engine.report(operation, step=step, progress=30, result={"asked": True})
            elif seen.state is VolumeState.ERROR:
                raise Rejected(seen.fault or f"{volume.account} could not delete {volume} and gave no reason.")
            return Again(after=patience(operation), step=f"deleting on {volume.account}", progress=50)
    _gone(volume, reason="")
    return Done(step="deleted")


# -- shared ----------------------------------------------------------------------------------------------------


def _volume(operation: Operation) -> Volume:
    related = Volume.objects.select_related("account__cloud", "account__project", "owner")
    volume = related.filter(pk=str(operation.target_id)).first()
    if volume is None:
        raise Gone("The volume's record was removed together with its cloud.")
    return volume


def _learn(operation: Operation, volume: Volume, seen: types.Volume) -> None:
    """Write down what a cloud said of a volume; raises TakenOver where the wish is another worker's by now."""
    with transaction.atomic():
        engine.confirm(operation)
        reading.store(volume, seen)
    schedule.hurry(volume.account, Sync.Kind.VOLUMES)


def _look(driver: CloudDriver, volume: Volume, token: str) -> types.Volume | None:
    """The volume as its cloud has it now, by id or by the token of its wish; None when it is not there."""
    if not volume.provider_id:
        return driver.find_volume(token) if token else None
    try:
        seen = driver.volume(volume.provider_id)
    except Gone:
        return None
    return None if seen.state is VolumeState.DELETED else seen


def _outcome(operation: Operation, volume: Volume, seen: types.Volume, *, until: VolumeState | None = None) -> Outcome:
    """Done when it is as it shall be (or settled, where no state is named); else to be looked at again."""
    if seen.state is VolumeState.ERROR:
        raise Rejected(seen.fault or f"{volume} went into error at {volume.account}, which gave no reason.")
    if seen.state is until or (until is None and seen.state.is_settled):
        device = f" as {seen.device}" if seen.device else ""
        return Done(step=f"{seen.state.label}{device} on {volume.account}", result={"device": seen.device})
    return Again(after=patience(operation), step=f"{seen.state.label} on {volume.account}", progress=50)


def _end(driver: CloudDriver, seen: types.Volume) -> None:
    if seen.state is VolumeState.IN_USE:
        driver.detach_volume(seen.id)
    elif seen.state in (VolumeState.AVAILABLE, VolumeState.ERROR):
        driver.delete_volume(seen.id)


def _gone(volume: Volume, *, reason: str) -> None:
    if volume.state != VolumeState.DELETED:
        lifecycle.transition(volume, VolumeState.DELETED, reason=reason)
    schedule.hurry(volume.account, Sync.Kind.VOLUMES)
