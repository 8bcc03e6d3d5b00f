"""SSH keys that a directory keeps: those of the directory come and go with it, those of the user's own stay.

The check that `manage.py check` makes of the directory's file stands here too.
"""

import logging
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks

from accounts.backends import persons
from accounts.backends.ldap import config
from accounts.backends.persons import Sighting
from accounts.models import SshKey, User
from accounts.services.people import add_ssh_key, parse_ssh_key, remove_ssh_key
from cloudmesh.errors import Conflict, Invalid

log = logging.getLogger(__name__)


@checks.register
def check_directory(**_: Any) -> list[checks.CheckMessage]:
    """That the file which CLOUDMESH_LDAP names is there and right."""
    try:
        if settings.CLOUDMESH_LDAP:
            config.current()
    except Invalid as error:
        hint = "docs/howto/ldap.md has an example; then try: manage.py ldap check USER"
        return [checks.Error(error.message, hint=hint, id="accounts.E001")]
    return []


@persons.follow
def take_keys(sightings: Sequence[Sighting]) -> None:
    """Make the SSH keys that came from the directory those that it has now."""
    kept: dict[object, list[SshKey]] = {user.pk: [] for user, _ in sightings}
    for key in SshKey.objects.filter(user__in=list(kept)):
        kept[key.user_id].append(key)
    for user, person in sightings:
        _take(user, person.ssh_keys, kept[user.pk])


def _take(user: User, texts: Sequence[str], keys: Sequence[SshKey]) -> None:
    told = {body: text for text in texts if (body := _body(user, text))}
    for key in keys:
        if key.source == User.Source.LDAP and key.public_key not in told:
            remove_ssh_key(key=key, actor=user)
    names = {key.name for key in keys}
    for public_key in told.keys() - {key.public_key for key in keys}:
        _add(user, told[public_key], names)


def _add(user: User, text: str, names: set[str]) -> None:
    number = next(n for n in range(1, len(names) + 2) if f"directory-{n}" not in names)
    try:
        key = add_ssh_key(actor=user, name=f"directory-{number}", public_key=text)
    except (Invalid, Conflict) as error:
        log.warning("A key that the directory has of %s is left out: %s", user, error)
        return
    SshKey.objects.filter(pk=key.pk).update(source=User.Source.LDAP)
    names.add(key.name)


def _body(user: User, text: str) -> str:
    try:
        kind, body, _ = parse_ssh_key(text)
    except Invalid as error:
        log.warning("A key that the directory has of %s is left out: %s", user, error)
        return ""
    return f"{kind} {body}"
