"""The pages of projects, and how all pages list and answer."""

from projects.views.lists import (
    Filter,
    Listing,
    Signed,
    answer,
    dress,
    is_htmx,
    owner_filter,
    project_filter,
    select_project,
)

__all__ = [
    "Filter",
    "Listing",
    "Signed",
    "answer",
    "dress",
    "is_htmx",
    "owner_filter",
    "project_filter",
    "select_project",
]
