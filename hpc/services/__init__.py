"""What people do with clusters: `schedulers`, `logins` and `jobs`."""

from hpc.services.experiments import find_experiments, remove_experiments
from hpc.services.jobs import (
    JobPlan,
    change_jobs,
    find_jobs,
    forecast_job,
    job_abilities,
    plan_job,
    read_job_file,
    submit_job,
)
from hpc.services.logins import login_of, make_login, map_login, remove_login, verify_login
from hpc.services.schedulers import (
    change_scheduler,
    driver_named,
    drivers,
    fields,
    find_cluster,
    refresh_scheduler,
    register_scheduler,
    remove_scheduler,
    replace_credential,
    set_clusters,
    switch_scheduler,
    watch,
)
from hpc.services.templates import Filled, delete_template, fill_template, save_template

__all__ = [
    "Filled",
    "JobPlan",
    "change_jobs",
    "change_scheduler",
    "delete_template",
    "driver_named",
    "drivers",
    "fields",
    "fill_template",
    "find_cluster",
    "find_experiments",
    "find_jobs",
    "forecast_job",
    "job_abilities",
    "login_of",
    "make_login",
    "map_login",
    "plan_job",
    "read_job_file",
    "refresh_scheduler",
    "register_scheduler",
    "remove_experiments",
    "remove_login",
    "remove_scheduler",
    "replace_credential",
    "save_template",
    "set_clusters",
    "submit_job",
    "switch_scheduler",
    "verify_login",
    "watch",
]
