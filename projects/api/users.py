"""People over REST: those one works with, and for the staff all accounts and what is decided about them."""

import dataclasses
import uuid
from collections.abc import Sequence

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts import services
from accounts.models import AccountState, PortalRole, Profile, User
from activity.api import Answer, Body, Filter, Lists, Signed, Text, Texts, one, one_of
from activity.views import SIGNED
from cloudmesh.errors import Invalid, NotAllowed
from projects import access

STATES = [str(state) for state in AccountState]


@dataclasses.dataclass(frozen=True)
class Seen:
    """A person, with what of them the reader may see: fields of a part that is None are null in the answer."""

    user: User
    profile: Profile
    account: User | None  # for those who look after accounts
    private: Profile | None  # for those who decide about accounts, and oneself

    @property
    def name(self) -> str:
        return self.user.full_name


class UserAnswer(Answer):
    """A person."""

    id = serializers.UUIDField(source="user.pk")
    username = serializers.CharField(source="user.username")
    name = serializers.CharField()
    institution = serializers.CharField(source="profile.institution")
    email = serializers.EmailField(source="account.email", allow_null=True)
    state = serializers.ChoiceField(AccountState.choices, source="account.state", allow_null=True)
    state_reason = serializers.CharField(source="account.state_reason", allow_null=True)
    source = serializers.ChoiceField(User.Source.choices, source="account.source", allow_null=True)  # type: ignore[assignment]
    portal_roles = serializers.ListField(child=serializers.CharField(), source="account.portal_roles", allow_null=True)
    created_at = serializers.DateTimeField(source="account.created_at", allow_null=True)
    last_login = serializers.DateTimeField(source="account.last_login", allow_null=True)
    expires_at = serializers.DateTimeField(source="account.expires_at", allow_null=True)
    phone = serializers.CharField(source="private.phone", allow_null=True)
    citizenship = serializers.CharField(source="private.citizenship", allow_null=True)
    advisor = serializers.CharField(source="private.advisor", allow_null=True)


class AccountReason(Body):
    reason = Text(help_text="The person reads it")


class PortalRoles(Body):
    roles = Texts(help_text="reviewer, operator, auditor; empty for none")


class Users(Lists):
    """Oneself and those one works with; staff see all. What the reader may not see of a person is null."""

    permissions = {
        "list": SIGNED,
        "retrieve": SIGNED,
        **dict.fromkeys(("approve", "deny", "reconsider"), "account.decide"),
        **dict.fromkeys(("suspend", "block", "expire", "activate", "roles"), "account.manage"),
    }
    serializer_class = UserAnswer
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"
    filters = {
        "state": Filter("Any of these, for staff; commas between.", lambda actor, text: _state(actor, text)),
        "role": Filter("With any of these roles in the portal, for staff.", lambda actor, text: _role(actor, text)),
        "username": Filter("Of this user name.", lambda actor, text: Q(username__iexact=text)),
    }
    searched = {"username": "username", "first_name": "first_name", "last_name": "last_name"}
    orders = {"username": "username", "created_at": "created_at"}
    ordering = "username"

    def records(self, request: Signed) -> QuerySet[User]:
        return access.visible(User, request.user).select_related("profile").distinct()

    def facts(self, records: Sequence[User]) -> list[Seen]:
        return [_seen(self.request.user, user) for user in records]

    @extend_schema(responses=UserAnswer)
    def retrieve(self, request: Signed, id: uuid.UUID) -> Response:
        return self._answer(access.first_named(self.records(request), str(id), field="username", kind="user"))

    @extend_schema(request=None, responses=UserAnswer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Signed, id: uuid.UUID) -> Response:
        """Let an applicant in; they are mailed a link to choose a password."""
        user = self._fetched(id, "account.decide")
        services.approve_account(actor=request.user, user=user)
        return self._answer(user)

    @extend_schema(request=AccountReason, responses=UserAnswer)
    @action(detail=True, methods=["post"])
    def deny(self, request: Signed, id: uuid.UUID) -> Response:
        """Refuse an application."""
        user = self._fetched(id, "account.decide")
        services.deny_account(actor=request.user, user=user, **AccountReason.parse(request))
        return self._answer(user)

    @extend_schema(request=None, responses=UserAnswer)
    @action(detail=True, methods=["post"])
    def reconsider(self, request: Signed, id: uuid.UUID) -> Response:
        """Take a denial back, or an approval from which nothing followed yet."""
        user = self._fetched(id, "account.decide")
        services.reconsider_account(actor=request.user, user=user)
        return self._answer(user)

    @extend_schema(request=AccountReason, responses=UserAnswer)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Signed, id: uuid.UUID) -> Response:
        """Keep somebody out for a while; what signs them in ends at once."""
        user = self._fetched(id, "account.manage")
        services.suspend_account(actor=request.user, user=user, **AccountReason.parse(request))
        return self._answer(user)

    @extend_schema(request=AccountReason, responses=UserAnswer)
    @action(detail=True, methods=["post"])
    def block(self, request: Signed, id: uuid.UUID) -> Response:
        """Keep somebody out for good; what signs them in ends at once."""
        user = self._fetched(id, "account.manage")
        services.block_account(actor=request.user, user=user, **AccountReason.parse(request))
        return self._answer(user)

    @extend_schema(request=AccountReason, responses=UserAnswer)
    @action(detail=True, methods=["post"])
    def expire(self, request: Signed, id: uuid.UUID) -> Response:
        """End an account whose time is over."""
        user = self._fetched(id, "account.manage")
        services.expire_account(actor=request.user, user=user, **AccountReason.parse(request))
        return self._answer(user)

    @extend_schema(request=None, responses=UserAnswer)
    @action(detail=True, methods=["post"])
    def activate(self, request: Signed, id: uuid.UUID) -> Response:
        """Let back in whoever was suspended, blocked or expired."""
        user = self._fetched(id, "account.manage")
        services.activate_account(actor=request.user, user=user)
        return self._answer(user)

    @extend_schema(request=PortalRoles, responses=UserAnswer)
    @action(detail=True, methods=["post"])
    def roles(self, request: Signed, id: uuid.UUID) -> Response:
        """Say what somebody is in the portal as a whole."""
        user = self._fetched(id, "account.manage")
        services.set_roles(actor=request.user, user=user, **PortalRoles.parse(request))
        return self._answer(user)

    def _fetched(self, id: uuid.UUID, permission: str) -> User:
        return access.fetch(User, id, actor=self.request.user, permission=permission)

    def _answer(self, user: User) -> Response:
        return one(self.request, UserAnswer, _seen(self.request.user, user))


def _seen(actor: User, user: User) -> Seen:
    is_me = actor.pk == user.pk
    profile = user.profile if hasattr(user, "profile") else Profile(user=user)
    return Seen(
        user=user,
        profile=profile,
        account=user if is_me or access.may(actor, "account.view") else None,
        private=profile if is_me or access.may(actor, "account.decide") else None,
    )


def _state(actor: User, text: str) -> Q:
    """Who asks for the suspended must not learn who among their colleagues is."""
    _require_staff(actor, "state")
    return one_of("state", STATES).narrow(actor, text)


def _role(actor: User, text: str) -> Q:
    """Raises Invalid for a role that there is not."""
    _require_staff(actor, "role")
    wanted = text.split(",")
    if unknown := [role for role in wanted if role not in PortalRole.values]:
        raise Invalid(f"There is no role {unknown[0][:40]!r}; there are {', '.join(PortalRole.values)}.", field="role")
    return Q(portal_roles__overlap=wanted)


def _require_staff(actor: User, what: str) -> None:
    if not access.may(actor, "account.view"):
        raise NotAllowed(f"Only the portal's staff may ask for accounts by their {what}.")
