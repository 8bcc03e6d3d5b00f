from django.urls import path

from accounts import views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("login/code/", views.second_step, name="second-step"),
    path("login/<str:secret>/", views.login_link, name="login-link"),
    path("device/", views.device, name="device"),
    path("logout/", views.logout, name="logout"),
    path("account/security/", views.security, name="security"),
    path("account/security/sessions/<str:session>/end/", views.session_end, name="session-end"),
    path("account/security/sign-out/", views.sign_out_everywhere, name="sign-out-everywhere"),
    path("account/security/totp/", views.totp, name="totp"),
    path("account/security/totp/begin/", views.totp_begin, name="totp-begin"),
    path("account/security/totp/codes/", views.totp_codes, name="totp-codes"),
    path("account/security/totp/disable/", views.totp_disable, name="totp-disable"),
    path("apply/", views.Apply.as_view(), name="apply"),
    path("apply/sent/", views.apply_sent, name="apply-sent"),
    path("apply/status/<str:token>/", views.apply_status, name="apply-status"),
    path("password/", views.PasswordChange.as_view(), name="password"),
    path("password/forgotten/", views.PasswordReset.as_view(), name="password-reset"),
    path("password/sent/", views.PasswordSent.as_view(), name="password-sent"),
    path("password/<str:uidb64>/<str:token>/", views.PasswordChoose.as_view(), name="password-choose"),
    path("account/", views.Account.as_view(), name="account"),
    path("account/email/", views.EmailChange.as_view(), name="email"),
    path("account/email/<str:token>/", views.EmailConfirm.as_view(), name="email-confirm"),
    path("account/agreements/", views.agreements, name="agreements"),
    path("account/agreements/<slug:name>/<int:version>/", views.agreement, name="agreement"),
]
