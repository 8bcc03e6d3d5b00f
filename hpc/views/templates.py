"""Templates of jobs: what a project saved, and saving one; `wishing` makes of one what a job is asked to be."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from activity.views import SIGNED, needs
from cloudmesh.errors import CloudmeshError, Invalid, NotFound
from cloudmesh.types import Json, walltime
from hpc import services
from hpc.forms import parameters, wish
from hpc.forms.jobs import limits_text
from hpc.models import Template
from hpc.services.templates import TYPES, WANTED
from hpc.views.jobs import may_read, seen_job
from projects import access
from projects.models import Project
from projects.views import Signed, answer, dress

MORE_ROWS = 3
VALUE = "value_"  # before the name of a parameter's field


@needs(SIGNED)
@require_safe
def template_list(request: Signed) -> HttpResponse:
    project = access.default_project(request.user)
    templates = [
        dress(each, may_change=not access.why_not(request.user, "template.change", project, owner_id=each.owner_id))
        for each in templates_of(request.user, project).select_related("owner")
    ]
    return render(request, "hpc/template_list.html", {"templates": templates})


@needs(SIGNED)
class SaveTemplate(View):
    request: Signed

    def get(self, request: Signed) -> HttpResponse:
        """Empty, as the one of that name has it, or as a job was asked to be."""
        said: Json = {}
        if name := request.GET.get("template", ""):
            known = template_named(request.user, name)
            said = {"name": known.name, "label": known.label, "script": known.script, **texts(known.wanted)}
            said |= {"parameters": known.parameters, "locked": ", ".join(known.locked)}
        elif pk := request.GET.get("job", ""):
            said = _of_job(request.user, pk)
        return self._page(said)

    def post(self, request: Signed) -> HttpResponse:
        project, form = access.default_project(request.user), request.POST
        try:
            wanted = {name: value for name, value in wish(form.dict()).items() if name in WANTED}
            template = services.save_template(
                actor=request.user,
                project=project,
                name=form.get("name", "").strip(),
                label=form.get("label", "").strip(),
                script=form.get("script", "").replace("\r\n", "\n"),
                parameters=parameters(form),
                wanted=wanted | {"cluster": form.get("cluster", "").strip()},
                locked=[name.strip() for name in form.get("locked", "").split(",") if name.strip()],
            )
        except CloudmeshError as error:
            return self._page({**form.dict(), "parameters": _typed(form)}, error)
        return redirect(f"{reverse('hpc:job-submit')}?template={template}")

    def _page(self, said: Json, error: CloudmeshError | None = None) -> HttpResponse:
        project = access.default_project(self.request.user)
        rows = [{**each, "limits": limits_text(each)} for each in said.get("parameters", [])]
        context = {
            "said": said,
            "rows": [*rows, *({"type": "text"} for _ in range(MORE_ROWS))],
            "types": TYPES,
            "wanted": [(name, said.get(name, "")) for name in WANTED],
            "error": error,
            "may_lock": not access.why_not(self.request.user, "template.lock", project),
        }
        return render(self.request, "hpc/template_save.html", context, status=error.status if error else 200)


@needs("template.change")
@require_POST
def template_remove(request: Signed, pk: uuid.UUID) -> HttpResponse:
    template = access.fetch(Template, pk, actor=request.user, permission="template.change")
    services.delete_template(actor=request.user, template=template)
    return answer(request, f"The template {template} is removed", back=reverse("hpc:template-list"))


def templates_of(actor: User, project: Project) -> QuerySet[Template]:
    return access.visible(Template, actor).filter(project=project)


def template_named(actor: User, name: str) -> Template:
    """Of the project that `actor` works in. Raises NotFound."""
    found = templates_of(actor, access.default_project(actor)).filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no template {name[:64]!r} in your project.")
    return found


def wishing(actor: User, form: Mapping[str, str]) -> dict[str, Any]:
    """What a job is asked to be, by what was typed and by the template that was chosen. Raises Invalid, NotAllowed."""
    asked = wish(form) | {"cluster": form.get("cluster", "")}
    if not form.get("template"):
        return asked
    template = template_named(actor, form["template"])
    values = {name.removeprefix(VALUE): value for name, value in form.items() if name.startswith(VALUE)}
    own = {name: asked[name] for name in WANTED}
    try:
        filled = services.fill_template(actor=actor, template=template, values=values, wanted=own)
    except Invalid as error:
        if error.facts.get("field") in values:
            error.facts["field"] = f"{VALUE}{error.facts['field']}"
        raise
    return {**asked, **filled.wanted, "script": filled.script, "name": asked["name"] or template.name}


def texts(wanted: Mapping[str, Any]) -> dict[str, str]:
    """What a template asks for, as its fields show it."""
    shown = {name: str(value) for name, value in wanted.items()}
    if type(wanted.get("walltime")) is int:
        shown["walltime"] = walltime(wanted["walltime"])
    if type(wanted.get("memory")) is int:
        shown["memory"] = f"{wanted['memory']}M"
    return shown


def _of_job(actor: User, pk: str) -> Json:
    try:
        job = seen_job(actor, uuid.UUID(pk))
    except ValueError:
        raise NotFound(f"There is no job {pk[:40]!r}.") from None
    asked: Json = {"cluster": job.cluster.name, "queue": job.queue, "account": job.account, "qos": job.qos}
    asked |= {"nodes": job.nodes, "tasks": job.tasks, "cores": job.cores // (job.tasks or 1), "array": job.array}
    known = {name: value for name, value in asked.items() if value not in ("", 0, 1)}
    said = texts(known | ({"walltime": job.walltime} if job.walltime else {}))
    return {**said, "script": job.script if may_read(actor, job) else ""}


def _typed(form: QueryDict) -> Iterable[Json]:
    """The rows of parameters as they were typed, wrong or not."""
    names = ("name", "type", "label", "default", "limits")
    rows = zip(*(form.getlist(f"p_{name}") for name in names), strict=False)
    return [{**dict(zip(names, row, strict=True)), "typed": row[4]} for row in rows if row[0]]
