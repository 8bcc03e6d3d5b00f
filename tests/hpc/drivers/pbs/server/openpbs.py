"""qstat, qselect and pbsnodes of OpenPBS: 20.0.1 writes values as they are, 23.06 writes JSON."""

import calendar
import getopt
import json
import pathlib
import re
import time

from failure import Failure, failure
from world import CORES, DEFAULT_QUEUE, GPUS, HOST, MEMORY, NODES, QUEUES, SERVER, TASK, World

NUMBER = re.compile(r"\s*[+-]?(inf(inity)?|nan|0x[0-9a-f]+|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)\s*", re.IGNORECASE)
ESCAPED = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
Document = dict


def qstat(place: pathlib.Path, arguments: list[str]) -> tuple[str, str, int]:
    try:
        options, operands = getopt.getopt(arguments, "aBD:EfF:GHiJMnpqQrsStTu:wx1", ["version"])
    except getopt.GetoptError as error:
        raise Failure(f"qstat: invalid option -- '{error.opt}'\nusage: qstat [-f] [-J] [-p] [-t] [-x]", 2) from error
    given = dict(options)
    with World.of(place) as world:
        if "--version" in given:
            return f"pbs_version = {world.settings['version']}\n", "", 0
        if "-f" not in given or given.get("-F") != "json":
            return text(world, given)
        if "-B" in given:
            return written(world, {"Server": {SERVER: server(world)}}), "", 0
        if "-Q" in given:
            return written(world, {"Queue": {name: queue(world, name) for name in QUEUES}}), "", 0
        return jobs(world, given, operands)


def text(world: World, given: dict) -> tuple[str, str, int]:
    if "-B" in given and "-f" in given:
        lines = [f"    {name} = {value}" for name, value in server(world).items()]
        return "\n".join([f"Server: {SERVER}", *lines, "", ""]), "", 0
    return "", "", 0


def jobs(world: World, given: dict, operands: list[str]) -> tuple[str, str, int]:
    history, said, code = "-x" in given, [], 0
    if history and not world.settings["history"]:
        return written(world, {}), "qstat: PBS is not configured to maintain job history\n", 0
    chosen = []
    for operand in operands:
        key = world.key(operand)
        job = world.jobs.get(key or "")
        if job is None:
            error = failure("qstat", "unknown job", operand, torque=False)
            said, code = [*said, error.said], error.code
        elif job["state"] == "F" and not history:
            said.append(f"qstat: {operand} Job has finished, use -x or -H to obtain historical job information")
            code = 35
        else:
            chosen += [key, *(world.tasks(key) if "-t" in given else ())]
    if not operands:
        chosen = [key for key, job in world.jobs.items() if shown(key, job, history=history, tasks="-t" in given)]
    document = {"Jobs": {world.full(key): attributes(world, key) for key in chosen}} if chosen else {}
    return written(world, document), "".join(f"{line}\n" for line in said), code


def shown(key: str, job: Document, *, history: bool, tasks: bool) -> bool:
    return (tasks or not TASK.match(key)) and (history or job["state"] != "F")


def qselect(place: pathlib.Path, arguments: list[str]) -> str:
    options, _ = getopt.getopt(arguments, "a:A:c:h:HJl:N:p:P:q:r:s:t:Tu:x")
    with World.of(place) as world:
        history = ("-x", "") in options
        if history and not world.settings["history"]:
            raise Failure("qselect: PBS is not configured to maintain job history", 15140)
        keys = [key for key, job in world.jobs.items() if shown(key, job, history=history, tasks=False)]
        for name, value in options:
            keys = [key for key in keys if fits(world.jobs[key], name, value)]
        return "".join(f"{world.full(key)}\n" for key in keys)


def fits(job: Document, name: str, value: str) -> bool:
    if name == "-u":
        return job["user"] in value.split(",")
    if name == "-s":
        return job["state"] in value
    if name == "-t":
        kind, how, stamp = re.fullmatch(r"([cm])\.(gt|ge)\.(\d{12}\.\d{2})", value).groups()
        when = time.mktime(time.strptime(stamp, "%Y%m%d%H%M.%S"))  # in the zone of whoever asks
        own = job["ctime"] if kind == "c" else job["end"] or job["stime"] or job["ctime"]
        return own > when or (how == "ge" and own == when)
    return True


def pbsnodes(place: pathlib.Path, arguments: list[str]) -> str:
    if arguments != ["-a", "-F", "json"]:
        raise Failure("Usage:\n\tpbsnodes [-{c|r|o|d} host host ...", 1)
    with World.of(place) as world:
        return written(world, {"nodes": {name: node(world, name) for name in NODES}})


# -- what is told ----------------------------------------------------------------------------------------------


def server(world: World) -> Document:
    return {
        "server_state": "Active",
        "server_host": HOST,
        "scheduling": "True",
        "total_jobs": str(len(world.jobs)),
        "default_queue": DEFAULT_QUEUE,
        "pbs_version": world.settings["version"],
    }


def queue(world: World, name: str) -> Document:
    facts = QUEUES[name]
    count = sum(job["queue"] == name for job in world.jobs.values())
    told = {"queue_type": "Route" if "route" in facts else "Execution", "total_jobs": str(count)}
    told["state_count"] = f"Transit:0 Queued:{count} Held:0 Waiting:0 Running:0 Exiting:0 Begun:0 "
    if "priority" in facts:
        told["Priority"] = str(facts["priority"])
    if "max" in facts:
        told["resources_max"] = {"nodect": "4", "walltime": clock(facts["max"])}
    if "default" in facts:
        told["resources_default"] = {"walltime": clock(facts["default"])}
    if "label" in facts:
        told["default_chunk"] = {"ncpus": "1", "Qlist": facts["label"]}
    if "named" in facts:
        told["hasnodes"] = "True"
    told["enabled"] = str(facts.get("enabled", True))
    told["started"] = str(facts.get("started", True))
    return told


def node(world: World, name: str) -> Document:
    facts, on = NODES[name], []
    for key, job in world.jobs.items():
        if job["state"] in "RE":
            on += [(world.full(key), cores) for host, cores in job["hosts"] if host == name]
    used = sum(cores for _, cores in on)
    available = {"arch": "linux", "host": name, "mem": f"{MEMORY}kb", "ncpus": str(CORES), "vnode": name}
    if "labels" in facts:
        available["Qlist"] = ",".join(facts["labels"])
    if "gpus" in facts:
        available["ngpus"] = str(GPUS)
    told = {
        "Mom": f"{name}.example.org",
        "ntype": "PBS",
        "state": facts.get("state") or ("job-busy" if used >= CORES else "free"),
        "pcpus": str(CORES),
        "resources_available": available,
        "resources_assigned": {"accelerator_memory": "0kb", "mem": "0kb", "naccelerators": "0", "ncpus": str(used)},
        "resv_enable": "True",
        "sharing": "default_shared",
        "last_used_time": str(int(time.time())),
    }
    if on:
        told["jobs"] = [job_id for job_id, cores in on for _ in range(cores)]
    return {**told, **{key: facts[key] for key in ("queue", "comment") if key in facts}}


def attributes(world: World, key: str) -> Document:
    job = world.jobs[key]
    told = {"Job_Name": job["name"], "Job_Owner": f"{job['user']}@{HOST}"}
    if job["state"] == "R":
        told["resources_used"] = {"cpupercent": "0", "cput": "00:00:00", "mem": "0kb", "walltime": "00:00:00"}
    elif job["used"]:
        told["resources_used"] = job["used"]
    told |= {"job_state": job["state"], "queue": job["queue"], "server": SERVER, "Checkpoint": "u"}
    told |= {"ctime": time.ctime(job["ctime"]), "Error_Path": job["error"]}
    if job["account"]:
        told["Account_Name"] = job["account"]
    if job["hosts"]:
        told["exec_host"] = "+".join(f"{host}/0*{cores}" for host, cores in job["hosts"])
        told["exec_vnode"] = "+".join(f"({host}:ncpus={cores})" for host, cores in job["hosts"])
    told |= {"Hold_Types": job["holds"] or "n", "Join_Path": job["join"], "Keep_Files": job["keep"]}
    told |= {"mtime": time.ctime(job["end"] or job["stime"] or job["ctime"]), "Output_Path": job["output"]}
    told |= {"Priority": "0", "qtime": time.ctime(job["ctime"]), "Rerunable": "True", "Resource_List": job["resources"]}
    if job["stime"]:
        told["stime"] = time.ctime(job["stime"])
    told |= {"substate": str(job["substate"]), "Variable_List": job["variables"]}
    if job["comment"]:
        told["comment"] = job["comment"]
    if job["state"] in "QHB":
        told |= {"etime": time.ctime(job["ctime"]), "eligible_time": clock(int(time.time() - job["ctime"]))}
    if job["depend"]:
        told["depend"] = ",".join(
            ":".join([kind, *(f"{world.full(each)}@{SERVER}" for each in ids)]) for kind, ids in job["depend"]
        )
    return told | array(world, key, job) | ended(job) | {"Submit_arguments": job["arguments"]}


def array(world: World, key: str, job: Document) -> Document:
    if TASK.match(key):
        return {"array_id": world.full(world.parent(key)), "array_index": TASK.match(key)[2]}
    if not job["is_array"]:
        return {}
    tasks = {int(TASK.match(each)[2]): world.jobs[each]["state"] for each in world.tasks(key)}
    left = sorted(number for number, state in tasks.items() if state in "QH")
    whole = left and left == list(range(left[0], left[-1] + 1)) and len(left) > 1
    counts = [sum(state in states for state in tasks.values()) for states in ("QH", "R", "E", "XF")]
    return {
        "array": "True",
        "array_state_count": "Queued:{} Running:{} Exiting:{} Expired:{} ".format(*counts),
        "array_indices_submitted": job["array"],
        "array_indices_remaining": f"{left[0]}-{left[-1]}" if whole else ",".join(map(str, left)) or "-",
    }


def ended(job: Document) -> Document:
    if job["state"] not in "FX":
        return {}
    status = {} if job["exit"] is None else {"Exit_status": str(job["exit"])}
    return {**status, "history_timestamp": str(job["end"])}


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


# -- how it is written -----------------------------------------------------------------------------------------


def written(world: World, document: Document) -> str:
    whole = {
        "timestamp": str(calendar.timegm(time.gmtime())),
        "pbs_version": world.settings["version"],
        "pbs_server": SERVER,
        **document,
    }
    if world.settings["version"] >= "22.05":
        return json.dumps(whole, indent=4) + "\n"
    return "{" + inside(whole, 4) + "\n}\n"


def inside(value: Document | list, indent: int) -> str:
    items = value.items() if isinstance(value, dict) else ((None, each) for each in value)
    return ",".join("\n" + " " * indent + one(key, each, indent) for key, each in items)


def one(key: str | None, value: object, indent: int) -> str:
    name = "" if key is None else f'"{key}":'
    if isinstance(value, dict | list):
        first, last = "{}" if isinstance(value, dict) else "[]"
        return f"{name}{first}{inside(value, indent + 4)}\n{' ' * indent}{last}"
    text = str(value)
    if NUMBER.fullmatch(text):
        return f"{name}{text}"
    return f'{name}"{"".join(ESCAPED.get(letter, letter) for letter in text)}"'
