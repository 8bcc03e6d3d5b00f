"""Which role may do what: the tables, and nothing else."""

from accounts.models import PortalRole
from projects.models import Role

LEADERS = frozenset({Role.LEAD, Role.MANAGER})
WORKERS = LEADERS | {Role.MEMBER}
RESPONSIBLE = frozenset({Role.LEAD})  # a project always has one; they alone make and remove each other
LINKED = Role.MEMBER  # what a join link makes of whoever has it
SEERS = frozenset({PortalRole.OPERATOR, PortalRole.AUDITOR})  # see every project, and may change none
#: Permission → the roles that have it for everything in their project.
PERMISSIONS: dict[str, frozenset[str]] = {
    "project.view": WORKERS,
    "project.manage": LEADERS,
    "project.complete": RESPONSIBLE,
    "cloud.view": WORKERS,
    "cloud.register": WORKERS,
    "cloud.manage": LEADERS,
    "cloud.refresh": WORKERS,
    "server.view": WORKERS,
    "server.create": WORKERS,
    "server.change": LEADERS,
    "server.delete": LEADERS,
    "server.console": LEADERS,
    "volume.view": WORKERS,
    "volume.create": WORKERS,
    "volume.change": LEADERS,
    "volume.delete": LEADERS,
    "image.delete": LEADERS,
    "secgroup.view": WORKERS,
    "secgroup.create": WORKERS,
    "secgroup.change": LEADERS,
    "secgroup.delete": LEADERS,
    "ip.view": WORKERS,
    "ip.create": WORKERS,
    "ip.release": LEADERS,
    "cluster.register": WORKERS,
    "cluster.manage": LEADERS,
    "cluster.refresh": WORKERS,
    "job.submit": WORKERS,
    "job.change": LEADERS,
    "job.read": LEADERS,
    "template.view": WORKERS,
    "template.create": WORKERS,
    "template.change": LEADERS,
    "template.lock": LEADERS,
    "operation.view": WORKERS,
    "operation.cancel": LEADERS,
    "operation.retry": LEADERS,
    "operation.approve": LEADERS,
    "event.view": WORKERS,
    "member.view": WORKERS,
    "member.manage": LEADERS,
    "member.lead": RESPONSIBLE,
    "application.view": LEADERS,
    "application.list": LEADERS,
    "application.edit": LEADERS,
    "application.answer": LEADERS,
    "usage.view": WORKERS,
    "quota.share": LEADERS,
    "webhook.manage": LEADERS,
}
#: Permission → the roles that have it for what they own themselves.
OWN: dict[str, frozenset[str]] = {
    name: frozenset({Role.MEMBER})
    for name in (
        "server.change",
        "server.delete",
        "server.console",
        "volume.change",
        "volume.delete",
        "image.delete",
        "secgroup.change",
        "secgroup.delete",
        "ip.release",
        "operation.cancel",
        "operation.retry",
        "cloud.manage",
        "cluster.manage",
        "job.change",
        "job.read",
        "template.change",
    )
}
#: Permission that belongs to no project → the portal roles that have it; administrators have all of them.
PORTAL: dict[str, frozenset[PortalRole]] = {
    "application.review": frozenset({PortalRole.REVIEWER}),
    "account.view": frozenset({PortalRole.REVIEWER, PortalRole.OPERATOR, PortalRole.AUDITOR}),
    "account.decide": frozenset({PortalRole.REVIEWER}),
    "account.manage": frozenset(),
    "account.impersonate": frozenset(),
    "project.decide": frozenset({PortalRole.REVIEWER}),
    "project.block": frozenset(),
    "policy.view": frozenset({PortalRole.OPERATOR, PortalRole.AUDITOR}),
    "policy.propose": frozenset({PortalRole.OPERATOR}),
    "policy.approve": frozenset({PortalRole.OPERATOR}),
    "wish.approve": frozenset({PortalRole.OPERATOR}),
    "quota.limit": frozenset({PortalRole.OPERATOR}),
    "default.manage": frozenset({PortalRole.OPERATOR}),
    "portal.staff": frozenset(PortalRole),
    "portal.console": frozenset(),
    "portal.usage": frozenset({PortalRole.OPERATOR, PortalRole.AUDITOR}),
    "portal.health": frozenset({PortalRole.OPERATOR, PortalRole.AUDITOR}),
}
#: Permission in a project → the one of the portal's staff that is as good in every project.
STAFFED = {"operation.approve": "wish.approve", "quota.share": "quota.limit"}
#: What an applicant may do with their own application though they are in no project yet.
APPLICANT = frozenset({"application.view", "application.edit", "application.answer"})
#: What reviewers may do in any project that was submitted.
REVIEWED = frozenset({"application.view", "application.list", "project.view", "member.view"})
#: Permissions that do not need the project to be active: it is not yet, or not any more.
ANY_STATE = APPLICANT | {"application.list", "member.view", "usage.view", "project.complete"}
