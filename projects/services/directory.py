"""Members whom a directory names: its groups give a membership, change it and take it again.

A membership that somebody gave in the portal is nobody else's to change, so it stays whatever the groups say.
"""

import logging
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import transaction

from accounts.backends import persons
from accounts.backends.ldap import config
from accounts.backends.persons import Sighting
from accounts.models import User
from cloudmesh.errors import Conflict, Invalid
from projects.models import Membership, Project
from projects.services.members import check_role, end_membership, give_role

log = logging.getLogger(__name__)


@checks.register
def check_roles(**_: Any) -> list[checks.CheckMessage]:
    """That the rules of the directory's file name roles that there are."""
    try:
        rules = config.current().projects if settings.CLOUDMESH_LDAP else ()
    except Invalid:  # the check of accounts says so
        rules = ()
    try:
        for rule in rules:
            check_role(rule.role)
    except Invalid as error:
        return [checks.Error(f"{settings.CLOUDMESH_LDAP}: projects: {error.message}", id="projects.E001")]
    return []


@persons.follow
def follow_groups(sightings: Sequence[Sighting]) -> None:
    """Make the memberships of these people those that their groups stand for."""
    users = [user.pk for user, _ in sightings]
    names = {name for _, person in sightings for name in person.projects}
    projects = {project.name: project for project in Project.objects.filter(name__in=names)}
    known: dict[uuid.UUID, dict[str, Membership]] = defaultdict(dict)
    for membership in Membership.objects.select_related("project").filter(user__in=users):
        known[membership.user_id][membership.project.name] = membership
    for name in sorted(names - projects.keys()):
        log.warning("A group of the directory stands for the project %s, which is not there.", name)
    for user, person in sightings:
        _follow(user, person.projects, known[user.pk], projects)


def _follow(
    user: User, told: Mapping[str, str], known: Mapping[str, Membership], projects: Mapping[str, Project]
) -> None:
    for name, membership in known.items():
        if membership.source == User.Source.LDAP and name not in told:
            _try(user, membership.project, "")
    for name, role in told.items():
        current = known.get(name)
        is_ours = current is None or current.source == User.Source.LDAP
        if name in projects and is_ours and (current is None or current.role != role):
            _try(user, projects[name], role)


def _try(user: User, project: Project, role: str) -> None:
    """What the project's rules forbid, such as losing its only lead, is left as it is."""
    try:
        with transaction.atomic():
            if role:
                give_role(project=project, user=user, role=check_role(role))
                Membership.objects.filter(project=project, user=user).update(source=User.Source.LDAP)
            else:
                end_membership(project=project, user=user)
    except (Conflict, Invalid) as error:
        log.warning("The directory's groups are not followed for %s in %s: %s", user, project, error)
