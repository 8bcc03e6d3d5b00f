"""The asynchronous client: every method of `Client` under the same name, to be awaited or iterated with `async for`.

    async with cloudmesh.AsyncClient() as mesh:
        wish = await mesh.boot(count=2)
        async for operation in mesh.follow(wish["operation"]["id"]):
            print(operation["progress"], operation["step"])

A call that is cancelled ends at once; whether the portal heard a wish that was cancelled on its way, its operations
tell. See docs/decisions/0022-asynchronous-client.md.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cloudmesh.client import Client
from cloudmesh.client.asking import Asking
from cloudmesh.client.calls import Calls, answered, listed


class AsyncClient(Calls):
    """A portal, as one person may use it, for programs that do several things at once."""

    # For type checkers, written by .ci/asynchronous.py; what runs is derived below.
    if TYPE_CHECKING:
        _sync = Client()
        act = answered(_sync.act)
        add_key = answered(_sync.add_key)
        add_member = answered(_sync.add_member)
        addresses = listed(_sync.addresses)
        alias = answered(_sync.alias)
        application = answered(_sync.application)
        applications = listed(_sync.applications)
        apply = answered(_sync.apply)
        approve = answered(_sync.approve)
        ask_to_join = answered(_sync.ask_to_join)
        assign_ip = answered(_sync.assign_ip)
        attach_volume = answered(_sync.attach_volume)
        boot = answered(_sync.boot)
        by_ids = listed(_sync.by_ids)
        cancel = answered(_sync.cancel)
        change_policy = answered(_sync.change_policy)
        change_role = answered(_sync.change_role)
        change_rules = answered(_sync.change_rules)
        cloud = answered(_sync.cloud)
        clouds = listed(_sync.clouds)
        console = answered(_sync.console)
        console_log = answered(_sync.console_log)
        create_security_group = answered(_sync.create_security_group)
        create_token = answered(_sync.create_token)
        create_volume = answered(_sync.create_volume)
        decide = answered(_sync.decide)
        defaults = answered(_sync.defaults)
        delete_images = answered(_sync.delete_images)
        delete_key = answered(_sync.delete_key)
        delete_security_groups = answered(_sync.delete_security_groups)
        delete_volumes = answered(_sync.delete_volumes)
        detach_volumes = answered(_sync.detach_volumes)
        draft_policy = answered(_sync.draft_policy)
        drivers = answered(_sync.drivers)
        effective_policy = answered(_sync.effective_policy)
        events = listed(_sync.events)
        flavor = answered(_sync.flavor)
        flavors = listed(_sync.flavors)
        follow = listed(_sync.follow)
        group = answered(_sync.group)
        groups = listed(_sync.groups)
        image = answered(_sync.image)
        images = listed(_sync.images)
        invitations = listed(_sync.invitations)
        invite = answered(_sync.invite)
        key = answered(_sync.key)
        keys = listed(_sync.keys)
        label = answered(_sync.label)
        last_server = answered(_sync.last_server)
        limits = listed(_sync.limits)
        login_names = answered(_sync.login_names)
        me = answered(_sync.me)
        members = listed(_sync.members)
        move_policy = answered(_sync.move_policy)
        move_user = answered(_sync.move_user)
        network = answered(_sync.network)
        networks = listed(_sync.networks)
        next_boot = answered(_sync.next_boot)
        next_name = answered(_sync.next_name)
        operation = answered(_sync.operation)
        operations = listed(_sync.operations)
        plan = answered(_sync.plan)
        policies = listed(_sync.policies)
        policy = answered(_sync.policy)
        project = answered(_sync.project)
        projects = listed(_sync.projects)
        quotas = answered(_sync.quotas)
        read_anew = answered(_sync.read_anew)
        refresh = answered(_sync.refresh)
        register = answered(_sync.register)
        reject = answered(_sync.reject)
        release_addresses = answered(_sync.release_addresses)
        release_ip = answered(_sync.release_ip)
        remark = answered(_sync.remark)
        remove = answered(_sync.remove)
        remove_member = answered(_sync.remove_member)
        rename = answered(_sync.rename)
        reread = answered(_sync.reread)
        reread_volumes = answered(_sync.reread_volumes)
        reserve_addresses = answered(_sync.reserve_addresses)
        resize = answered(_sync.resize)
        review = answered(_sync.review)
        revoke_token = answered(_sync.revoke_token)
        sections = answered(_sync.sections)
        security_group = answered(_sync.security_group)
        security_groups = listed(_sync.security_groups)
        select = answered(_sync.select)
        select_addresses = answered(_sync.select_addresses)
        select_clouds = answered(_sync.select_clouds)
        select_images = answered(_sync.select_images)
        select_keys = answered(_sync.select_keys)
        select_security_groups = answered(_sync.select_security_groups)
        select_volumes = answered(_sync.select_volumes)
        server = answered(_sync.server)
        servers = listed(_sync.servers)
        set_defaults = answered(_sync.set_defaults)
        set_naming = answered(_sync.set_naming)
        set_quota = answered(_sync.set_quota)
        set_roles = answered(_sync.set_roles)
        snapshot = answered(_sync.snapshot)
        submit_application = answered(_sync.submit_application)
        switch = answered(_sync.switch)
        tokens = listed(_sync.tokens)
        unassign_ip = answered(_sync.unassign_ip)
        undo_decision = answered(_sync.undo_decision)
        usage = listed(_sync.usage)
        use_project = answered(_sync.use_project)
        user = answered(_sync.user)
        users = listed(_sync.users)
        volume = answered(_sync.volume)
        volumes = listed(_sync.volumes)
        wait = answered(_sync.wait)
        wait_for = listed(_sync.wait_for)
        watch = listed(_sync.watch)
        watch_servers = listed(_sync.watch_servers)
        withdraw_application = answered(_sync.withdraw_application)


def methods() -> dict[str, Callable[[Any], Any]]:
    """How each method of `Client` becomes asynchronous, by name: what answers an iterator is listed."""
    names = (name for name in dir(Client) if name[0] != "_" and not hasattr(Asking, name))
    return {name: listed if _is_list(getattr(Client, name)) else answered for name in names}


def _is_list(method: Callable[..., Any]) -> bool:
    return str(method.__annotations__["return"]).startswith("Iterator")


for _name, _kind in methods().items():
    setattr(AsyncClient, _name, _kind(getattr(Client, _name)))
