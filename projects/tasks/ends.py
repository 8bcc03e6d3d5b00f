"""When projects end: their leads are warned in time, once for each warning, and what is past its end expires."""

import datetime

from celery import shared_task
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import NoticeKind
from accounts.services import notify
from activity import lifecycle
from activity.models import Event
from projects import access
from projects.models import Project, ProjectState

WARNINGS = (7, 30)  # days before the end


@shared_task
def end_projects() -> None:
    """Warn of and end what is due; doing it twice, or twice at once, does nothing twice."""
    soon = timezone.now() + datetime.timedelta(days=max(WARNINGS))
    due = Project.objects.filter(state=ProjectState.ACTIVE, ends_at__lte=soon).order_by("ends_at")
    for pk in due.values_list("pk", flat=True):
        with transaction.atomic():
            project = due.select_for_update(skip_locked=True, no_key=True).filter(pk=pk).first()
            if project is not None:
                _look_at(project)


def _look_at(project: Project) -> None:
    assert project.ends_at is not None
    left = project.ends_at - timezone.now()
    if left <= datetime.timedelta():
        _expire(project)
    elif days := next((days for days in WARNINGS if left <= datetime.timedelta(days=days)), 0):
        _warn(project, days)


def _expire(project: Project) -> None:
    day = f"{project.ends_at:%Y-%m-%d}"
    lifecycle.transition(
        project, ProjectState.EXPIRED, reason=f"It ended on {day}. Whoever leads it may ask for a renewal."
    )
    notify(
        access.holders(project, "project.view"),
        kind=NoticeKind.QUOTA,
        title=f"The project {project} has expired",
        text="Nothing can be started or changed in it until it is renewed. Whoever leads it may ask for a renewal.",
        url=_renewal(project),
    )


def _warn(project: Project, days: int) -> None:
    """Once for each end date: an event says that it was done, so that a crash between two runs repeats nothing."""
    day = f"{project.ends_at:%Y-%m-%d}"
    data = {"days": days, "ends_at": day}
    if Event.objects.filter(object_id=project.pk, verb="warned", data=data).exists():
        return
    lifecycle.note(
        kind=Project.KIND,
        verb="warned",
        topic=project.topic,
        object_id=project.pk,
        name=project.name,
        project_id=project.pk,
        reason=f"It ends on {day}.",
        data=data,
    )
    notify(
        access.leaders(project),
        kind=NoticeKind.QUOTA,
        title=f"The project {project} ends on {day}",
        text="Then nothing can be started or changed in it. Ask for a renewal in time, or complete it.",
        url=_renewal(project),
    )


def _renewal(project: Project) -> str:
    """Where one asks for it."""
    return f"{reverse('projects:application-new')}?kind=renewal&project={project}"
