"""What workers do about people: mail."""

from accounts.tasks.mail import ring_mail, send_mail, sweep_mails

__all__ = [
    "ring_mail",
    "send_mail",
    "sweep_mails",
]
