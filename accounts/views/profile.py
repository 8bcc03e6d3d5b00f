"""One's own account: who one is, and what others see of it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from accounts import services
from accounts.forms import NamesForm, ProfileForm, blame
from accounts.models import Profile, User
from accounts.views.signed import Signed
from activity.views import SIGNED, needs
from cloudmesh.errors import CloudmeshError


@needs(SIGNED)
class Account(View):
    """One's profile, to be read and changed; fields that are not in the forms cannot be sent."""

    def get(self, request: Signed) -> HttpResponse:
        profile = _profile(request.user)
        return self._page(request, ProfileForm(instance=profile), NamesForm(instance=request.user))

    def post(self, request: Signed) -> HttpResponse:
        form = ProfileForm(request.POST, instance=_profile(request.user))
        names = NamesForm(request.POST, instance=User.objects.get(pk=request.user.pk))
        has_names = request.user.source == User.Source.LOCAL
        if not form.is_valid() or (has_names and not names.is_valid()):
            return self._page(request, form, names, status=400)
        said = {name: value or "" for name, value in form.cleaned_data.items()}
        try:
            services.change_profile(actor=request.user, names=names.cleaned_data if has_names else {}, profile=said)
        except CloudmeshError as error:
            blame(form, error)
            return self._page(request, form, names, status=error.status)
        messages.success(request, "Your profile is saved.")
        return redirect("portal:account")

    def _page(self, request: Signed, form: ProfileForm, names: NamesForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "names": names, "tab": "profile"}
        return render(request, "accounts/profile.html", context, status=status)


def _profile(user: User) -> Profile:
    return Profile.objects.filter(user=user).first() or Profile(user=user)
