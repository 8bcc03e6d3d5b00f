from django.urls import path

from operations import views

app_name = "operations"
urlpatterns = [
    path("", views.OperationList.as_view(), name="list"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/row/", views.row, name="row"),
    path("<uuid:pk>/cancel/", views.cancel, name="cancel"),
    path("<uuid:pk>/retry/", views.retry, name="retry"),
    path("<uuid:pk>/approve/", views.approve, name="approve"),
    path("<uuid:pk>/reject/", views.Reject.as_view(), name="reject"),
]
