"""qdel, qhold and qrls of both products."""

import getopt
import pathlib

from failure import Failure, failure
from world import World, me


def main(place: pathlib.Path, command: str, arguments: list[str]) -> str:
    try:
        options, ids = getopt.getopt(arguments, "h:W:xt:m:p" if command == "qdel" else "h:t:")
    except getopt.GetoptError as error:
        raise Failure(f"{command}: invalid option -- '{error.opt}'\nusage: {command} job_identifier...", 2) from error
    del options
    failures = []
    with World.of(place) as world:
        for job_id in ids:
            try:
                act(world, command, job_id)
            except Failure as error:
                failures.append(error)
    if failures:
        raise Failure("\n".join(error.said for error in failures), failures[-1].code)
    return ""


def act(world: World, command: str, job_id: str) -> None:
    key = world.key(job_id)
    if key is None:
        raise Failure(f"{command}: illegally formed job identifier: {job_id}", 1)
    tasks = world.tasks(key)
    known = [each for each in [key, *tasks] if each in world.jobs]
    if not known:
        raise failure(command, "unknown job", world.full(key), torque=world.is_torque)
    if world.jobs[known[0]]["user"] != me():
        raise failure(command, "not allowed", world.full(key), torque=world.is_torque)
    if all(world.jobs[each]["state"] in "FCX" for each in known):
        raise failure(command, "finished", world.full(key), torque=world.is_torque)
    for each in reversed(known):  # an array last
        {"qdel": delete, "qhold": hold, "qrls": release}[command](world, each)


def delete(world: World, key: str) -> None:
    job = world.jobs[key]
    job["deleted"] = True
    if job["is_array"]:
        if all(world.jobs[each]["state"] in "FCX" for each in world.tasks(key)):
            world.end(key, 1, substate=91)
    elif job["state"] in "RE":
        (world.place / "delete" / key).touch()
    elif job["state"] not in "FCX":
        world.end(key, 271 if world.is_torque else None, substate=91)


def hold(world: World, key: str) -> None:
    job = world.jobs[key]
    if "u" not in job["holds"] and job["state"] in "QHB":
        job["holds"] = "u" + job["holds"]
        job["state"] = "H" if job["state"] != "B" else "B"


def release(world: World, key: str) -> None:
    job = world.jobs[key]
    if job["state"] == "H":
        job["holds"] = job["holds"].replace("u", "")
        job["state"] = "H" if job["holds"] else "Q"
