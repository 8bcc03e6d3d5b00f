"""What workers do about people: mail, and accounts that end by themselves."""

from accounts.tasks.expiry import expire_accounts
from accounts.tasks.mail import absolute, post_mail, ring_mail, send_mail, sweep_mails
from accounts.tasks.notices import mail_notices
from accounts.tasks.signing_in import sweep_signing_in

__all__ = [
    "absolute",
    "expire_accounts",
    "mail_notices",
    "post_mail",
    "ring_mail",
    "send_mail",
    "sweep_mails",
    "sweep_signing_in",
]
