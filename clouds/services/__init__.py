"""What people do with clouds: `servers`, `accounts` and `choices` (defaults and keys)."""

from clouds.services.accounts import (
    drivers,
    refresh_account,
    register_account,
    remove_account,
    replace_credential,
    switch_account,
    watch,
)
from clouds.services.choices import next_boot, set_default
from clouds.services.facts import AccountFacts, ServerFacts, account_facts, light, live_operations, server_facts
from clouds.services.servers import (
    ACTIONS,
    abilities,
    assign_ip,
    boot_servers,
    change_servers,
    delete_servers,
    find_servers,
    open_console,
    read_console_log,
    release_ip,
    rename_server,
)

__all__ = [
    "ACTIONS",
    "AccountFacts",
    "ServerFacts",
    "abilities",
    "account_facts",
    "assign_ip",
    "boot_servers",
    "change_servers",
    "delete_servers",
    "drivers",
    "find_servers",
    "light",
    "live_operations",
    "next_boot",
    "open_console",
    "read_console_log",
    "refresh_account",
    "register_account",
    "release_ip",
    "remove_account",
    "rename_server",
    "replace_credential",
    "server_facts",
    "set_default",
    "switch_account",
    "watch",
]
