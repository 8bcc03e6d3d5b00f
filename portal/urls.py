"""Every page and end point: one line for each app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from accounts.urls import urlpatterns as accounts
from portal import views
from projects.views import select_project

pages = [
    path("", views.dashboard, name="dashboard"),
    path("search/", views.search, name="search"),
    path("health/", views.health, name="health"),
    path("project/", select_project, name="project-select"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("docs/errors/<slug:name>", views.explain, name="error"),
    *accounts,
]
events = [path("", views.EventList.as_view(), name="list")]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((pages, "portal"))),
    path("", include("clouds.urls")),
    path("operations/", include("operations.urls")),
    path("events/", include((events, "activity"))),
    path("api/v1/", include("portal.api.urls")),
    path("admin/", admin.site.urls),
]

handler400 = views.invalid
handler403 = views.forbidden
handler404 = views.missing
handler500 = views.mistake
