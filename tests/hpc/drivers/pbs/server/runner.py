"""One job: runs its script as a node's MOM does, in the home directory, by the shell of `-S`, and tells its end."""

import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

from world import HOST, TASK, World

DELETED, TIMED_OUT = "deleted", "timed out"


def main() -> None:
    place, key = pathlib.Path(sys.argv[1]), sys.argv[2]
    with World.of(place) as world:
        job = dict(world.jobs[key])
        torque = world.is_torque
    code, why = run(place, key, job, torque=torque)
    with World.of(place) as world:
        world.jobs[key]["state"] = "E"
    time.sleep(0.05)
    with World.of(place) as world:
        world.jobs[key]["used"] = used(job)
        if why == TIMED_OUT:
            code = -11 if torque else -29
        world.end(key, code, substate=91 if why == DELETED else 92 if code == 0 else 93)


def run(place: pathlib.Path, key: str, job: dict, *, torque: bool) -> tuple[int, str]:
    """Exit status as PBS has it, 256 and more for a signal, and what was done to the job."""
    script = place / "scripts" / (key if not TASK.match(key) else key.partition("[")[0] + "[]")
    with opened(job, "output") as output, opened(job, "error") as error:
        process = subprocess.Popen(
            [job["shell"] or "/bin/bash", script],
            cwd=os.path.expanduser("~"),
            env=environment(key, job, torque=torque),
            stdin=subprocess.DEVNULL,
            stdout=error if job["join"] == "eo" else output,
            stderr=output if job["join"] == "oe" else error,
            start_new_session=True,
        )
        end = time.monotonic() + job["walltime"] if job["walltime"] else None
        why = ""
        while True:
            try:
                status = process.wait(0.1)
                return (256 - status if status < 0 else status), why
            except subprocess.TimeoutExpired:
                if not why and (place / "delete" / key).exists():
                    why = DELETED
                elif not why and end and time.monotonic() > end:
                    why = TIMED_OUT
                else:
                    continue
                os.killpg(process.pid, signal.SIGTERM)


def opened(job: dict, name: str):
    path = job[name].partition(":")[2]
    try:
        return open(path, "ab")
    except OSError:
        return open(os.devnull, "ab")  # a real one sends a mail


def environment(key: str, job: dict, *, torque: bool) -> dict[str, str]:
    task = TASK.match(key)
    index = {"PBS_ARRAYID" if torque else "PBS_ARRAY_INDEX": task[2]} if task else {}
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": os.path.expanduser("~"),
        **job["variables"],
        **index,
        "PBS_JOBID": f"{key}.pbs1",
        "PBS_JOBNAME": job["name"],
        "PBS_QUEUE": job["queue"],
        "PBS_ENVIRONMENT": "PBS_BATCH",
        "PBS_HOST": HOST,
    }


def used(job: dict) -> dict[str, str]:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, wall = int(spent.ru_utime + spent.ru_stime), int(time.time()) - job["stime"]
    return {
        "cput": clock(cpu),
        "mem": f"{spent.ru_maxrss}kb",
        "vmem": f"{2 * spent.ru_maxrss}kb",
        "walltime": clock(wall),
        "cpupercent": "0",
        "ncpus": str(sum(count * cores for count, cores in job["chunks"])),
    }


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


if __name__ == "__main__":
    main()
