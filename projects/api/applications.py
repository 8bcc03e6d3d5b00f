"""Applications over REST: applying, answering, submitting; and the committee's votes and decisions."""

import dataclasses
import datetime
import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.views import APIView

from activity.api import (
    Answer,
    Body,
    Few,
    Filter,
    Flag,
    Lists,
    OneOf,
    Signed,
    Text,
    Whole,
    check_parameters,
    few,
    one,
    one_of,
)
from activity.views import SIGNED, needs
from cloudmesh.errors import Invalid
from projects import access, services
from projects.api.nouns import IN_PROJECT
from projects.models import Application, ApplicationKind, ApplicationState, Remark, Review, Vote
from projects.services.answers import end_of
from projects.services.committee import Decision, Standing
from projects.services.questions import Difference, Gap
from projects.services.sections import sections_of

# -- answers ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shown:
    """An application with all that its reader may know of it."""

    application: Application
    gaps: Sequence[Gap] = ()
    differences: Sequence[Difference] = ()
    remarks: Sequence[Remark] = ()
    reviews: Sequence[Review] = ()
    standing: Standing | None = None


class ApplicationAnswer(Answer):
    """What a project asks of the committee."""

    id = serializers.UUIDField(source="application.pk")
    kind = serializers.ChoiceField(ApplicationKind.choices, source="application.kind")
    project = serializers.CharField(source="application.project.name")
    title = serializers.CharField(source="application.project.title")
    applicant = serializers.CharField(source="application.applicant.username")
    state = serializers.ChoiceField(ApplicationState.choices, source="application.state")
    reason = serializers.CharField(source="application.state_reason", help_text="Of the decision, for the applicant")
    round = serializers.IntegerField(source="application.round", help_text="How often it was submitted")
    created_at = serializers.DateTimeField(source="application.created_at")
    submitted_at = serializers.DateTimeField(source="application.submitted_at", allow_null=True)
    decided_at = serializers.DateTimeField(source="application.decided_at", allow_null=True)
    version = serializers.IntegerField(source="application.version")


class GapAnswer(Answer):
    """A question that must be answered before it can be submitted."""

    section = serializers.CharField(source="section.name")
    question = serializers.CharField(source="question.name")
    label = serializers.CharField(source="question.label")  # type: ignore[assignment]


class DifferenceAnswer(Answer):
    """What an answer was and becomes, in words."""

    section = serializers.CharField(source="section.name")
    question = serializers.CharField(source="question.name")
    before = serializers.CharField()
    after = serializers.CharField()


class RemarkAnswer(Answer):
    """A question or an answer about an application."""

    author = serializers.CharField(source="author.username")
    text = serializers.CharField()
    is_internal = serializers.BooleanField(help_text="Among reviewers; never shown to applicants")
    at = serializers.DateTimeField()


class ReviewAnswer(Answer):
    """A reviewer's vote in one round."""

    reviewer = serializers.CharField(source="reviewer.username")
    vote = serializers.ChoiceField(Vote.choices)
    comment = serializers.CharField()
    round = serializers.IntegerField()
    at = serializers.DateTimeField()


class StandingAnswer(Answer):
    """How far the votes are."""

    approving = serializers.IntegerField()
    denying = serializers.IntegerField()
    quorum = serializers.IntegerField()
    my_vote = serializers.CharField()
    conflict = serializers.CharField(help_text="Why you may not judge it; empty when you may")
    missing = serializers.CharField(help_text="Why it cannot be approved yet; empty when it can")


class ApplicationWhole(ApplicationAnswer):
    """An application with its answers and what was said of it."""

    answers = serializers.DictField(
        source="application.answers", child=serializers.DictField(), help_text="Section → question → answer"
    )
    gaps = GapAnswer(many=True)
    differences = DifferenceAnswer(many=True)
    remarks = RemarkAnswer(many=True)
    reviews = ReviewAnswer(many=True, help_text="For the committee; empty for applicants")
    standing = StandingAnswer(allow_null=True, help_text="For the committee; null for applicants")


class QuestionAnswer(Answer):
    """A question of an application."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField(help_text="text, lines, choice, choices, flag, url, date or limits")
    help = serializers.CharField()
    required = serializers.BooleanField(help_text="Before it can be submitted")  # type: ignore[assignment]
    most = serializers.IntegerField(help_text="Characters")
    choices = serializers.ListField(child=serializers.CharField())


class SectionAnswer(Answer):
    """A section of an application."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()
    questions = QuestionAnswer(many=True)


class SectionAnswers(Few):
    """The sections of one kind of application."""

    results = SectionAnswer(many=True)


# -- requests --------------------------------------------------------------------------------------------------


class AnswersField(serializers.DictField):
    """Section → question → answer; the declared sections say what fits."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError("answers must be an object: section → question → answer.")
        return data


class LimitsBody(serializers.ListField):
    """Limits as the allocation section declares them; checked where they are granted."""

    child = serializers.DictField()

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
            raise serializers.ValidationError('limits must be a list of {"scope", "resource", "limit"}.')
        return data


class ApplicationRequest(Body):
    kind = OneOf(choices=ApplicationKind.choices, required=False, help_text="new unless said otherwise")
    project = Text(required=False, help_text="For all kinds but new")
    title = Text(required=False, help_text="Of a new project")
    name = Text(required=False, help_text="Short name of a new project; made of the title if not given")
    answers = AnswersField(required=False)


class AnswersRequest(Body):
    answers = AnswersField()
    version = Whole(required=False, help_text="Which you read; refused when somebody saved meanwhile")


class ReasonRequest(Body):
    reason = Text(required=False)


class ReviewRequest(Body):
    vote = OneOf(choices=Vote.choices)
    comment = Text(required=False, help_text="Needed to deny and to ask for changes")


class RemarkRequest(Body):
    text = Text()
    is_internal = Flag(required=False, help_text="Among reviewers only")


class DecisionRequest(Body):
    decision = OneOf(choices=Decision.choices)
    reason = Text(required=False, help_text="The applicant reads it; needed to deny and to return")
    ends_at = serializers.DateField(required=False, help_text="Granted end date, if not as asked for")
    limits = LimitsBody(required=False, help_text="Granted limits, if not as asked for")


# -- end points ------------------------------------------------------------------------------------------------


class Applications(Lists):
    """One's own applications, those of the projects one leads, and for reviewers all that were submitted."""

    permissions = {
        "list": SIGNED,
        "create": SIGNED,
        "retrieve": "application.view",
        "partial_update": "application.edit",
        "submit": "application.edit",
        "withdraw": "application.edit",
        "remark": "application.view",
        "review": "application.review",
        "decide": "project.decide",
        "undo": "project.decide",
    }
    serializer_class = ApplicationAnswer
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"
    filters = {
        "state": one_of("state", ApplicationState.values),
        "kind": one_of("kind", ApplicationKind.values),
        "project": IN_PROJECT,
        "applicant": Filter("Of this person.", lambda actor, text: Q(applicant__username=text)),
    }
    searched = {"project": "project__name", "title": "project__title"}
    orders = {"created_at": "created_at", "state": "state", "kind": "kind", "project": "project__name"}
    ordering = "-created_at"

    def records(self, request: Signed) -> QuerySet[Application]:
        seen = access.visible(Application, request.user).select_related("project", "applicant")
        return seen.defer("answers", "before", "project__details")

    def facts(self, records: Sequence[Application]) -> list[Shown]:
        return [Shown(application=application) for application in records]

    @extend_schema(responses=ApplicationWhole)
    def retrieve(self, request: Signed, id: uuid.UUID) -> Response:
        return self._whole(request, self._thing(request, id, "application.view"))

    @extend_schema(request=ApplicationRequest, responses={201: ApplicationWhole})
    def create(self, request: Signed) -> Response:
        """Begin a draft: for a new project, or for a change, a renewal or an allocation of one."""
        wish = ApplicationRequest.parse(request)
        name = wish.pop("project", "")
        project = access.project_named(request.user, name, permission="application.edit") if name else None
        draft = services.start_application(actor=request.user, project=project, **wish)
        return self._whole(request, draft, status=201)

    @extend_schema(request=AnswersRequest, responses=ApplicationWhole)
    def partial_update(self, request: Signed, id: uuid.UUID) -> Response:
        """Keep some answers of a draft; what is not spoken of stays."""
        wish = AnswersRequest.parse(request)
        application = self._thing(request, id, "application.edit")
        return self._whole(request, services.save_draft(actor=request.user, application=application, **wish))

    @extend_schema(request=None, responses=ApplicationWhole)
    @action(detail=True, methods=["post"])
    def submit(self, request: Signed, id: uuid.UUID) -> Response:
        """Hand a draft in; what is missing is named."""
        application = self._thing(request, id, "application.edit")
        return self._whole(request, services.submit_application(actor=request.user, application=application))

    @extend_schema(request=ReasonRequest, responses=ApplicationWhole)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Signed, id: uuid.UUID) -> Response:
        """Take an application back."""
        wish = ReasonRequest.parse(request)
        application = self._thing(request, id, "application.edit")
        return self._whole(request, services.withdraw_application(actor=request.user, application=application, **wish))

    @extend_schema(request=RemarkRequest, responses=ApplicationWhole)
    @action(detail=True, methods=["post"])
    def remark(self, request: Signed, id: uuid.UUID) -> Response:
        """Ask or answer something about an application."""
        wish = RemarkRequest.parse(request)
        application = self._thing(request, id, "application.view")
        services.remark(actor=request.user, application=application, **wish)
        return self._whole(request, application)

    @extend_schema(request=ReviewRequest, responses=ApplicationWhole)
    @action(detail=True, methods=["post"])
    def review(self, request: Signed, id: uuid.UUID) -> Response:
        """Vote on an application, or declare a conflict of interest."""
        wish = ReviewRequest.parse(request)
        application = self._thing(request, id, "application.review")
        services.review_application(actor=request.user, application=application, **wish)
        return self._whole(request, application)

    @extend_schema(request=DecisionRequest, responses=ApplicationWhole)
    @action(detail=True, methods=["post"])
    def decide(self, request: Signed, id: uuid.UUID) -> Response:
        """Approve an application, deny it, or return it for changes."""
        wish = DecisionRequest.parse(request)
        day: datetime.date | None = wish.get("ends_at")
        if day:
            wish["ends_at"] = end_of(day.isoformat())
        application = self._thing(request, id, "project.decide")
        services.decide_application(actor=request.user, application=application, **wish)
        return self._whole(request, application)

    @extend_schema(request=ReasonRequest, responses=ApplicationWhole)
    @action(detail=True, methods=["post"])
    def undo(self, request: Signed, id: uuid.UUID) -> Response:
        """Take a decision back while nothing followed from it."""
        wish = ReasonRequest.parse(request)
        application = self._thing(request, id, "project.decide")
        return self._whole(request, services.undo_decision(actor=request.user, application=application, **wish))

    def _thing(self, request: Signed, id: uuid.UUID, permission: str) -> Application:
        return access.fetch(Application, id, actor=request.user, permission=permission)

    def _whole(self, request: Signed, application: Application, *, status: int = 200) -> Response:
        return one(request, ApplicationWhole, _shown(request, application), status=status)


@needs(SIGNED)
class Sections(APIView):
    """What an application asks."""

    @extend_schema(responses=SectionAnswers, operation_id="application_sections_list")
    def get(self, request: Signed, kind: str) -> Response:
        """The sections and questions of one kind of application."""
        check_parameters(request, [])
        if kind not in ApplicationKind.values:
            raise Invalid(f"kind is one of {', '.join(ApplicationKind.values)}; not {kind[:40]!r}.", field="kind")
        return few([_section(section) for section in sections_of(kind)])


def _section(section: Any) -> Any:
    told = dataclasses.asdict(section)
    for question in told["questions"]:
        question["choices"] = [name for name, _ in question["choices"]]
    return {**told, "questions": list(told["questions"])}


def _shown(request: Signed, application: Application) -> Shown:
    actor = request.user
    remarks = access.visible(Remark, actor).filter(application=application).select_related("author")
    reviews = access.visible(Review, actor).filter(application=application).select_related("reviewer")
    judges = access.may(actor, "application.review") and application.state != ApplicationState.DRAFT
    return Shown(
        application=application,
        gaps=services.application_gaps(application),
        differences=services.application_differences(application),
        remarks=list(remarks.order_by("at", "pk")),
        reviews=list(reviews.order_by("round", "at")),
        standing=services.standing(actor, application) if judges else None,
    )
