"""The members of a project, and everything that makes one a member, over REST."""

import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from activity.api import Answer, Body, Lists, OneOf, Signed, Text, Whole, one, one_of
from activity.views import SIGNED, needs
from cloudmesh.errors import Invalid, NotFound
from projects import access, services
from projects.models import Invitation, JoinRequest, Membership, Project, RequestState, Role
from projects.services.invitations import DAYS, MOST_DAYS, MOST_USES, USES

WORKING = [role.value for role in Role if access.works(role)]


class Within(Lists):
    """A list that belongs to one project, which its path names."""

    def list(self, request: Signed, name: str = "") -> Response:
        return super().list(request)

    def project(self, request: Signed, permission: str) -> Project:
        return access.project_named(request.user, self.kwargs["name"], permission=permission)


# -- members ---------------------------------------------------------------------------------------------------


class MemberAnswer(Answer):
    """Somebody in a project."""

    id = serializers.UUIDField(source="user.pk")
    user = serializers.CharField(source="user.username")
    name = serializers.CharField(source="user.full_name")
    role = serializers.ChoiceField(Role.choices)
    joined_at = serializers.DateTimeField()


class MemberRequest(Body):
    user = Text(help_text="The user name")
    role = OneOf(choices=Role.choices, required=False, help_text="member if not given")


class RoleRequest(Body):
    role = OneOf(choices=Role.choices)


class Members(Within):
    """The members of a project."""

    permissions = {
        "list": "member.view",
        "create": "member.manage",
        "partial_update": "member.manage",
        "destroy": "member.manage",
    }
    serializer_class = MemberAnswer
    filters = {"role": one_of("role", Role.values)}
    searched = {"user": "user__username"}
    orders = {"user": "user__username", "joined_at": "joined_at"}
    ordering = "user"

    def records(self, request: Signed) -> QuerySet[Membership]:
        return self.project(request, "member.view").memberships.select_related("user")

    @extend_schema(request=MemberRequest, responses={201: MemberAnswer})
    def create(self, request: Signed, name: str) -> Response:
        """Add somebody who has an account."""
        project, wish = self.project(request, "member.manage"), MemberRequest.parse(request)
        member = services.add_member(
            actor=request.user,
            project=project,
            user=services.find_user(wish["user"]),
            role=wish.get("role", access.LINKED),
        )
        return one(request, MemberAnswer, _fresh(member), status=201)

    @extend_schema(request=RoleRequest, responses=MemberAnswer)
    def partial_update(self, request: Signed, name: str, user: str) -> Response:
        """Make a member something else."""
        project, wish = self.project(request, "member.manage"), RoleRequest.parse(request)
        known = self._member(project, user)
        member = services.change_role(actor=request.user, project=project, user=known.user, role=wish["role"])
        return one(request, MemberAnswer, _fresh(member))

    @extend_schema(responses={204: None})
    def destroy(self, request: Signed, name: str, user: str) -> Response:
        """Take somebody out: their tokens and wishes in the project end at once."""
        project = self.project(request, "member.manage")
        services.remove_member(actor=request.user, project=project, user=self._member(project, user).user)
        return Response(status=204)

    def _member(self, project: Project, user: str) -> Membership:
        members = project.memberships.select_related("user")
        try:
            return members.get(user=uuid.UUID(user))
        except (ValueError, Membership.DoesNotExist):
            return access.first_named(members, user, field="user__username", kind="member")


def _fresh(member: Membership) -> Membership:
    """With what the database set."""
    return Membership.objects.select_related("user").get(pk=member.pk)


# -- invitations -----------------------------------------------------------------------------------------------


class InvitationAnswer(Answer):
    """A way into a project that is still open."""

    id = serializers.UUIDField(source="pk")
    email = serializers.CharField(help_text="Whom it was mailed to; empty for a join link")
    role = serializers.ChoiceField(Role.choices)
    uses_left = serializers.IntegerField()
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    invited_by = serializers.CharField(source="invited_by.username", allow_null=True)


class NewInvitation(InvitationAnswer):
    """An invitation; the address of a join link is shown this once."""

    link = serializers.CharField(help_text="Empty for one that was mailed")


class InvitationRequest(Body):
    """With an e-mail address an invitation for that person alone, without one a join link for several."""

    email = Text(required=False, help_text="Whom to mail it to; left out for a join link")
    role = OneOf(choices=WORKING, required=False, help_text="Of who is invited by mail; member if not given")
    uses = Whole(required=False, help_text=f"Of a join link: for how many people, 1 to {MOST_USES}; usually {USES}")
    days = Whole(required=False, help_text=f"How long it is good for, 1 to {MOST_DAYS}; usually {DAYS}")


class Invitations(Within):
    """The open invitations to a project."""

    permissions = {"list": "member.manage", "create": "member.manage", "destroy": "member.manage"}
    serializer_class = InvitationAnswer
    searched = {"email": "email"}
    orders = {"created_at": "created_at"}
    ordering = "-created_at"

    def records(self, request: Signed) -> QuerySet[Invitation]:
        return services.open_invitations(self.project(request, "member.manage")).select_related("invited_by")

    @extend_schema(request=InvitationRequest, responses={201: NewInvitation})
    def create(self, request: Signed, name: str) -> Response:
        """Invite somebody by e-mail, or make a join link."""
        project, wish = self.project(request, "member.manage"), InvitationRequest.parse(request)
        wish = {key: value for key, value in wish.items() if value != ""}
        mailed = "email" in wish
        for field in ("uses",) if mailed else ("role",):
            if field in wish:
                kind = "an invitation by e-mail" if mailed else "a join link, which makes members"
                raise Invalid(f"{field} is not said of {kind}.", field=field)
        if mailed:
            made, link = services.invite(actor=request.user, project=project, **wish), ""
        else:
            made, link = services.make_link(actor=request.user, project=project, **wish)
        made.refresh_from_db()
        return Response({**InvitationAnswer.row(made), "link": link}, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Signed, name: str, id: uuid.UUID) -> Response:
        """Take an invitation back."""
        self.project(request, "member.manage")
        made = access.fetch(Invitation, id, actor=request.user, permission="member.manage")
        services.revoke_invitation(actor=request.user, invitation=made)
        return Response(status=204)


class Joined(Answer):
    """What one is in a project now."""

    project = serializers.CharField(source="project.name")
    role = serializers.ChoiceField(Role.choices)


@needs(SIGNED)
class AcceptInvitation(APIView):
    """Join by a link."""

    @extend_schema(request=None, responses={201: Joined})
    def post(self, request: Signed, secret: str) -> Response:
        membership = services.accept_invitation(actor=request.user, secret=secret)
        return one(request, Joined, membership, status=201)


# -- requests --------------------------------------------------------------------------------------------------


class JoinRequestAnswer(Answer):
    """Somebody asks to be let into a project."""

    id = serializers.UUIDField(source="pk")
    project = serializers.CharField(source="project.name")
    user = serializers.CharField(source="user.username")
    text = serializers.CharField()
    state = serializers.ChoiceField(RequestState.choices)
    reason = serializers.CharField(source="state_reason")
    created_at = serializers.DateTimeField()


class Asking(Body):
    text = Text(required=False, help_text="Who you are, and what you want to do there")


class Letting(Body):
    role = OneOf(choices=WORKING, required=False, help_text="member if not given")


class Refusing(Body):
    reason = Text(help_text="Whoever asked is told")


class JoinRequests(Within):
    """Who asks to be let into a project: all of them for its leaders, one's own for others."""

    permissions = {
        "list": SIGNED,
        "create": SIGNED,
        "destroy": SIGNED,
        "accept": "member.manage",
        "refuse": "member.manage",
    }
    serializer_class = JoinRequestAnswer
    filters = {"state": one_of("state", RequestState.values)}
    orders = {"created_at": "created_at"}
    ordering = "-created_at"

    def records(self, request: Signed) -> QuerySet[JoinRequest]:
        project = self._reachable(request)
        seen = access.visible(JoinRequest, request.user).filter(project=project)
        return seen.select_related("project", "user")

    @extend_schema(request=Asking, responses={201: JoinRequestAnswer})
    def create(self, request: Signed, name: str) -> Response:
        """Ask to be let in."""
        project, wish = self._reachable(request), Asking.parse(request)
        asked = services.ask_to_join(actor=request.user, project=project, text=wish.get("text", ""))
        asked.refresh_from_db()
        return one(request, JoinRequestAnswer, asked, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Signed, name: str, id: uuid.UUID) -> Response:
        """Take one's own request back."""
        services.withdraw_request(actor=request.user, asked=self._asked(request, id))
        return Response(status=204)

    @extend_schema(request=Letting, responses=JoinRequestAnswer)
    def accept(self, request: Signed, name: str, id: uuid.UUID) -> Response:
        """Let them in."""
        self.project(request, "member.manage")
        wish, asked = Letting.parse(request), self._asked(request, id)
        services.accept_request(actor=request.user, asked=asked, role=wish.get("role") or access.LINKED)
        return one(request, JoinRequestAnswer, asked)

    @extend_schema(request=Refusing, responses=JoinRequestAnswer)
    def refuse(self, request: Signed, name: str, id: uuid.UUID) -> Response:
        """Say no, and why."""
        self.project(request, "member.manage")
        wish, asked = Refusing.parse(request), self._asked(request, id)
        services.refuse_request(actor=request.user, asked=asked, reason=wish["reason"])
        return one(request, JoinRequestAnswer, asked)

    def _asked(self, request: Signed, id: uuid.UUID) -> JoinRequest:
        asked = self.records(request).filter(pk=id).first()
        if asked is None:
            raise NotFound(f"There is no request {str(id)!r} to join this project, or none that you may see.")
        return asked

    def _reachable(self, request: Signed) -> Project:
        """A project that one may see, or may ask to be let into."""
        mine = access.visible(Project, request.user) | access.joinable(request.user)
        return access.first_named(mine.distinct(), self.kwargs["name"], kind="project")
