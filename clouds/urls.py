from django.urls import path

from clouds import views

app_name = "clouds"
urlpatterns = [
    path("servers/", views.ServerList.as_view(), name="server-list"),
    path("servers/next/", views.server_next, name="server-next"),
    path("servers/boot/", views.Boot.as_view(), name="server-boot"),
    path("servers/boot/plan/", views.boot_plan, name="server-plan"),
    path("servers/bulk/", views.server_bulk, name="server-bulk"),
    path("servers/<uuid:pk>/", views.server_detail, name="server-detail"),
    path("servers/<uuid:pk>/row/", views.server_row, name="server-row"),
    path("servers/<uuid:pk>/volumes/", views.server_volumes, name="server-volumes"),
    path("servers/<uuid:pk>/<slug:action>/", views.server_action, name="server-action"),
    path("volumes/", views.VolumeList.as_view(), name="volume-list"),
    path("volumes/new/", views.NewVolume.as_view(), name="volume-new"),
    path("volumes/bulk/", views.volume_bulk, name="volume-bulk"),
    path("volumes/<uuid:pk>/", views.volume_detail, name="volume-detail"),
    path("volumes/<uuid:pk>/row/", views.volume_row, name="volume-row"),
    path("volumes/<uuid:pk>/<slug:deed>/", views.volume_deed, name="volume-deed"),
    path("limits/", views.limit_list, name="limit-list"),
    path("clouds/", views.cloud_list, name="cloud-list"),
    path("clouds/register/", views.Register.as_view(), name="cloud-register"),
    path("clouds/register/<uuid:pk>/", views.cloud_verify, name="cloud-verify"),
    path("clouds/<uuid:pk>/", views.cloud_detail, name="cloud-detail"),
    path("clouds/<uuid:pk>/row/", views.cloud_row, name="cloud-row"),
    path("clouds/<uuid:pk>/refresh/", views.cloud_refresh, name="cloud-refresh"),
    path("clouds/<uuid:pk>/toggle/", views.cloud_toggle, name="cloud-toggle"),
    path("clouds/<uuid:pk>/rename/", views.cloud_rename, name="cloud-rename"),
    path("clouds/<uuid:pk>/remove/", views.cloud_remove, name="cloud-remove"),
    path("images/", views.ImageList.as_view(), name="image-list"),
    path("flavors/", views.FlavorList.as_view(), name="flavor-list"),
    path("keys/", views.Keys.as_view(), name="key-list"),
    path("keys/<uuid:pk>/delete/", views.key_delete, name="key-delete"),
    path("defaults/", views.default_set, name="default-set"),
]
