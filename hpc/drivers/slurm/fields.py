"""What Slurm 20.11 to 25.05 call the same things: the only place that knows versions apart.

Names with dots are inside one another. Of several the first that is there counts: they stand in the order of
slurmrestd 0.0.39 and later, slurmrestd 0.0.36–0.0.38, and the text of `scontrol --oneliner` and `sacct --parsable`,
which has not changed. Jobs have the same names everywhere; `squeue --Format` calls them otherwise. How values are
written differs too, see `values`.
"""

from collections.abc import Callable
from typing import Any

from cloudmesh.types import Json

#: The newest slurmrestd that was read about; a newer one serves the three before it as well.
VERSIONS = range(36, 45)

#: JSON's name of a job's field, and that of `squeue --Format` (20.11).
JOB_COLUMNS = {
    "job_id": "JobID",
    "array_job_id": "ArrayJobID",
    "array_task": "ArrayTaskID",
    "name": "Name",
    "user_name": "UserName",
    "account": "Account",
    "qos": "QOS",
    "partition": "Partition",
    "job_state": "State",
    "state_reason": "Reason",
    "node_count": "NumNodes",
    "cpus": "NumCPUs",
    "tasks": "NumTasks",
    "tres_req_str": "tres",
    "tres_alloc_str": "tres-alloc",
    "tres_per_node": "tres-per-node",
    "time_limit": "TimeLimit",
    "submit_time": "SubmitTime",
    "start_time": "StartTime",
    "end_time": "EndTime",
    "nodes": "NodeList",
    "current_working_directory": "WorkDir",
    "comment": "Comment",
    "dependency": "Dependency",
    "standard_output": "STDOUT",
    "standard_error": "STDERR",
    "exit_code": "exit_code",
}
QUEUE = {
    "name": ("name", "PartitionName"),
    "state": ("partition.state", "state", "State"),
    "flags": ("flags",),
    "is_default": ("Default",),
    "max_walltime": ("maximums.time", "max_time_limit", "MaxTime"),
    "default_walltime": ("defaults.time", "default_time_limit", "DefaultTime"),
    "max_nodes": ("maximums.nodes", "maximum_nodes_per_job", "MaxNodes"),
    "nodes": ("nodes.total", "total_nodes", "TotalNodes"),
    "cores": ("cpus.total", "total_cpus", "TotalCPUs"),
    "priority": ("priority.tier", "priority_tier", "PriorityTier"),
}
NODE = {
    "name": ("name", "NodeName"),
    "state": ("state", "State"),
    "flags": ("state_flags",),
    "reason": ("reason", "Reason"),
    "queues": ("partitions", "Partitions"),
    "cores": ("cpus", "CPUTot"),
    "cores_used": ("alloc_cpus", "CPUAlloc"),
    "memory": ("real_memory", "RealMemory"),
    "memory_used": ("alloc_memory", "AllocMem"),
    "gres": ("gres", "Gres"),
    "gres_used": ("gres_used",),
    "tres_used": ("tres_used", "AllocTRES"),
    "hundredths": ("cpu_load",),
    "load": ("CPULoad",),
    "properties": ("active_features", "features", "ActiveFeatures"),
}
#: Of accounting: slurmrestd's slurmdb 0.0.36–0.0.43, then the column of sacct, which is asked for.
ENDED = {
    "id": ("job_id", "JobIDRaw"),
    "shown": ("shown", "JobID"),
    "array_id": ("array.job_id",),
    "task": ("array.task_id",),
    "tasks": ("array.task",),
    "name": ("name", "JobName"),
    "state": ("state.current", "State"),
    "state_reason": ("state.reason", "Reason"),
    "login": ("user", "association.user", "User"),
    "queue": ("partition", "Partition"),
    "account": ("account", "Account"),
    "qos": ("qos", "QOS"),
    "comment": ("comment.job", "Comment"),
    "nodes": ("allocation_nodes", "NNodes"),
    "hosts": ("nodes", "NodeList"),
    "asked": ("tres.requested", "ReqTRES"),
    "given": ("tres.allocated", "AllocTRES"),
    "walltime": ("time.limit", "TimelimitRaw"),
    "submitted": ("time.submission", "Submit"),
    "started": ("time.start", "Start"),
    "ended": ("time.end", "End"),
    "exit_code": ("exit_code", "ExitCode"),
    "directory": ("working_directory", "WorkDir"),
    "used_cpu": ("time.total.seconds", "TotalCPU"),
    "used": ("tres.requested.total", "TRESUsageInTot"),  # of a step; what it used, whatever JSON calls it
}
SACCT_COLUMNS = tuple(paths[-1] for paths in ENDED.values() if paths[-1][0].isupper())


def finder(table: dict[str, tuple[str, ...]]) -> Callable[[Json], Json]:
    """What reads a document by one of the tables above; what none of its names leads to is None."""
    prepared = [(name, [path.split(".") for path in paths]) for name, paths in table.items()]
    return lambda native: {name: _found(native, paths) for name, paths in prepared}


def _found(native: Json, paths: list[list[str]]) -> Any:
    for path in paths:
        place: Any = native
        for step in path:
            place = place.get(step) if isinstance(place, dict) else None
        if place is not None:
            return place
    return None
