from django.urls import path

from accounts import views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("login/<str:secret>/", views.login_link, name="login-link"),
    path("logout/", views.logout, name="logout"),
]
