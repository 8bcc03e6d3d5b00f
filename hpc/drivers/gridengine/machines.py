"""Queues and nodes from `qhost` and `qconf` as the records of `cloudmesh.types`.

A queue has an instance at each of its nodes, with its own letters and slots. A node's cores are the slots of its
largest queue: that is what jobs get of it. Of GPUs qhost tells those that are free.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree.ElementTree import Element

from cloudmesh.types import Job, Json, Node, NodeState, Queue, QueueState
from hpc.drivers.gridengine import values, words
from hpc.drivers.gridengine.options import Resources

GLOBAL = "global"  # what all hosts share
NOTHING = "-"  # where a node told nothing


def hosts(document: Element) -> list[Json]:
    """What qhost tells of each: `value`, `resource`, `queues` by name, and the ids of `jobs`."""
    return [_host(element) for element in document.iter("host") if element.get("name") != GLOBAL]


def _host(element: Element) -> Json:
    queues = {queue.get("name", ""): _named(queue, "queuevalue") for queue in element.iter("queue")}
    told = [_named(job, "jobvalue") | {"id": job.get("name", "")} for job in element.iter("job")]
    ids = [f"{job['id']}.{job['taskid']}" if job.get("taskid") else job["id"] for job in told]
    return {
        "name": element.get("name", ""),
        "value": _named(element, "hostvalue"),
        "resource": _named(element, "resourcevalue"),
        "queues": queues,
        "jobs": list(dict.fromkeys(ids)),
    }


def _named(element: Element, tag: str) -> dict[str, str]:
    return {child.get("name", ""): (child.text or "").strip() for child in element.iterfind(tag)}


def nodes(natives: Iterable[Json], running: Iterable[Job], names: Resources) -> Iterator[Node]:
    gpus: Counter[str] = Counter()
    for job in running:
        gpus.update(dict.fromkeys(job.hosts[:1], job.gpus))
    return (_node(native, gpus[native["name"]], names) for native in natives)


def _node(native: Json, gpus: int, names: Resources) -> Node:
    value, queues = native["value"], native["queues"].values()
    cores = max([_slots(queue, "slots") for queue in queues], default=values.number(value.get("num_proc")) or 0)
    used = min(cores, sum(_slots(queue, "slots_used") for queue in queues))
    letters = [queue.get("state_string", "") for queue in queues]
    is_away = value.get("load_avg", NOTHING) == NOTHING or any(words.AWAY in each for each in letters)
    state = NodeState.DOWN if is_away else words.node_state(letters, used, cores)
    return Node(
        name=native["name"],
        state=state,
        reason=words.told("".join(letters) or words.AWAY * is_away, words.QUEUE_LETTERS),
        queues=tuple(native["queues"]),
        cores=cores,
        cores_used=used,
        memory=values.mebibytes(value.get("mem_total")),
        memory_used=values.mebibytes(value.get("mem_used")),
        gpus=(values.number(native["resource"].get(names.gpus)) or 0) + gpus,
        gpus_used=gpus,
        load=values.fraction(value.get("load_avg", "")),
        properties=tuple(filter(None, [value.get("arch_string", "").strip(NOTHING)])),
        jobs=tuple(native["jobs"]),
        native=native,
    )


def queues(natives: Iterable[dict[str, str]], nodes: Iterable[Json]) -> Iterator[Queue]:
    hosts = list(nodes)
    for native in natives:
        name = native["qname"]
        yield _queue(native, [host["queues"][name] for host in hosts if name in host["queues"]])


def _queue(native: dict[str, str], instances: list[dict[str, Any]]) -> Queue:
    letters = [instance.get("state_string", "") for instance in instances]
    cores = sum(_slots(instance, "slots") for instance in instances)
    return Queue(
        name=native["qname"],
        state=words.queue_state(letters) if instances else QueueState.DOWN,
        max_walltime=values.seconds(native.get("h_rt")) or None,
        nodes=len(instances),
        cores=cores,
        cores_used=min(cores, sum(_slots(instance, "slots_used") for instance in instances)),
        native={**native, "instances": letters},
    )


def _slots(queue: dict[str, Any], name: str) -> int:
    return values.number(queue.get(name)) or 0
