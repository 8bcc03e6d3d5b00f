"""What happens to projects, their members, applications and policies."""

from projects.services.members import add_member, create_project, remove_member, select_project

__all__ = [
    "add_member",
    "create_project",
    "remove_member",
    "select_project",
]
