"""Applying: one's applications, a page for each section of one, and what became of it."""

import dataclasses
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.views import Signed
from activity.models import Event
from activity.views import SIGNED, needs
from cloudmesh.errors import CloudmeshError, Invalid, NotFound
from projects import access, quota, services
from projects.forms import SectionForm, StartForm
from projects.models import Application, ApplicationKind, ApplicationState, Project, Remark
from projects.services.applications import EDITABLE, OPEN, STATES_FOR
from projects.services.questions import Difference, Kind, Section
from projects.services.sections import sections_of
from projects.views.lists import Filter, Listing, answer, is_htmx

RECENT = 20  # events of one application
PATH = (ApplicationState.DRAFT, ApplicationState.SUBMITTED, ApplicationState.APPROVED)
ABOUT: Mapping[str, str] = {
    ApplicationKind.NEW: "A group of people with resources of their own. The committee reads what you apply for.",
    ApplicationKind.CHANGE: "Other answers than those that were approved. The committee sees what is different.",
    ApplicationKind.RENEWAL: "A later end date for a project, or another while for one that has ended.",
    ApplicationKind.ALLOCATION: "Limits in numbers: how many servers, cores and so on a project may have.",
}


@dataclasses.dataclass(frozen=True)
class Step:
    """A section, or a state, on the way to an end."""

    label: str
    url: str
    is_done: bool
    is_here: bool
    missing: int = 0


@dataclasses.dataclass(frozen=True)
class Told:
    """A question with its answer in words."""

    label: str
    text: str
    is_long: bool


# -- the list, and beginning -------------------------------------------------------------------------------------


@needs(SIGNED)
class ApplicationList(Listing):
    """One's own, and those of the projects that one leads."""

    model = Application
    template_name = "projects/application_list.html"
    name = "applications"
    words = ("project__name", "project__title")
    orders = {"project": ["project__name"], "kind": ["kind"], "state": ["state"], "submitted_at": ["submitted_at"]}
    usual = ("-created_at", "-pk")

    def filters(self) -> Iterable[Filter]:
        states = [(state.value, state.label) for state in ApplicationState]
        yield Filter(name="state", label="State", choices=states, where=lambda state: Q(state=state))
        yield Filter(name="kind", label="Kind", choices=ApplicationKind.choices, where=lambda kind: Q(kind=kind))

    def records(self) -> QuerySet[Any]:
        actor = self.request.user
        mine = Q(applicant=actor.pk) | Q(project__in=access.led_by(actor))
        return super().records().filter(mine).select_related("project", "applicant")

    def context(self) -> dict[str, Any]:
        return {"topics": sorted({f"project:{pk}" for pk in self.records().values_list("project", flat=True)[:50]})}


@needs(SIGNED)
class ApplicationNew(View):
    """GET: the kinds, and the form of the chosen one. POST: begin a draft."""

    request: Signed

    def get(self, request: Signed, form: StartForm | None = None) -> HttpResponse:
        kind = self._kind()
        asked = request.GET.get("project", "")
        context = {
            "kind": kind,
            "about": ABOUT[kind],
            "kinds": [
                {"label": label, "about": ABOUT[value], "url": f"?kind={value}", "is_chosen": value == kind}
                for value, label in ApplicationKind.choices
            ],
            "form": form or StartForm(kind, self._projects(kind), project=asked),
            "projects": self._projects(kind),
        }
        return render(request, "projects/application_new.html", context, status=400 if form else 200)

    def post(self, request: Signed) -> HttpResponse:
        kind = self._kind()
        form = StartForm(kind, self._projects(kind), request.POST)
        if form.is_valid():
            wish = dict(form.cleaned_data)
            if name := wish.pop("project", ""):
                wish["project"] = next(each for each in self._projects(kind) if each.name == name)
            try:
                draft = services.start_application(actor=request.user, kind=kind, **wish)
            except CloudmeshError as error:
                about = str(error.facts.get("field", ""))
                form.add_error(about if about in form.fields else None, error.message)
            else:
                return redirect("projects:application-edit", draft.pk)
        return self.get(request, form)

    def _kind(self) -> str:
        kind = self.request.GET.get("kind", ApplicationKind.NEW)
        return kind if kind in ApplicationKind.values else ApplicationKind.NEW

    def _projects(self, kind: str) -> Sequence[Project]:
        """Those that this kind can be asked for."""
        if kind == ApplicationKind.NEW:
            return []
        actor = self.request.user
        return list(Project.objects.filter(pk__in=access.led_by(actor), state__in=STATES_FOR[kind]).order_by("name"))


# -- its sections ------------------------------------------------------------------------------------------------


@needs("application.edit")
@require_safe
def application_edit(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """Go on where the first answer is missing."""
    application = access.fetch(Application, pk, actor=request.user, permission="application.edit")
    missing = services.application_gaps(application)
    first = missing[0].section if missing else sections_of(application.kind)[0]
    return redirect("projects:application-section", pk, first.name)


@needs("application.edit")
class ApplicationSection(View):
    """GET: the form of one section. POST: keep its answers; as one types, or to go on."""

    request: Signed

    def get(self, request: Signed, pk: uuid.UUID, section: str) -> HttpResponse:
        application, chosen = self._thing(pk, section)
        if application.state not in EDITABLE:
            return redirect("projects:application-detail", pk)
        return self._page(application, chosen, self._form(application, chosen))

    def post(self, request: Signed, pk: uuid.UUID, section: str) -> HttpResponse:
        application, chosen = self._thing(pk, section)
        form = self._form(application, chosen, request.POST)
        if not form.is_valid():
            return self._refuse(application, chosen, form)
        version = request.POST.get("version", "")
        services.save_draft(
            actor=request.user,
            application=application,
            answers={chosen.name: form.answers},
            version=int(version) if version.isdecimal() and len(version) < 10 else None,
        )
        if not is_htmx(request):
            return redirect(self._next(application, chosen))
        if "go" in request.POST:
            return HttpResponse(status=204, headers={"HX-Redirect": self._next(application, chosen)})
        context = self._context(application, chosen) | {"is_saved": True}
        return render(request, "projects/_sections.html", context)

    def _thing(self, pk: uuid.UUID, name: str) -> tuple[Application, Section]:
        application = access.fetch(Application, pk, actor=self.request.user, permission="application.edit")
        known = {section.name: section for section in sections_of(application.kind)}
        if name not in known:
            raise NotFound(f"{application} has no section {name[:40]!r}; it has: {', '.join(known)}.")
        return application, known[name]

    def _form(self, application: Application, section: Section, data: Any = None) -> SectionForm:
        answers = services.whole_application(application).get(section.name, {})
        has_limits = any(question.kind == Kind.LIMITS for question in section.questions)
        scopes = quota.scopes(quota.measure(application.project)) if has_limits else ()
        return SectionForm(section, data, answers=answers, scopes=scopes)

    def _refuse(self, application: Application, section: Section, form: SectionForm) -> HttpResponse:
        if is_htmx(self.request):
            name, sentences = next(iter(form.errors.items()))
            raise Invalid(" ".join(map(str, sentences)), field=name)
        return self._page(application, section, form, status=400)

    def _page(self, application: Application, section: Section, form: SectionForm, status: int = 200) -> HttpResponse:
        context = {**self._context(application, section), "form": form}
        return render(self.request, "projects/application_edit.html", context, status=status)

    def _context(self, application: Application, section: Section) -> dict[str, Any]:
        gaps = services.application_gaps(application)
        return {
            "application": application,
            "section": section,
            "steps": steps(application, section, [gap.section.name for gap in gaps]),
            "gaps": gaps,
            "is_last": section == sections_of(application.kind)[-1],
        }

    def _next(self, application: Application, section: Section) -> str:
        sections = sections_of(application.kind)
        place = sections.index(section) + 1
        if self.request.POST.get("go") == "on" and place < len(sections):
            return reverse("projects:application-section", args=[application.pk, sections[place].name])
        return reverse("projects:application-detail", args=[application.pk])


def steps(application: Application, here: Section, missing: Sequence[str]) -> list[Step]:
    """The sections, with how many answers each still lacks."""
    return [
        Step(
            section.label,
            reverse("projects:application-section", args=[application.pk, section.name]),
            is_done=section.name not in missing,
            is_here=section == here,
            missing=missing.count(section.name),
        )
        for section in sections_of(application.kind)
    ]


# -- one application ---------------------------------------------------------------------------------------------


@needs("application.view")
@require_safe
def application_detail(request: Signed, pk: uuid.UUID) -> HttpResponse:
    application = access.fetch(Application, pk, actor=request.user, permission="application.view")
    context = {
        **told(application, request.user),
        "events": access.visible(Event, request.user).filter(object_id=application.pk).order_by("-pk")[:RECENT],
        "gaps": services.application_gaps(application) if application.state in EDITABLE else [],
        "path": _path(application),
        "may_review": access.may(request.user, "application.review") and application.state != ApplicationState.DRAFT,
    }
    return render(request, "projects/application_detail.html", context)


@needs("application.edit")
@require_POST
def application_submit(request: Signed, pk: uuid.UUID) -> HttpResponse:
    application = access.fetch(Application, pk, actor=request.user, permission="application.edit")
    services.submit_application(actor=request.user, application=application)
    return _done(request, application, "Submitted", "The committee was told; you will hear from it.")


@needs("application.edit")
@require_POST
def application_withdraw(request: Signed, pk: uuid.UUID) -> HttpResponse:
    application = access.fetch(Application, pk, actor=request.user, permission="application.edit")
    services.withdraw_application(actor=request.user, application=application)
    return _done(request, application, "Withdrawn", "")


@needs("application.edit")
@require_POST
def application_again(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """Apply once more, from the answers of an application that was withdrawn or denied."""
    old = access.fetch(Application, pk, actor=request.user, permission="application.edit")
    draft = services.start_application(actor=request.user, kind=old.kind, project=old.project, answers=old.answers)
    url = reverse("projects:application-edit", args=[draft.pk])
    return HttpResponse(status=204, headers={"HX-Redirect": url}) if is_htmx(request) else redirect(url)


@needs("application.answer")
@require_POST
def application_remark(request: Signed, pk: uuid.UUID) -> HttpResponse:
    application = access.fetch(Application, pk, actor=request.user, permission="application.answer")
    services.remark(actor=request.user, application=application, text=request.POST.get("text", ""))
    return _done(request, application, "Sent", "")


def told(application: Application, actor: User) -> dict[str, Any]:
    """What both the applicant's and the committee's page show of an application."""
    measured = quota.measure(application.project) if application.kind == ApplicationKind.ALLOCATION else None
    seen = access.visible(Remark, actor).filter(application=application)
    remarks = list(seen.select_related("author").order_by("at", "pk"))
    why_not_edit = access.why_not(actor, "application.edit", application.project, owner_id=application.owner_id)
    return {
        "application": application,
        "sections": _answers(application),
        "differences": services.application_differences(application),
        "limits": services.asked_limits(application, measured.labels) if measured else [],
        "remarks": remarks,
        "said": sum(remark.author_id == actor.pk for remark in remarks),  # a form that is sent makes place for another
        "may_edit": not why_not_edit and application.state in EDITABLE,
        "may_withdraw": not why_not_edit and application.state in OPEN,
        "may_answer": not why_not_edit and application.state != ApplicationState.DRAFT,
        "may_again": not why_not_edit
        and application.state in (ApplicationState.WITHDRAWN, ApplicationState.DENIED)
        and application.project.state in STATES_FOR[ApplicationKind(application.kind)],
    }


def _answers(application: Application) -> list[tuple[Section, list[Told]]]:
    """What was answered; of a change only that, without the diff's own part."""
    answers = application.answers
    found = [(section, _told(section, answers.get(section.name, {}))) for section in sections_of(application.kind)]
    return [(section, rows) for section, rows in found if rows]


def _told(section: Section, answers: Mapping[str, Any]) -> list[Told]:
    return [
        Told(question.label, question.shown(answers[question.name]), question.kind == Kind.LINES)
        for question in section.questions
        if question.name in answers
        and question.kind != Kind.LIMITS
        and (answers[question.name] not in ("", []) or question.required)
    ]


def _path(application: Application) -> list[Step]:
    """The states on the way, ending with what it is if that is another one."""
    state = application.state
    ends = [each for each in (state,) if each not in PATH]
    states: list[str] = [*PATH[:2], *ends] if ends else list(PATH)
    at = states.index(state)
    return [
        Step(ApplicationState(each).label, "", is_done=place < at, is_here=place == at)
        for place, each in enumerate(states)
    ]


def _done(request: Signed, application: Application, title: str, detail: str) -> HttpResponse:
    """To the application's page, or a word on it when one is there already."""
    back = reverse("projects:application-detail", args=[application.pk])
    if is_htmx(request) and not request.headers.get("HX-Current-URL", "").endswith(back):
        return HttpResponse(status=204, headers={"HX-Redirect": back})
    return answer(request, title, detail=detail, back=back)


__all__ = [
    "ApplicationList",
    "ApplicationNew",
    "ApplicationSection",
    "Difference",
    "application_again",
    "application_detail",
    "application_edit",
    "application_remark",
    "application_submit",
    "application_withdraw",
    "told",
]
