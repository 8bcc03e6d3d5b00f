"""What happens to users, their keys and their tokens."""

from accounts.services.mail import send_mail
from accounts.services.notices import choose_delays, delays_of, notify, read_all_notices, read_notice
from accounts.services.people import (
    KEY_NAME,
    KEY_TYPES,
    LINK_LIFE,
    TOKEN_LIFE,
    add_ssh_key,
    create_user,
    issue_login_link,
    issue_token,
    parse_ssh_key,
    remove_ssh_key,
    revoke_token,
)

__all__ = [
    "KEY_NAME",
    "KEY_TYPES",
    "LINK_LIFE",
    "TOKEN_LIFE",
    "add_ssh_key",
    "choose_delays",
    "create_user",
    "delays_of",
    "issue_login_link",
    "issue_token",
    "notify",
    "parse_ssh_key",
    "read_all_notices",
    "read_notice",
    "remove_ssh_key",
    "revoke_token",
    "send_mail",
]
