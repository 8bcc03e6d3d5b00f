"""Projects: their people, applications, policies, limits and use."""

from projects.models.applications import Application, ApplicationKind, ApplicationState, Remark, Review, Vote
from projects.models.policies import Effect, Policy, PolicyState, SubjectKind
from projects.models.projects import (
    Invitation,
    JoinRequest,
    Membership,
    Project,
    ProjectState,
    Quota,
    RequestState,
    Role,
)
from projects.models.usage import Span

__all__ = [
    "Application",
    "ApplicationKind",
    "ApplicationState",
    "Effect",
    "Invitation",
    "JoinRequest",
    "Membership",
    "Policy",
    "PolicyState",
    "Project",
    "ProjectState",
    "Quota",
    "Remark",
    "RequestState",
    "Review",
    "Role",
    "Span",
    "SubjectKind",
    "Vote",
]
