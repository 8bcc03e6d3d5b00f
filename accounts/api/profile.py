"""One's own profile over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services
from accounts.forms import NamesForm, ProfileForm
from accounts.models import InstitutionRole, Profile, User
from activity.api import Answer, Body, Signed, Text, one
from activity.views import SIGNED, needs
from cloudmesh.errors import Invalid

NAMES = ("first_name", "last_name")


class ProfileAnswer(Answer):
    """What one tells of oneself."""

    username = serializers.CharField(source="user.username")
    email = serializers.EmailField(source="user.email")
    first_name = serializers.CharField(source="user.first_name")
    last_name = serializers.CharField(source="user.last_name")
    title = serializers.CharField()
    phone = serializers.CharField()
    url = serializers.CharField()
    citizenship = serializers.CharField()
    bio = serializers.CharField()
    institution = serializers.CharField()
    institution_role = serializers.ChoiceField([*InstitutionRole.choices, ("", "Not said")])
    department = serializers.CharField()
    address = serializers.CharField()
    advisor = serializers.CharField()
    country = serializers.CharField()


class ProfileRequest(Body):
    first_name = Text(required=False)
    last_name = Text(required=False)
    title = Text(required=False)
    phone = Text(required=False)
    url = Text(required=False)
    citizenship = Text(required=False)
    bio = Text(required=False)
    institution = Text(required=False)
    institution_role = Text(required=False, help_text=f"One of {', '.join(InstitutionRole.values)}")
    department = Text(required=False)
    address = Text(required=False)
    advisor = Text(required=False)
    country = Text(required=False)


@needs(SIGNED)
class OwnProfile(APIView):
    """What one tells of oneself; whoever shares a project sees the name and the institution."""

    @extend_schema(responses=ProfileAnswer)
    def get(self, request: Signed) -> Response:
        return one(request, ProfileAnswer, _profile(request.user))

    @extend_schema(request=ProfileRequest, responses=ProfileAnswer)
    def patch(self, request: Signed) -> Response:
        """Change what is given, keep the rest. Empty text removes."""
        wish, profile = ProfileRequest.parse(request), _profile(request.user)
        names = {name: wish.pop(name) for name in NAMES if name in wish}
        if names and request.user.source != User.Source.LOCAL:
            raise Invalid("Your directory says your name; change it there.", field=next(iter(names)))
        said = _checked(ProfileForm(_values(profile, ProfileForm) | wish, instance=profile))
        known = _checked(NamesForm(_values(profile.user, NamesForm) | names, instance=profile.user)) if names else {}
        services.change_profile(actor=request.user, names=known, profile=said)
        return one(request, ProfileAnswer, _profile(request.user))


def _profile(user: User) -> Profile:
    known = Profile.objects.select_related("user").filter(user=user.pk).first()
    return known or Profile(user=User.objects.get(pk=user.pk))


def _values(record: Any, form: type[Any]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in form.base_fields}


def _checked(form: Any) -> dict[str, str]:
    """The values of a form that is right. Raises Invalid with what is wrong at each field."""
    if not form.is_valid():
        errors = {name: [str(error) for error in found] for name, found in form.errors.items()}
        name, sentences = next(iter(errors.items()))
        raise Invalid(f"{name}: {sentences[0]}", field=name, errors=errors)
    return {name: value or "" for name, value in form.cleaned_data.items()}
