"""What OpenPBS 19.1 to 23.06 and Torque 4 to 6 call the same things: the only place that knows them apart by name.

Names with dots are inside one another. Of several the first that is there counts: OpenPBS's stand first. How values
are written differs too, see `values`.
"""

from collections.abc import Callable
from typing import Any

from cloudmesh.types import Json

JOB = {
    "id": ("Job_Id",),
    "name": ("Job_Name",),
    "owner": ("Job_Owner",),
    "state": ("job_state",),
    "substate": ("substate",),
    "queue": ("queue",),
    "account": ("Account_Name",),
    "variables": ("Variable_List",),
    "asked": ("Resource_List",),
    "used": ("resources_used",),
    "vnodes": ("exec_vnode",),
    "hosts": ("exec_host",),
    "holds": ("Hold_Types",),
    "submitted": ("ctime",),
    "started": ("stime", "start_time"),
    "ended": ("obittime", "comp_time", "history_timestamp", "mtime"),
    "expected": ("estimated.start_time",),
    "exit": ("Exit_status", "exit_status"),
    "comment": ("comment",),
    "output": ("Output_Path",),
    "error": ("Error_Path",),
    "join": ("Join_Path",),
    "depend": ("depend",),
    "remaining": ("array_indices_remaining",),
    "tasks": ("array_indices_submitted", "job_array_request"),
    "directory": ("init_work_dir",),  # of Torque; of both it is also in the variables
}
QUEUE = {
    "type": ("queue_type",),
    "enabled": ("enabled",),
    "started": ("started",),
    "priority": ("Priority",),
    "max_walltime": ("resources_max.walltime",),
    "default_walltime": ("resources_default.walltime",),
    "max_nodes": ("resources_max.nodect", "resources_max.nodes"),
    "chunk": ("default_chunk",),  # OpenPBS: what each part of a job in it asks for
    "neednodes": ("resources_default.neednodes",),  # Torque: a property
    "features": ("features_required",),  # Torque
}
NODE = {
    "state": ("state",),
    "power": ("power_state",),  # Torque
    "comment": ("comment", "note"),
    "queue": ("queue",),  # OpenPBS: the only one that it works for
    "cores": ("resources_available.ncpus", "np", "pcpus"),
    "cores_used": ("resources_assigned.ncpus",),
    "memory": ("resources_available.mem", "status.physmem"),
    "memory_used": ("resources_assigned.mem",),
    "gpus": ("resources_available.ngpus", "gpus"),
    "gpus_used": ("resources_assigned.ngpus",),
    "gpu_status": ("gpu_status",),  # Torque
    "load": ("status.loadave",),  # Torque
    "properties": ("properties",),  # Torque
    "available": ("resources_available",),
    "jobs": ("jobs",),
}
#: What changes with every look and says nothing of a job, or of a node.
COUNTS_UP = ("eligible_time", "Walltime", "last_used_time", "resources_used.cpupercent")


def finder(table: dict[str, tuple[str, ...]]) -> Callable[[Json], Json]:
    """What reads a document by one of the tables above; what none of its names leads to is None."""
    prepared = [(name, [path.split(".") for path in paths]) for name, paths in table.items()]
    return lambda native: {name: _found(native, paths) for name, paths in prepared}


def _found(native: Json, paths: list[list[str]]) -> Any:
    for path in paths:
        place: Any = native
        for step in path:
            place = place.get(step) if isinstance(place, dict) else None
        if place not in (None, ""):
            return place
    return None
