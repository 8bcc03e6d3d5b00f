"""qstat and pbsnodes of Torque 6.1.2."""

import getopt
import pathlib
import time
from xml.sax.saxutils import escape

from failure import Failure, failure
from world import CORES, DEFAULT_QUEUE, GPUS, HOST, MEMORY, NODES, QUEUES, SERVER, TASK, World

WIDTH = 78
QUOTES = {'"': "&quot;", "'": "&apos;"}


def qstat(place: pathlib.Path, arguments: list[str]) -> tuple[str, str, int]:
    try:
        options, operands = getopt.getopt(arguments, "aBcCDefGilMnqQrRstu:W:xz1", ["version"])
    except getopt.GetoptError as error:
        raise Failure(
            f"qstat: invalid option -- '{error.opt}'\nusage: \n  qstat [-f [-1]] [-W site_specific] [-x]", 2
        ) from error
    given = dict(options)
    with World.of(place) as world:
        if "--version" in given:
            return "", f"Version: {world.settings['version']}\n", 0
        if "-B" in given and "-f" in given:
            return text({f"Server: {SERVER}": server(world)}), "", 0
        if "-Q" in given and "-f" in given:
            return text({f"Queue: {name}": queue(world, name) for name in QUEUES}), "", 0
        return jobs(world, given, operands)


def jobs(world: World, given: dict, operands: list[str]) -> tuple[str, str, int]:
    """Without -t an array is told as one; here nobody asks so."""
    if "-x" not in given or "-t" not in given:
        return "", "", 0
    chosen, said, code = [], [], 0
    for operand in operands:
        key = world.key(operand)
        if key not in world.jobs:
            error = failure("qstat", "unknown job", operand, torque=True)
            said, code = [*said, error.said], error.code
        else:
            chosen.append(key)
    keys = chosen if operands else list(world.jobs)
    told = "".join(element("Job", {"Job_Id": world.full(key), **attributes(world, key)}) for key in keys)
    return document(told) if told else "", "".join(f"{line}\n" for line in said), code


def pbsnodes(place: pathlib.Path, arguments: list[str]) -> str:
    if arguments != ["-x"]:
        raise Failure('usage:\tpbsnodes [-{c|d|l|o|p|r}][-s server] [-n] [-N "note"] [-q] node ...', 1)
    with World.of(place) as world:
        return document("".join(element("Node", {"name": name, **node(world, name)}) for name in NODES))


# -- what is told ----------------------------------------------------------------------------------------------


def server(world: World) -> dict:
    return {
        "server_state": "Active",
        "scheduling": "True",
        "total_jobs": len(world.jobs),
        "default_queue": DEFAULT_QUEUE,
        "keep_completed": world.settings["keep"],
        "pbs_version": world.settings["version"],
    }


def queue(world: World, name: str) -> dict:
    facts = QUEUES[name]
    count = sum(job["queue"] == name for job in world.jobs.values())
    told = {"queue_type": "Route" if "route" in facts else "Execution"}
    if "priority" in facts:
        told["Priority"] = facts["priority"]
    told["total_jobs"] = count
    told["state_count"] = f"Transit:0 Queued:{count} Held:0 Waiting:0 Running:0 Exiting:0 Complete:0 "
    if "max" in facts:
        told |= {"resources_max.nodect": 4, "resources_max.walltime": clock(facts["max"])}
    if "label" in facts or "named" in facts:
        told["resources_default.neednodes"] = facts.get("label", name)
    if "default" in facts:
        told["resources_default.walltime"] = clock(facts["default"])
    told["acl_hosts"] = ",".join(f"login{number}.a-cluster-with-a-long-name.example.org" for number in range(4))
    told |= {"enabled": facts.get("enabled", True), "started": facts.get("started", True)}
    return told


def node(world: World, name: str) -> dict:
    facts, slots, used = NODES[name], [], 0
    for key, job in world.jobs.items():
        for host, cores in job["hosts"] if job["state"] in "RE" else ():
            if host == name:
                numbers = f"{used}-{used + cores - 1}" if cores > 1 else str(used)
                slots.append(f"{numbers}/{world.full(key)}")
                used += cores
    state = facts.get("state") or ("job-exclusive" if used >= CORES else "free")
    told = {"state": state, "power_state": "Running", "np": CORES}
    properties = facts.get("labels", []) + ([facts["queue"]] if "queue" in facts else [])
    if properties:
        told["properties"] = ",".join(properties)
    told["ntype"] = "cluster"
    if slots:
        told["jobs"] = ",".join(slots)
    if state != "down":
        told["status"] = (
            f"rectime={int(time.time()) // 100},macaddr=02:e4:00:b0:b1:72,cpuclock=Fixed,varattr=,jobs=,state=free,"
            f"netload=210647044,gres=,loadave=0.25,ncpus={CORES},physmem={MEMORY}kb,availmem={MEMORY}kb,"
            f"totmem={MEMORY}kb,idletime=856,nusers=1,nsessions=1,sessions=19698,uname=Linux {name} 5.10 #1 SMP,"
            "opsys=linux"
        )
    if "comment" in facts:
        told["note"] = facts["comment"]
    if "gpus" in facts:
        told |= {"gpus": GPUS, "gpu_status": "gpu[0]=gpu_id=0;gpu_state=Unallocated;,gpu[1]=gpu_id=1;"}
    return told


def attributes(world: World, key: str) -> dict:
    job = world.jobs[key]
    told = {"Job_Name": job["name"], "Job_Owner": f"{job['user']}@{HOST}"}
    if job["used"]:
        told["resources_used"] = {name: job["used"][name] for name in ("cput", "mem", "vmem", "walltime")}
    told |= {"job_state": job["state"], "queue": job["queue"], "server": SERVER}
    if job["account"]:
        told["Account_Name"] = job["account"]
    told |= {"Checkpoint": "u", "ctime": job["ctime"]}
    if job["depend"]:
        told["depend"] = ",".join(
            ":".join([kind, *(f"{world.full(each)}@{SERVER}" for each in ids)]) for kind, ids in job["depend"]
        )
    told["Error_Path"] = job["error"]
    if job["hosts"]:
        slots = (f"{host}/0" + (f"-{cores - 1}" if cores > 1 else "") for host, cores in job["hosts"])
        told["exec_host"] = "+".join(slots)
    told |= {"Hold_Types": job["holds"] or "n", "Join_Path": job["join"], "Keep_Files": job["keep"]}
    told |= {"mtime": job["end"] or job["stime"] or job["ctime"], "Output_Path": job["output"], "Priority": 0}
    told |= {"qtime": job["ctime"], "Rerunable": True, "Resource_List": job["resources"]}
    told["Variable_List"] = ",".join(f"{name}={value}" for name, value in job["variables"].items())
    told |= {"euser": job["user"], "egroup": job["user"], "queue_type": "E", "etime": job["ctime"]}
    if job["comment"]:
        told["comment"] = job["comment"]
    if job["state"] == "C":
        told |= {"exit_status": job["exit"], "comp_time": job["end"]}
    told["submit_args"] = job["arguments"]
    if task := TASK.match(key):
        told |= {"job_array_id": task[2], "job_array_request": job["array"]}
    if job["stime"]:
        told["start_time"] = job["stime"]
    if job["state"] == "R" and job["walltime"]:
        told["Walltime"] = {"Remaining": job["walltime"] - int(time.time() - job["stime"])}
    return {**told, "fault_tolerant": False, "submit_host": HOST, "init_work_dir": job["cwd"]}


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


# -- how it is written -----------------------------------------------------------------------------------------


def document(told: str) -> str:
    return f'<?xml version="1.0"?>\n<Data>{told}</Data>\n'


def element(name: str, value: object) -> str:
    if isinstance(value, dict):
        return f"<{name}>{''.join(element(key, each) for key, each in value.items())}</{name}>"
    return f"<{name}>{escape(str(value), QUOTES)}</{name}>"


def text(blocks: dict[str, dict]) -> str:
    """As prt_attr() of qstat.c writes it: lines longer than 78 letters go on after a tab."""
    lines = []
    for head, facts in blocks.items():
        lines.append(head)
        for name, value in facts.items():
            line = f"    {name} = {value}"
            lines.append("\n\t".join(line[begin : begin + WIDTH] for begin in range(0, len(line), WIDTH)))
        lines.append("")
    return "\n".join(lines) + "\n"
