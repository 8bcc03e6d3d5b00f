"""Fill a portal for trying, showing and testing: forty people, projects in all states, reviews, policies, servers."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.lifecycle import move
from accounts.models import AccountState, Profile, User
from activity import lifecycle
from clouds.models import CloudAccount
from portal.management import demo, fleets
from projects import services as projects
from projects.models import Application, ApplicationKind, Policy, Project, ProjectState, Role, Vote

COUNTS = "{people} people, {projects} projects, {applications} applications and {policies} policies are there."
#: What has to be done to an active account so that it is in the wanted state; others begin there.
LATER = (AccountState.SUSPENDED, AccountState.BLOCKED, AccountState.EXPIRED)


class Command(BaseCommand):
    help = "Fill a portal with made-up people, projects, reviews and policies; doing it again changes nothing."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--yes", action="store_true", help="also where this is not a standalone portal")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.STANDALONE and not options["yes"]:
            raise CommandError("This portal is not a standalone one. Made-up people in it are a risk; --yes insists.")
        call_command("seed", verbosity=0, stdout=self.stdout)
        with transaction.atomic():
            people = {row[0]: self._person(row) for row in demo.rows(demo.PEOPLE)}
            for row in demo.rows(demo.PROJECTS):
                if not Project.objects.filter(name=row[0]).exists():
                    self._project(people, row)
            for row in demo.rows(demo.POLICIES):
                if not Policy.objects.filter(name=row[0]).exists():
                    self._policy(people, row)
        for row in demo.rows(demo.FLEETS):
            fleets.make(row)
        self.stdout.write(
            COUNTS.format(
                people=User.objects.count(),
                projects=Project.objects.count(),
                applications=Application.objects.count(),
                policies=Policy.objects.count(),
            )
        )

    # -- people --------------------------------------------------------------------------------------------------

    def _person(self, row: list[str]) -> User:
        username, first, last, institution, role, country, state, portal_role = row
        known = User.objects.filter(username=username).first()
        if known:
            return known
        user = accounts.create_user(username=username, email=f"{username}@example.org")
        first_state = AccountState.ACTIVE if state in LATER else state
        User.objects.filter(pk=user.pk).update(
            first_name=first, last_name=last, portal_roles=[portal_role] if portal_role else [], state=first_state,
            is_active=first_state == AccountState.ACTIVE,
            created_at=timezone.now() - datetime.timedelta(days=7 + sum(map(ord, username)) % 400),
        )  # fmt: skip
        advisor = "Prof. A. Advisor, advisor@example.org" if role in ("undergraduate", "masters", "phd") else ""
        Profile.objects.update_or_create(
            user=user,
            defaults={
                "institution": institution,
                "institution_role": role,
                "country": country,
                "department": "Computer Science",
                "advisor": advisor,
                "bio": f"{first} works at {institution}.",
            },
        )
        user.refresh_from_db()
        if state in LATER:
            move(user, state, reason="For show.")
        return user

    # -- projects ------------------------------------------------------------------------------------------------

    def _project(self, people: dict[str, User], row: list[str]) -> None:
        name, title, category, discipline, lead_name, members, fate = row
        lead = people[lead_name]
        answers = _answers(title, category, discipline, lead)
        application = projects.start_application(actor=lead, title=title, name=name, answers=answers)
        if fate == "draft":
            return
        projects.submit_application(actor=lead, application=application)
        committee = [user for user in people.values() if "reviewer" in user.portal_roles and user != lead]
        self._review(committee, application, fate)
        project = Project.objects.get(pk=application.project_id)
        for member in members.split():
            if project.state == ProjectState.ACTIVE:
                projects.add_member(actor=lead, project=project, user=people[member], role=Role.MEMBER)
        self._afterwards(lead, project, fate, category)

    def _review(self, committee: Sequence[User], application: Application, fate: str) -> None:
        first, second = committee[:2]
        if fate == "pending":
            comment = "Clear aims; the scale of use is not quite plain to me."
            projects.review_application(actor=first, application=application, vote=Vote.APPROVE, comment=comment)
            question = "How many of the machines run at the same time?"
            projects.remark(actor=second, application=application, text=question)
            return
        vote = {"denied": Vote.DENY, "returned": Vote.CHANGE}.get(fate, Vote.APPROVE)
        for reviewer in (first, second):
            projects.review_application(actor=reviewer, application=application, vote=vote, comment=_comment(fate))
        decision = {"denied": "deny", "returned": "return"}.get(fate, "approve")
        reason = "" if decision == "approve" else _comment(fate)
        projects.decide_application(actor=second, application=application, decision=decision, reason=reason)

    def _afterwards(self, lead: User, project: Project, fate: str, category: str) -> None:
        if fate == "change":
            answers = {
                "information": {"title": f"{project.title}, second phase"},
                "resources": {"scale": "Two hundred machines for an hour, once a week."},
                "reason": {"text": "The first phase showed that fairness shows only at scale."},
            }
            self._submit(lead, project, ApplicationKind.CHANGE, answers)
        elif fate == "renewal":
            later = (timezone.now() + datetime.timedelta(days=300)).date().isoformat()
            answers = {"renewal": {"ends_at": later, "reason": "Two of three stores are measured."}}
            self._submit(lead, project, ApplicationKind.RENEWAL, answers)
        elif fate in (ProjectState.COMPLETED, ProjectState.BLOCKED, ProjectState.EXPIRED):
            lifecycle.transition(project, fate, reason="For show.")

    def _submit(self, lead: User, project: Project, kind: str, answers: dict[str, Any]) -> None:
        application = projects.start_application(actor=lead, kind=kind, project=project, answers=answers)
        projects.submit_application(actor=lead, application=application)

    # -- policies ------------------------------------------------------------------------------------------------

    def _policy(self, people: dict[str, User], row: list[str]) -> None:
        name, effect, subject_kind, subject, service, limits, fate = row
        proposer, approver = [user for user in people.values() if "operator" in user.portal_roles][:2]
        policy = projects.draft_policy(
            actor=proposer, name=name, effect=effect, subject_kind=subject_kind, subject=subject, service=service,
            limits=demo.numbers(limits), note="Made for show.",
        )  # fmt: skip
        if fate in ("proposed", "approved"):
            projects.propose_policy(actor=proposer, policy=policy)
        if fate == "approved":
            projects.approve_policy(actor=approver, policy=policy)


def _comment(fate: str) -> str:
    return {
        "denied": "This earns money for its lead and teaches nobody anything.",
        "returned": "Please say who looks after the sensors, and how many machines run at once.",
    }.get(fate, "Sound, useful to others, and of a size we can carry.")


def _answers(title: str, category: str, discipline: str, lead: User) -> dict[str, Any]:
    """The ten sections, as somebody in a hurry fills them in."""
    profile = lead.profile
    clouds = ", ".join(CloudAccount.objects.values_list("cloud__name", flat=True)[:3])
    promises = ("use", "slides", "support", "software", "documentation")
    return {
        "information": {"title": title, "category": category, "keywords": f"clouds, {discipline}"},
        "vocabulary": {"orientation": "research", "primary_discipline": discipline},
        "contacts": {"contact": f"{lead.get_full_name()}, {lead.email}"},
        "details": {
            "abstract": f"{title}: we build it, measure it on several clouds, and publish what we find.",
            "intellectual_merit": "Until now this was studied on one cloud at a time. We compare across providers.",
            "broader_impact": "Courses at three institutions use the material; the software is free.",
        },
        "agreements": dict.fromkeys(promises, True),
        "grant": {"organization": "NSF", "id": "ACI-0000000"},
        "resources": {
            "services": ["openstack"], "provision": ["vm"], "clusters": clouds,
            "use": "Many short experiments, started from scripts.", "scale": "Forty small machines for a day, monthly.",
        },
        "membership": {"join_open": True, "join_notification": True},
        "location": {"name": profile.institution, "country": profile.country},
    }  # fmt: skip
