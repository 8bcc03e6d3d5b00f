"""Every page and end point: one line for each app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from accounts.urls import urlpatterns as accounts
from accounts.views import admin_login
from operations.views import ApprovalList
from portal import views
from projects.views import log, people, select_project, tokens, usage
from projects.views.impersonation import Impersonate, account_unlock, impersonation_end

pages = [
    path("", views.dashboard, name="dashboard"),
    path("search/", views.search, name="search"),
    path("health/", views.health, name="health"),
    path("project/", select_project, name="project-select"),
    path("staff/", views.staff, name="staff"),
    path("staff/usage/", usage.staff_usage, name="staff-usage"),
    path("staff/approvals/", ApprovalList.as_view(), name="approval-list"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("docs/errors/<slug:name>", views.explain, name="error"),
    path("account/webhooks/", views.Webhooks.as_view(), name="webhooks"),
    path("account/webhooks/<uuid:webhook>/", views.webhook_detail, name="webhook"),
    path("account/webhooks/<uuid:webhook>/<slug:action>/", views.webhook_action, name="webhook-action"),
    path("apply/confirm/<str:token>/", people.ApplyConfirm.as_view(), name="apply-confirm"),
    path("account/tokens/", tokens.Tokens.as_view(), name="account-tokens"),
    path("account/tokens/<uuid:pk>/revoke/", tokens.token_revoke, name="account-token-revoke"),
    path("account/activity/", log.OwnLog.as_view(), name="account-activity"),
    path("account/notices/", views.NoticeList.as_view(), name="notices"),
    path("account/notices/bell/", views.bell, name="bell"),
    path("account/notices/read/", views.notices_read, name="notices-read"),
    path("account/notices/choices/", views.notice_choices, name="notice-choices"),
    path("account/notices/<uuid:notice>/open/", views.notice_open, name="notice-open"),
    path("account/notices/<uuid:notice>/read/", views.notice_read, name="notice-read"),
    path("staff/accounts/<uuid:user>/impersonate/", Impersonate.as_view(), name="impersonate"),
    path("staff/accounts/<uuid:user>/unlock/", account_unlock, name="account-unlock"),
    path("impersonation/end/", impersonation_end, name="impersonation-end"),
    *accounts,
]
events = [path("", views.EventList.as_view(), name="list")]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((pages, "portal"))),
    path("", include("projects.urls")),
    path("", include("clouds.urls")),
    path("", include("hpc.urls")),
    path("operations/", include("operations.urls")),
    path("events/", include((events, "activity"))),
    path("api/v1/", include("portal.api.urls")),
    path("admin/login/", admin_login),
    path("admin/", admin.site.urls),
]

handler400 = views.invalid
handler403 = views.forbidden
handler404 = views.missing
handler500 = views.mistake
