"""What happens to projects by itself, as time goes by."""

from projects.tasks.ends import end_projects
from projects.tasks.webhooks import ring_webhook, sweep_webhooks, tell_webhook, told

__all__ = [
    "end_projects",
    "ring_webhook",
    "sweep_webhooks",
    "tell_webhook",
    "told",
]
