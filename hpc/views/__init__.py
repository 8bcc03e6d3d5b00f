"""Clusters, their nodes and jobs, and who one is there, as pages."""

from hpc.views.clusters import (
    cluster_cards,
    cluster_detail,
    cluster_list,
    cluster_refresh,
    cluster_remove,
    cluster_row,
    cluster_toggle,
)
from hpc.views.files import job_data, job_fetch, job_fetched, job_files, job_listing
from hpc.views.jobs import ClusterJobs, JobList, job_action, job_bulk, job_detail, job_row
from hpc.views.logins import Logins, login_remove, login_verify
from hpc.views.nodes import cluster_nodes, node_detail
from hpc.views.output import job_part, job_read
from hpc.views.register import Register, cluster_verify
from hpc.views.settings import Settings
from hpc.views.submit import Submit, forecast, submit_forecast, submit_plan
from hpc.views.templates import SaveTemplate, template_list, template_remove

__all__ = [
    "ClusterJobs",
    "JobList",
    "Logins",
    "Register",
    "SaveTemplate",
    "Settings",
    "Submit",
    "cluster_cards",
    "cluster_detail",
    "cluster_list",
    "cluster_nodes",
    "cluster_refresh",
    "cluster_remove",
    "cluster_row",
    "cluster_toggle",
    "cluster_verify",
    "forecast",
    "job_action",
    "job_bulk",
    "job_data",
    "job_detail",
    "job_fetch",
    "job_fetched",
    "job_files",
    "job_listing",
    "job_part",
    "job_read",
    "job_row",
    "login_remove",
    "login_verify",
    "node_detail",
    "submit_forecast",
    "submit_plan",
    "template_list",
    "template_remove",
]
