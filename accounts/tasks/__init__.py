"""What workers do about people: mail."""

from accounts.tasks.mail import absolute, post_mail, ring_mail, send_mail, sweep_mails

__all__ = [
    "absolute",
    "post_mail",
    "ring_mail",
    "send_mail",
    "sweep_mails",
]
