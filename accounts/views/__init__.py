"""Signing in and out, and one's own account."""

from accounts.views.addresses import EmailChange, EmailConfirm
from accounts.views.agreements import agreed, agreement, agreements
from accounts.views.apply import Apply, apply_sent, apply_status
from accounts.views.devices import device
from accounts.views.passwords import PasswordChange, PasswordChoose, PasswordReset, PasswordSent
from accounts.views.profile import Account
from accounts.views.security import (
    security,
    session_end,
    sign_out_everywhere,
    totp,
    totp_begin,
    totp_codes,
    totp_disable,
)
from accounts.views.signed import Signed
from accounts.views.signin import (
    BACKEND,
    admin_login,
    login,
    login_link,
    logout,
    own_page,
    second_step,
)

__all__ = [
    "BACKEND",
    "Account",
    "Apply",
    "EmailChange",
    "EmailConfirm",
    "PasswordChange",
    "PasswordChoose",
    "PasswordReset",
    "PasswordSent",
    "Signed",
    "admin_login",
    "agreed",
    "agreement",
    "agreements",
    "apply_sent",
    "apply_status",
    "device",
    "login",
    "login_link",
    "logout",
    "own_page",
    "second_step",
    "security",
    "session_end",
    "sign_out_everywhere",
    "totp",
    "totp_begin",
    "totp_codes",
    "totp_disable",
]
