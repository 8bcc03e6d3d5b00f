"""Who one is at each scheduler: saying so, the key to be allowed there, verifying, forgetting."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_POST

from accounts.models import User
from activity.views import OWN, SIGNED, needs
from cloudmesh.errors import CloudmeshError, Invalid, NotFound
from hpc import services
from hpc.forms import LoginForm, blame
from hpc.forms.schedulers import PREFIX
from hpc.models import Identity, Login, Scheduler, Way
from operations.models import CredentialState
from operations.views import accepted
from projects import access
from projects.views import Signed, answer, dress


@needs(SIGNED)
class Logins(View):
    request: Signed

    def get(self, request: Signed) -> HttpResponse:
        return self._page(None, None)

    def post(self, request: Signed) -> HttpResponse:
        """Say who one is at a scheduler, or say it anew."""
        scheduler = _scheduler(request.user, request.POST.get("scheduler", ""))
        form = _form(scheduler, request.POST)
        if not form.is_valid():
            return self._page(scheduler, form)
        try:
            services.make_login(
                actor=request.user, scheduler=scheduler, name=form.cleaned_data["login"], credential=form.credential
            )
        except CloudmeshError as error:
            blame(form, error, prefix=PREFIX)
            return self._page(scheduler, form)
        return redirect(f"{reverse('hpc:login-list')}#scheduler-{scheduler.pk}")

    def _page(self, at: Scheduler | None, form: LoginForm | None) -> HttpResponse:
        schedulers = _cards(self.request.user)
        for each in schedulers:
            each.form = form if at and each.pk == at.pk else _form(each)
            each.is_asking = each.form is form or (each.login is None and each.may_say)
        context = {"schedulers": schedulers}
        return render(self.request, "hpc/login_list.html", context, status=400 if form and form.errors else 200)


@needs(OWN)
@require_POST
def login_verify(request: Signed, pk: uuid.UUID) -> HttpResponse:
    login = _login(request.user, pk)
    operation = services.verify_login(actor=request.user, login=login)
    return accepted(request, operation, f"Trying {login}", back=reverse("hpc:login-list"))


@needs(OWN)
@require_POST
def login_remove(request: Signed, pk: uuid.UUID) -> HttpResponse:
    login = _login(request.user, pk)
    services.remove_login(actor=request.user, login=login)
    return answer(request, f"{login} is forgotten", detail="Your jobs there go on.", back=reverse("hpc:login-list"))


def _login(actor: User, pk: uuid.UUID) -> Login:
    login = access.visible(Login, actor).select_related("scheduler").filter(pk=pk).first()
    if login is None:
        raise NotFound(f"There is no login {pk} of yours.")
    return login


def _scheduler(actor: User, pk: str) -> Scheduler:
    try:
        found = access.visible(Scheduler, actor).filter(pk=uuid.UUID(pk)).first()
    except ValueError:
        raise Invalid("Say at which scheduler.", field="scheduler") from None
    if found is None:
        raise NotFound(f"There is no scheduler {pk}, or none that you may see.")
    return found


def _form(scheduler: Scheduler, data: Any = None) -> LoginForm:
    return LoginForm(services.own_fields(scheduler.way), data, auto_id=f"{scheduler.pk}-%s")


def _cards(actor: User) -> list[Any]:
    """The schedulers one sees with who one is there; three questions."""
    seen = access.visible(Scheduler, actor).select_related("project").prefetch_related("clusters")
    schedulers = list(seen.defer("credential", "pending").order_by("name", "pk"))
    mine = {login.scheduler_id: login for login in access.visible(Login, actor)}
    live = services.live_operations(login.pk for login in mine.values())
    return [_card(each, mine.get(each.pk), live, actor) for each in schedulers]


def _card(scheduler: Scheduler, login: Login | None, live: Any, actor: User) -> Any:
    return dress(
        scheduler,
        login=login,
        acts_as=services.who(scheduler, login, actor),
        may_say=scheduler.identity == Identity.OWN,
        makes_key=scheduler.way == Way.SSH,
        is_waiting=login is not None and login.state != CredentialState.ACTIVE,
        trying=live.get(login.pk) if login else None,
    )
