"""The pages of projects, and how all pages list and answer."""

from accounts.views import Signed
from projects.views.joining import Join, invitation, invitation_join, request_withdraw
from projects.views.lists import Filter, Listing, answer, dress, is_htmx, owner_filter, project_filter, select_project
from projects.views.members import (
    MemberList,
    invitation_revoke,
    member_add,
    member_remove,
    member_role,
    member_waiting,
    project_invite,
    project_link,
    request_accept,
    request_refuse,
)
from projects.views.projects import (
    OpenProjects,
    ProjectActivity,
    ProjectList,
    ProjectSettings,
    project_detail,
    project_leave,
    project_use,
)

__all__ = [
    "Filter",
    "Join",
    "Listing",
    "MemberList",
    "OpenProjects",
    "ProjectActivity",
    "ProjectList",
    "ProjectSettings",
    "Signed",
    "answer",
    "dress",
    "invitation",
    "invitation_join",
    "invitation_revoke",
    "is_htmx",
    "member_add",
    "member_remove",
    "member_role",
    "member_waiting",
    "owner_filter",
    "project_detail",
    "project_filter",
    "project_invite",
    "project_leave",
    "project_link",
    "project_use",
    "request_accept",
    "request_refuse",
    "request_withdraw",
    "select_project",
]
