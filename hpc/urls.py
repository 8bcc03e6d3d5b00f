from django.urls import path

from hpc import views

app_name = "hpc"
urlpatterns = [
    path("clusters/", views.cluster_list, name="cluster-list"),
    path("clusters/register/", views.Register.as_view(), name="cluster-register"),
    path("clusters/register/<uuid:pk>/", views.cluster_verify, name="cluster-verify"),
    path("clusters/<uuid:pk>/", views.cluster_detail, name="cluster-detail"),
    path("clusters/<uuid:pk>/row/", views.cluster_row, name="cluster-row"),
    path("clusters/<uuid:pk>/jobs/", views.ClusterJobs.as_view(), name="cluster-jobs"),
    path("clusters/<uuid:pk>/nodes/", views.cluster_nodes, name="cluster-nodes"),
    path("clusters/<uuid:pk>/settings/", views.Settings.as_view(), name="cluster-settings"),
    path("clusters/<uuid:pk>/refresh/", views.cluster_refresh, name="cluster-refresh"),
    path("clusters/<uuid:pk>/toggle/", views.cluster_toggle, name="cluster-toggle"),
    path("clusters/<uuid:pk>/remove/", views.cluster_remove, name="cluster-remove"),
    path("nodes/<uuid:pk>/", views.node_detail, name="node-detail"),
    path("logins/", views.Logins.as_view(), name="login-list"),
    path("logins/<uuid:pk>/verify/", views.login_verify, name="login-verify"),
    path("logins/<uuid:pk>/remove/", views.login_remove, name="login-remove"),
    path("jobs/", views.JobList.as_view(), name="job-list"),
    path("jobs/submit/", views.Submit.as_view(), name="job-submit"),
    path("jobs/submit/plan/", views.submit_plan, name="job-plan"),
    path("jobs/submit/forecast/", views.submit_forecast, name="job-forecast"),
    path("jobs/forecast/<uuid:pk>/", views.forecast, name="job-expected"),
    path("jobs/parts/<uuid:pk>/", views.job_part, name="job-part"),
    path("jobs/listings/<uuid:pk>/", views.job_listing, name="job-listing"),
    path("jobs/fetched/<uuid:pk>/", views.job_fetched, name="job-fetched"),
    path("jobs/data/<uuid:pk>/", views.job_data, name="job-data"),
    path("jobs/bulk/", views.job_bulk, name="job-bulk"),
    path("jobs/<uuid:pk>/", views.job_detail, name="job-detail"),
    path("jobs/<uuid:pk>/row/", views.job_row, name="job-row"),
    path("jobs/<uuid:pk>/read/<slug:which>/", views.job_read, name="job-read"),
    path("jobs/<uuid:pk>/files/", views.job_files, name="job-files"),
    path("jobs/<uuid:pk>/fetch/", views.job_fetch, name="job-fetch"),
    path("jobs/<uuid:pk>/<slug:action>/", views.job_action, name="job-action"),
]
