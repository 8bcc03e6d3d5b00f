"""Mail to people."""

from collections.abc import Mapping
from typing import Any

from accounts.tasks import post_mail


def send_mail(*, to: str, template: str, context: Mapping[str, Any]) -> None:
    """Send `templates/mail/TEMPLATE.txt` and `.html` to an address; the first line of the text is the subject.

    The mail is stored in the running transaction and sent after it: whatever dies, it goes out. Templates know
    `portal_name` and `portal_url` besides `context`. Raises ValidationError for what is no address.
    """
    post_mail(to=to, template=template, context=context)
