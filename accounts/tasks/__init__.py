"""What workers do about people: mail."""

from accounts.tasks.mail import absolute, post_mail, ring_mail, send_mail, sweep_mails
from accounts.tasks.notices import mail_notices

__all__ = [
    "absolute",
    "mail_notices",
    "post_mail",
    "ring_mail",
    "send_mail",
    "sweep_mails",
]
