"""Queues and nodes in the documents of PBS as the records of `cloudmesh.types`.

Which nodes work for a queue is not told: it follows from what the queue's jobs ask for without being asked (labels in
`default_chunk`, or a property in `neednodes`), unless nodes are named for a queue (`queue` of OpenPBS's nodes).
"""

from collections.abc import Mapping
from typing import Any

from cloudmesh.types import Json, Node, NodeState, Queue, QueueState
from hpc.drivers.pbs import fields, values, words

ROUTE = "r"  # of jobs to other queues: no job runs in such a queue
_queue_facts, _node_facts = fields.finder(fields.QUEUE), fields.finder(fields.NODE)
Facts = Mapping[str, Json]


def nodes(natives: Facts, queues: Facts) -> list[Node]:
    facts = {name: _node_facts(native) for name, native in natives.items()}
    served = _served(facts, {name: _queue_facts(native) for name, native in queues.items()})
    return [_node(name, natives[name], each, served[name]) for name, each in facts.items()]


def queues(natives: Facts, nodes: list[Node], default: str) -> list[Queue]:
    return [
        _queue(name, native, [node for node in nodes if name in node.queues], is_default=name == default)
        for name, native in natives.items()
    ]


def _queue(name: str, native: Json, nodes: list[Node], *, is_default: bool) -> Queue:
    facts = _queue_facts(native)
    takes, starts = values.is_true(facts["enabled"]), values.is_true(facts["started"])
    states = {
        (True, True): QueueState.OPEN,
        (True, False): QueueState.STOPPED,
        (False, True): QueueState.CLOSED,
        (False, False): QueueState.DOWN,
    }
    return Queue(
        name=name,
        state=states[takes, starts],
        is_default=is_default,
        max_walltime=values.seconds(facts["max_walltime"]) or None,
        default_walltime=values.seconds(facts["default_walltime"]),
        max_nodes=values.number(facts["max_nodes"]),
        nodes=len(nodes),
        cores=sum(node.cores for node in nodes),
        cores_used=sum(node.cores_used for node in nodes),
        priority=values.number(facts["priority"]) or 0,
        native=native,
    )


def _served(nodes: Facts, queues: Facts) -> dict[str, tuple[str, ...]]:
    """The queues that each node works for."""
    running = {name: facts for name, facts in queues.items() if str(facts["type"] or "E")[0].lower() != ROUTE}
    named = {str(facts["queue"]) for facts in nodes.values() if facts["queue"]}
    open_ones = {name: _labels(facts) for name, facts in running.items() if name not in named}
    served = {}
    for name, facts in nodes.items():
        if facts["queue"]:
            served[name] = tuple({str(facts["queue"])} & running.keys())
        else:
            served[name] = tuple(queue for queue, labels in open_ones.items() if _has(name, facts, labels))
    return served


def _labels(queue: Json) -> list[tuple[str, str]]:
    """What a node must have, by name: a resource that is a text, or a property, whose name is empty."""
    chunk = values.table(queue["chunk"]).items()
    labels = [(name, str(value)) for name, value in chunk if _is_label(value)]
    return labels + [("", name) for field in ("neednodes", "features") for name in _properties(queue[field])]


def _is_label(value: Any) -> bool:
    return values.number(value) is None and not values.SIZE.fullmatch(str(value))


def _properties(value: Any) -> list[str]:
    """Of `neednodes`: how many nodes or cores of each stands there too."""
    parts = str(value or "").replace(",", ":").split(":")
    return [part for part in parts if part and values.number(part) is None and "=" not in part]


def _has(name: str, node: Json, labels: list[tuple[str, str]]) -> bool:
    available, own = values.table(node["available"]), {name, *values.listed(node["properties"])}
    return all(
        value in own if not resource else value in values.listed(available.get(resource)) for resource, value in labels
    )


def _node(name: str, native: Json, facts: Json, served: tuple[str, ...]) -> Node:
    cores, gpus = values.number(facts["cores"]) or 0, values.number(facts["gpus"]) or 0
    used = min(cores, _cores_used(facts))
    gpus_used = values.number(facts["gpus_used"]) or _gpus_used(str(facts["gpu_status"] or ""))
    return Node(
        name=name,
        state=_state(facts, used),
        reason=str(facts["comment"] or ""),
        queues=served,
        cores=cores,
        cores_used=used,
        memory=values.mebibytes(facts["memory"] or ""),
        memory_used=values.mebibytes(facts["memory_used"] or ""),
        gpus=gpus,
        gpus_used=min(gpus, gpus_used),
        load=_load(facts["load"]),
        properties=values.listed(facts["properties"]),
        jobs=tuple(dict.fromkeys(job.partition("/")[2] or job for job in _slots(facts["jobs"]))),
        native={key: value for key, value in native.items() if key not in fields.COUNTS_UP},
    )


def _slots(value: Any) -> list[str]:
    """`12.server` of OpenPBS, once for each core; `0-3/12.server` of Torque, whose numbers may have commas too."""
    found: list[str] = []
    waiting = ""
    for part in values.listed(value):
        if part.replace("-", "").isdecimal():
            waiting += f"{part},"
        else:
            found.append(waiting + part)
            waiting = ""
    return found


def _cores_used(facts: Json) -> int:
    if facts["cores_used"] is not None:
        return values.number(facts["cores_used"]) or 0
    used = 0
    for slot in _slots(facts["jobs"]):
        numbers, slash, _ = slot.partition("/")
        for part in numbers.split(",") if slash else ():
            first, _, last = part.partition("-")
            used += (values.number(last or first) or 0) - (values.number(first) or 0) + 1
    return used


def _gpus_used(status: str) -> int:
    """Of Torque's `gpu[0]=gpu_id=…;gpu_state=Exclusive;…`."""
    return status.count("gpu_state=Exclusive") + status.count("gpu_state=Shared")


def _state(facts: Json, used: int) -> NodeState:
    """A node may have several: `down,offline`."""
    states = values.listed(facts["state"])
    if str(facts["power"] or words.POWERED) != words.POWERED:
        return NodeState.OFF
    if words.DOWN & set(states):
        return NodeState.DOWN
    if words.OFFLINE in states:
        return NodeState.DRAINING if used else NodeState.DRAINED
    found = next((words.NODE_STATES[state] for state in states if state in words.NODE_STATES), NodeState.UNKNOWN)
    return NodeState.MIXED if found is NodeState.FREE and used else found


def _load(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None
