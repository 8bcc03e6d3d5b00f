"""qsub of both products: options, directives of the script, and what the server checks."""

import getopt
import os
import pathlib
import re
import sys

from failure import Failure, failure
from world import DEFAULT_QUEUE, HOST, QUEUES, World, me, new_job

OPTIONS = {
    False: "a:A:c:C:e:fhIj:J:k:l:m:M:N:o:p:P:q:r:R:S:u:v:VW:Xz",
    True: "a:A:b:c:C:d:D:e:fFhIj:k:l:m:M:nN:o:p:P:q:r:S:t:T:u:v:VwW:xXz",
}
NAME = {False: re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+#@-]{0,229}"), True: re.compile(r"[A-Za-z][!-~]{0,254}")}
RESOURCES = ("select", "place", "walltime", "nodes", "mem", "procs", "cput", "pmem")
USAGE = "usage: qsub [-a date_time] [-A account_string] [-c interval]\n"


def qsub(place: pathlib.Path, arguments: list[str]) -> str:
    with World.of(place) as world:
        torque = world.is_torque
    given, resources = parsed(arguments, torque=torque)
    script = sys.stdin.buffer.read()
    for line in directives(script):
        theirs, more = parsed(line.split(), torque=torque)
        given, resources = {**theirs, **given}, {**more, **resources}
    with World.of(place) as world:
        return Submission(world, given, resources, script, " ".join(arguments)).done()


def parsed(arguments: list[str], *, torque: bool) -> tuple[dict[str, str], dict[str, str]]:
    try:
        options, operands = getopt.getopt(arguments, OPTIONS[torque])
    except getopt.GetoptError as error:
        raise Failure(f"qsub: invalid option -- '{error.opt}'\n{USAGE}", 2) from error
    if operands:
        raise Failure(f"qsub: script file:: No such file or directory\n{operands[0]}", 1)
    resources = dict(value.partition("=")[::2] for name, value in options if name == "-l")
    given = {name: value for name, value in options if name != "-l"}
    if "-N" in given and not NAME[torque].fullmatch(given["-N"]):
        raise Failure(f"qsub: illegal -N value\n{USAGE}", 2)
    for name in ("-o", "-e"):
        if ":" in given.get(name, ""):
            raise Failure(f"qsub: illegal {name} value\n{USAGE}", 2)
    return given, resources


def directives(script: bytes) -> list[str]:
    found = []
    for line in script.decode(errors="replace").splitlines():
        if line.startswith("#PBS "):
            found.append(line[5:])
        elif line.strip() and not line.startswith("#"):
            break
    return found


class Submission:
    def __init__(self, world: World, given: dict, resources: dict, script: bytes, arguments: str) -> None:
        self.world, self.given, self.resources, self.script = world, given, resources, script
        self.arguments, self.torque = arguments, world.is_torque

    def done(self) -> str:
        queue, chunks = self.queue(), self.chunks()
        numbers, limit = self.numbers()
        depend = self.depend()
        self.world.last += 1
        key = f"{self.world.last}[]" if numbers else str(self.world.last)
        holds = ("u" if "-h" in self.given else "") + ("s" if depend else "")
        name, cwd = self.given.get("-N", "STDIN"), os.getcwd()
        job = new_job(
            name=name,
            state="H" if holds else "Q",
            holds=holds,
            queue=queue,
            account=self.given.get("-A", ""),
            resources=self.resource_list(chunks),
            chunks=chunks,
            walltime=self.walltime(queue),
            variables=self.variables(cwd, queue),
            depend=depend,
            cwd=cwd,
            shell=self.given.get("-S", ""),
            join=self.given.get("-j", "n"),
            keep=self.given.get("-k", "n"),
            arguments=self.arguments,
        )
        script = self.world.place / "scripts" / key
        script.write_bytes(self.script)
        self.add(key, job, numbers, limit)
        return f"{self.world.full(key)}\n"

    def add(self, key: str, job: dict, numbers: list[int], limit: str) -> None:
        shown = self.given.get("-t" if self.torque else "-J", "").partition("%")[0]
        if numbers and not self.torque:
            self.world.jobs[key] = {**job, **self.paths(key, ".^array_index^"), "is_array": True, "array": shown}
        for number in numbers:
            task = f"{key[:-1]}{number}]"
            ending = f"-{number}" if self.torque else f".{number}"
            more = {"name": f"{job['name']}-{number}"} if self.torque else {}
            self.world.jobs[task] = {**job, **self.paths(key, ending), **more, "array": shown, "limit": limit}
        if not numbers:
            self.world.jobs[key] = {**job, **self.paths(key, "")}

    def paths(self, key: str, ending: str) -> dict[str, str]:
        number, name, cwd = key.rstrip("[]"), self.given.get("-N", "STDIN"), os.getcwd()
        usual = {"output": f"{cwd}/{name}.o{number}{ending}", "error": f"{cwd}/{name}.e{number}{ending}"}
        return {
            which: f"{HOST}:{os.path.join(cwd, self.given.get(option) or usual[which])}"
            for which, option in (("output", "-o"), ("error", "-e"))
        }

    def queue(self) -> str:
        queue = self.given.get("-q") or DEFAULT_QUEUE
        if queue not in QUEUES:
            raise failure("qsub", "unknown queue", torque=self.torque)
        if not QUEUES[queue].get("enabled", True):
            raise failure("qsub", "queue closed", torque=self.torque)
        return QUEUES[queue].get("route", [queue])[0]

    def walltime(self, queue: str) -> int | None:
        asked = self.resources.get("walltime")
        if asked is None:
            return QUEUES[queue].get("default")
        total = 0
        for part in asked.split(":"):
            total = total * 60 + int(part)
        if total > QUEUES[queue].get("max", total):
            raise failure("qsub", "too much", torque=self.torque)
        return total

    def chunks(self) -> list[list[int]]:
        """How often how many cores."""
        for name in self.resources:
            if name not in RESOURCES:
                raise failure("qsub", "unknown resource", f"Resource_List.{name}", torque=self.torque)
        found = []
        for part in (self.resources.get("nodes" if self.torque else "select") or "1").split("+"):
            count, _, rest = part.partition(":")
            each = dict(option.partition("=")[::2] for option in rest.split(":") if option)
            found.append([int(count), int(each.get("ppn" if self.torque else "ncpus", 1))])
        return found

    def resource_list(self, chunks: list[list[int]]) -> dict[str, str]:
        nodes = str(sum(count for count, _ in chunks))
        walltime = {"walltime": self.resources["walltime"]} if "walltime" in self.resources else {}
        if self.torque:
            return {**{k: v for k, v in self.resources.items() if k != "walltime"}, "nodect": nodes, **walltime}
        totals = {"ncpus": sum(count * cores for count, cores in chunks)}
        for part in (self.resources.get("select") or "1").split("+"):
            count, _, rest = part.partition(":")
            for name, value in (option.split("=") for option in rest.split(":") if "=" in option):
                if name in ("mpiprocs", "ngpus", "mem"):
                    totals[name] = totals.get(name, 0) + int(count) * int(value.removesuffix("mb"))
        shown = {name: f"{total}mb" if name == "mem" else str(total) for name, total in totals.items()}
        select = self.resources.get("select", "1:ncpus=1")
        return {**shown, "nodect": nodes, "place": self.resources.get("place", "pack"), "select": select, **walltime}

    def numbers(self) -> tuple[list[int], str]:
        text = self.given.get("-t" if self.torque else "-J", "")
        if not text:
            return [], ""
        numbers, _, limit = text.partition("%")
        pattern = r"\d+(-\d+)?(,\d+(-\d+)?)*" if self.torque else r"\d+-\d+(:\d+)?"
        if not re.fullmatch(pattern, numbers):
            raise Failure(f"qsub: illegal {'-t' if self.torque else '-J'} value\n{USAGE}", 2)
        found = []
        for part in numbers.split(","):
            bounds, _, step = part.partition(":")
            first, _, last = bounds.partition("-")
            found += range(int(first), int(last or first) + 1, int(step or 1))
        return found, limit

    def depend(self) -> list:
        text = self.given.get("-W", "").removeprefix("depend=")
        found = []
        for part in text.split(",") if text else ():
            kind, *ids = part.split(":")
            keys = [self.world.key(each) for each in ids]
            wrong = self.torque and (kind == "afterokarray") != all(str(key).endswith("[]") for key in keys)
            keys = [each for key in keys for each in (self.world.tasks(key) if self.torque and key else []) or [key]]
            if kind not in ("afterok", "afterokarray") or wrong or any(key not in self.world.jobs for key in keys):
                raise failure("qsub", "depends", torque=self.torque)
            found.append([kind, keys])
        return found

    def variables(self, cwd: str, queue: str) -> dict[str, str]:
        given = dict(part.partition("=")[::2] for part in re.split(r"(?<!\\),", self.given.get("-v", "")) if part)
        return {
            "PBS_O_HOME": os.path.expanduser("~"),
            "PBS_O_LOGNAME": me(),
            "PBS_O_PATH": "/usr/bin:/bin",
            "PBS_O_SHELL": "/bin/bash",
            "PBS_O_WORKDIR": cwd,
            "PBS_O_HOST": HOST,
            "PBS_O_QUEUE": queue,
            "PBS_O_SYSTEM": "Linux",
            **given,
        }
