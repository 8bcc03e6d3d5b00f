"""Jobs and experiments over REST: submitting, changing and looking at them, and reading what they write."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.models import User
from activity.api import Filter, Lists, Signed, check_parameters, one, wanted_fields
from activity.views import SIGNED
from cloudmesh.errors import Invalid, NotFound, near
from cloudmesh.types import Json
from hpc import services
from hpc.api.answers import STATES, Everything, ExperimentAnswer, JobAnswer, JobPlanAnswer, JobsAsked, JobWhole
from hpc.api.clusters import NAMED, at_clusters
from hpc.api.wishes import WANTED, JobRequest, JobsRequest, NumbersRequest, PathRequest, ReadRequest
from hpc.models import LIVE, Experiment, Job, Template
from operations.api import NOTHING, Accepted, accepted
from operations.models import Operation
from projects import access
from projects.access import naming
from projects.api import IN_PROJECT
from projects.models import Project

NOT_ENDED = "live"
MOST = 2**31  # what a number of an experiment can be


def _owner(actor: User, text: str) -> Q:
    return Q(owner__username__in=[actor.username if name == "me" else name for name in text.split(",")])


def in_states(path: str) -> Filter:
    """Several states, or all that are not the last."""

    def narrow(actor: User, text: str) -> Q:
        wanted: set[str] = set()
        for part in map(str.strip, text.split(",")):
            if part not in (*STATES, NOT_ENDED):
                known = ", ".join((NOT_ENDED, *STATES))
                raise Invalid(f"state is one of {known}; not {part[:40]!r}.{near(part[:40], STATES)}", field="state")
            wanted.update(LIVE if part == NOT_ENDED else [part])
        return Q(**{f"{path}__in": wanted})

    return Filter(f"Any of {', '.join(STATES)}, or {NOT_ENDED}; several with commas between.", narrow)


def _with_ids(actor: User, text: str) -> Q:
    ids = text.split(",")
    return Q(provider_id__in=ids) | Q(pk__in=[id for id in ids if naming.ID.fullmatch(id)])


class Jobs(Lists):
    """Jobs at all clusters."""

    by_project = True
    permissions = {
        "list": SIGNED,
        "retrieve": SIGNED,
        "create": "job.submit",
        "plan": "job.submit",
        "forecast": "job.submit",
        "bulk": SIGNED,
        "act": "job.change",
        "read": "job.read",
        "files": "job.read",
    }
    serializer_class = JobAnswer
    lookup_url_kwarg = "id"
    filters = {
        "id": Filter("With these ids, of the portal or the scheduler; several with commas between.", _with_ids),
        "cluster": at_clusters("cluster"),
        "queue": Filter("In these queues; several with commas between.", lambda a, text: Q(queue__in=text.split(","))),
        "state": in_states("state"),
        "project": IN_PROJECT,
        "owner": Filter("Of this person, or `me`; several with commas between.", _owner),
        "login": Filter("Of these logins at the cluster.", lambda a, text: Q(login__in=text.split(","))),
        "name": NAMED,
    }
    searched = {"name": "name", "provider_id": "provider_id", "login": "login", "queue": "queue"}
    orders = {"created_at": "created_at", "name": "name", "state": "state", "queue": "queue"}
    ordering = "-created_at"

    def records(self, request: Signed) -> QuerySet[Job]:
        return services.light_jobs(access.visible(Job, request.user))

    def facts(self, records: Sequence[Job]) -> list[services.JobFacts]:
        services.watch(scheduler_ids={job.scheduler_id for job in records})
        return services.job_facts(records)

    @extend_schema(request=JobRequest, responses={202: JobsAsked})
    def create(self, request: Signed) -> Response:
        """Submit a job: a script, a command, or what a template comes to."""
        return self._asked(services.submit_job(**_wish(request)))

    @extend_schema(request=JobRequest, responses=JobPlanAnswer)
    @action(detail=False, methods=["post"])
    def plan(self, request: Signed) -> Response:
        """What a submission would come to: as whom, what policies say, how it fits the quotas. Nothing is taken."""
        wish = _wish(request)
        wish.pop("if_down", None)
        return Response(JobPlanAnswer.row(services.plan_job(**wish)))

    @extend_schema(request=JobRequest, responses={202: Accepted})
    @action(detail=False, methods=["post"])
    def forecast(self, request: Signed) -> Response:
        """Ask the scheduler what would become of a job; the operation's result has start, hosts and text."""
        wish = _wish(request)
        wish.pop("if_down", None)
        return accepted(services.forecast_job(**wish))

    @extend_schema(responses=JobWhole, parameters=[OpenApiParameter("cluster", description="Where the id is meant")])
    def retrieve(self, request: Signed, id: str) -> Response:
        """One job with all that is known of it: by id, by its scheduler's id, or by name while it lives."""
        check_parameters(request, ["cluster", "fields"])
        job = self._job(id)
        script = job.script if services.may(actor=request.user, job=job, permission="job.read") else ""
        [facts] = self.facts([job])
        whole = Everything(facts, services.job_abilities(job), script)
        return Response(JobWhole.row(whole, wanted_fields(request, JobWhole)))

    @extend_schema(request=JobsRequest, responses={202: JobsAsked})
    @action(detail=False, methods=["post"])
    def bulk(self, request: Signed) -> Response:
        """Cancel, hold or release many jobs."""
        wish, user = JobsRequest.parse(request), request.user
        named, at = wish.get("project", ""), wish.get("cluster", "")
        project = access.project_named(user, named, permission="project.view") if named else None
        cluster = services.find_cluster(actor=user, name=at) if at else None
        found = services.find_jobs(
            actor=user, names=wish["jobs"], permission="job.change", cluster=cluster, project=project
        )
        return self._asked(services.change_jobs(actor=user, jobs=found, action=wish["action"]))

    @extend_schema(
        operation_id="jobs_act",
        request=NOTHING,
        responses={202: JobsAsked},
        parameters=[OpenApiParameter("act", str, OpenApiParameter.PATH, enum=list(services.ACTIONS))],
    )
    def act(self, request: Signed, id: str, act: str) -> Response:
        """Cancel, hold or release a job."""
        if act not in services.ACTIONS:
            known = ", ".join(services.ACTIONS)
            raise NotFound(f"There is no action {act[:40]!r}; there are: {known}.{near(act[:40], services.ACTIONS)}")
        return self._asked(services.change_jobs(actor=request.user, jobs=[self._own(id, "job.change")], action=act))

    @extend_schema(request=ReadRequest, responses={202: Accepted})
    @action(detail=True, methods=["post"])
    def read(self, request: Signed, id: str) -> Response:
        """Ask for a part of what a job wrote; the operation's result has it."""
        wish = ReadRequest.parse(request)
        wish["is_raw"] = wish.pop("raw", False)
        return accepted(services.read_job_file(actor=request.user, job=self._own(id, "job.read"), **wish))

    @extend_schema(request=PathRequest, responses={202: Accepted})
    @action(detail=True, methods=["post"])
    def files(self, request: Signed, id: str) -> Response:
        """Ask what is in the directory of a job's experiment; the operation's result has it."""
        wish = PathRequest.parse(request)
        return accepted(services.list_job_files(actor=request.user, job=self._own(id, "job.read"), **wish))

    def _own(self, id: str, permission: str) -> Job:
        [job] = services.find_jobs(actor=self.request.user, names=[str(self._job(id).pk)], permission=permission)
        return job

    def _job(self, id: str) -> Job:
        user, named = self.request.user, self.request.query_params.get("cluster", "")
        cluster = services.find_cluster(actor=user, name=named) if named else None
        return services.find_job(actor=user, name=id, cluster=cluster)

    def _asked(self, operation: Operation) -> Response:
        parts = operation.children.all() if operation.is_batch else Operation.objects.filter(pk=operation.pk)
        found = services.light_jobs(Job.objects.filter(pk__in=parts.values("target_id"))).order_by("pk")
        return accepted(operation, jobs=JobAnswer.rows(self.facts(list(found))))


class Experiments(Lists):
    """One's own numbered directories, and how the jobs in them went."""

    permissions = {"list": SIGNED, "retrieve": SIGNED, "remove": SIGNED}
    serializer_class = ExperimentAnswer
    lookup_url_kwarg = "number"
    lookup_value_converter = "int"
    filters = {"cluster": at_clusters("job__cluster"), "state": in_states("job__state")}
    searched = {"command": "command", "name": "job__name"}
    orders = {"number": "number"}
    ordering = "-number"

    def records(self, request: Signed) -> QuerySet[Experiment]:
        mine = access.visible(Experiment, request.user).filter(removed_at=None).select_related("job__cluster")
        return mine.defer("job__native", "job__script", "job__native_hash")

    @extend_schema(responses=ExperimentAnswer)
    def retrieve(self, request: Signed, number: int) -> Response:
        """One of them, by number."""
        found = self.records(request).filter(number=number).first() if number < MOST else None
        if found is None:
            raise NotFound(f"You have no experiment {number}.")
        return one(request, ExperimentAnswer, found)

    @extend_schema(request=NumbersRequest, responses={202: Accepted})
    @action(detail=False, methods=["post"])
    def remove(self, request: Signed) -> Response:
        """Remove the directories of experiments at their clusters, with all they hold."""
        numbers = NumbersRequest.parse(request)["numbers"]
        found = services.find_experiments(actor=request.user, numbers=numbers)
        return accepted(services.remove_experiments(actor=request.user, experiments=found))


def _wish(request: Signed) -> dict[str, Any]:
    """What was sent, as services take it. Raises what finding project, cluster and template raises."""
    wish, user = JobRequest.parse(request), request.user
    project = access.project_named(user, wish.pop("project", ""), permission="job.submit")
    if named := wish.pop("template", ""):
        wish |= _filled(user, project, named, wish)
    wish.pop("values", None)
    cluster = services.find_cluster(actor=user, name=wish.pop("cluster", ""))
    return {"script": "", **wish, "actor": user, "project": project, "cluster": cluster}


def _filled(actor: User, project: Project, name: str, wish: Json) -> Json:
    """What a template comes to with the values and what was said beside them."""
    mine = access.visible(Template, actor).filter(project=project)
    template = access.find(mine, name, actor=actor, permission="template.view", kind="template")
    said = {key: wish[key] for key in WANTED if key in wish}
    filled = services.fill_template(actor=actor, template=template, values=wish.get("values"), wanted=said)
    return {"name": template.name, **wish, **filled.wanted, "script": filled.script}
