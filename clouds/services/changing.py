"""Changing what a cloud is called, and all that is changed with one request."""

from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import Conflict
from clouds.models import Cloud, CloudAccount, Default
from clouds.services.accounts import check_name, replace_credential, switch_account
from operations.models import Operation
from projects import access, policy


@transaction.atomic
def update_account(
    *,
    actor: User,
    account: CloudAccount,
    name: str | None = None,
    is_enabled: bool | None = None,
    label: str | None = None,
    credential: Mapping[str, str] | None = None,
) -> Operation | None:
    """Change what is given; answers what verifies another credential. Raises NotAllowed, Invalid, Conflict."""
    access.permitted(account, actor=actor, permission="cloud.manage")
    if name is not None:
        rename_account(actor=actor, account=account, name=name)
    if label is not None:
        _relabel(actor, account, label)
    if is_enabled is not None and is_enabled != account.is_enabled:
        switch_account(actor=actor, account=account, on=is_enabled)
    return replace_credential(actor=actor, account=account, credential=credential) if credential else None


@transaction.atomic
def rename_account(*, actor: User, account: CloudAccount, name: str) -> None:
    """Call a cloud something else; defaults that name it follow. Raises NotAllowed, Invalid, Conflict.

    Where the whole portal shares a cloud its name is everybody's, hence the administrators'.
    """
    access.permitted(account, actor=actor, permission="cloud.manage")
    cloud = account.cloud = Cloud.objects.select_for_update(no_key=True).get(pk=account.cloud_id)
    if cloud.owner_project_id is None:
        access.require_admin(actor, "rename a cloud that the whole portal shares")
    check_name(name)
    if name == cloud.name:
        return
    accounts = list(cloud.accounts.select_related("project").defer("credential", "pending"))
    _refuse_taken(accounts, name)
    _refuse_ruled(cloud.name, name)
    old = cloud.name
    _store(cloud, name)
    _take_defaults_along(cloud, accounts, old)
    for each in accounts:
        _tell(actor, each, cloud)
    account.refresh_from_db(fields=["version", "changed_at"])


def _store(cloud: Cloud, name: str) -> None:
    cloud.label = name if cloud.label == cloud.name else cloud.label
    cloud.name = name
    try:
        with transaction.atomic():
            cloud.save(update_fields=["name", "label"])
    except IntegrityError as error:
        raise Conflict(f"There is a cloud named {name} already. Choose another name.", field="name") from error


def _refuse_taken(accounts: Iterable[CloudAccount], name: str) -> None:
    """A project tells its clouds apart by their names, be they its own or shared."""
    projects = [account.project_id for account in accounts]
    taken = CloudAccount.objects.filter(project__in=projects, cloud__name=name).select_related("project").first()
    if taken:
        raise Conflict(
            f"The project {taken.project} has a cloud named {name} already. Choose another name, or rename that one.",
            field="name",
        )


def _refuse_ruled(old: str, new: str) -> None:
    """Policies name clouds; a rename shall neither slip out of one nor into one."""
    for rule in policy.in_force(timezone.now()).filter(service__startswith="cloud:").order_by("name"):
        about = policy.covered(rule.service, [old, new])
        if len(about) == 1:
            raise Conflict(
                f"The policy {rule.name} is about {rule.service}, which has {old if old in about else new} and not "
                f"{new if old in about else old}. Choose another name, or ask for an edition of it that names both.",
                field="name",
            )


def _take_defaults_along(cloud: Cloud, accounts: Iterable[CloudAccount], old: str) -> None:
    """Those of the projects that use the cloud; the portal's own where the whole portal shares it."""
    where = Q(project__in=[account.project_id for account in accounts])
    if cloud.owner_project_id is None:
        where |= Q(project=None)
    Default.objects.filter(where, key=Default.Key.CLOUD, value=old).update(value=cloud.name)


def _tell(actor: User, account: CloudAccount, cloud: Cloud) -> None:
    """Open pages re-read the cloud, and its servers and the defaults, which show its name."""
    account.cloud = cloud
    lifecycle.change(account, actor=actor, verb="renamed")
    _hint(account, actor, "server", "synced", count=account.servers.count())
    _hint(account, actor, "default", "set", key="cloud", value=cloud.name)


def _hint(account: CloudAccount, actor: User, kind: str, verb: str, **data: str | int) -> None:
    lifecycle.note(
        kind=kind, verb=verb, topic=account.topic, project_id=account.project_id, actor=actor, data=data,
        name=str(data.get("key", "")),
    )  # fmt: skip


def _relabel(actor: User, account: CloudAccount, label: str) -> None:
    """A shared cloud is labelled for all who use it, hence by administrators."""
    cloud = account.cloud
    if cloud.owner_project_id is None:
        access.require_admin(actor, "relabel a cloud that the whole portal shares")
    cloud.label = label[:120] or cloud.name
    cloud.save(update_fields=["label"])
    lifecycle.change(account, actor=actor, verb="relabelled")
