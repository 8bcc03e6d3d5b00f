"""Clusters over REST, with the queues and nodes they have and how busy they were."""

import dataclasses
import datetime
import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.models import User
from activity.api import Answer, Few, Filter, Lists, Signed, check_parameters, few, one, one_of
from activity.views import SIGNED
from cloudmesh.errors import Invalid
from cloudmesh.types import Json, NodeState, QueueState
from hpc import services
from hpc.models import Cluster, Identity, Node, Queue, Scheduler, Way
from operations.api import NOTHING
from operations.models import CredentialState, Health
from projects import access
from projects.access import naming
from projects.models import Project

MOST_HOURS = 30 * 24


# -- answers ---------------------------------------------------------------------------------------------------


class ClusterAnswer(Answer):
    """Some queues of a scheduler, under the name that people call them by."""

    id = serializers.UUIDField(source="cluster.pk")
    name = serializers.CharField(source="cluster.name")
    scheduler = serializers.CharField(source="cluster.scheduler.name")
    label = serializers.CharField(source="cluster.scheduler.label")  # type: ignore[assignment]
    driver = serializers.CharField(source="cluster.scheduler.driver")
    way = serializers.ChoiceField(Way.choices, source="cluster.scheduler.way")
    project = serializers.CharField(source="cluster.scheduler.project.name")
    is_shared = serializers.BooleanField(source="cluster.scheduler.is_shared", help_text="For the whole portal")
    state = serializers.ChoiceField(CredentialState.choices, source="cluster.scheduler.state")
    is_enabled = serializers.BooleanField(source="cluster.scheduler.is_enabled")
    health = serializers.ChoiceField(Health.choices, source="cluster.scheduler.health")
    health_reason = serializers.CharField(source="cluster.scheduler.health_reason")
    product = serializers.CharField(source="cluster.scheduler.product", help_text="What it says of itself")
    identity = serializers.ChoiceField(Identity.choices, source="cluster.scheduler.identity")
    login = serializers.CharField(source="as_whom", help_text="As whom your jobs run; empty until you say it")
    nodes = serializers.DictField(child=serializers.IntegerField(), help_text="How many by state")
    cores = serializers.IntegerField()
    cores_used = serializers.IntegerField()
    running = serializers.IntegerField(help_text="Jobs")
    waiting = serializers.IntegerField(help_text="Jobs")
    seen_at = serializers.DateTimeField(allow_null=True, help_text="When its jobs were last read")
    age_seconds = serializers.IntegerField(allow_null=True)


class QueueAnswer(Answer):
    """Where jobs wait, and what one may ask for there; null is no limit."""

    id = serializers.UUIDField(source="queue.pk")
    name = serializers.CharField(source="queue.name")
    cluster = serializers.CharField(source="queue.cluster.name")
    state = serializers.ChoiceField([state.value for state in QueueState], source="queue.state")
    is_default = serializers.BooleanField(source="queue.is_default")
    max_walltime = serializers.IntegerField(source="queue.max_walltime", allow_null=True, help_text="Seconds")
    default_walltime = serializers.IntegerField(source="queue.default_walltime", allow_null=True, help_text="Seconds")
    max_nodes = serializers.IntegerField(source="queue.max_nodes", allow_null=True)
    nodes = serializers.IntegerField(source="queue.nodes")
    cores = serializers.IntegerField(source="queue.cores")
    cores_used = serializers.IntegerField(source="queue.cores_used")
    running = serializers.IntegerField(help_text="Jobs")
    waiting = serializers.IntegerField(help_text="Jobs")
    priority = serializers.IntegerField(source="queue.priority")
    version = serializers.IntegerField(source="queue.version")


class QueueWhole(QueueAnswer):
    """A queue with what its scheduler says of it."""

    native = serializers.DictField(source="queue.native")


class AbleAnswer(Answer):
    """Whether something can be done, and why not."""

    name = serializers.CharField()
    able = serializers.BooleanField()
    reason = serializers.CharField()


class ClusterWhole(ClusterAnswer):
    """A cluster with its queues, and what can be asked of its scheduler."""

    queues = QueueAnswer(source="queue_facts", many=True)
    abilities = serializers.ListField(child=AbleAnswer())


class NodeAnswer(Answer):
    """A machine that runs jobs."""

    id = serializers.UUIDField(source="pk")
    name = serializers.CharField()
    scheduler = serializers.CharField(source="scheduler.name")
    state = serializers.ChoiceField([state.value for state in NodeState])
    reason = serializers.CharField(source="state_reason", help_text="Why it is out of service")
    queues = serializers.ListField(child=serializers.CharField())
    cores = serializers.IntegerField()
    cores_used = serializers.IntegerField()
    memory = serializers.IntegerField(help_text="MiB")
    memory_used = serializers.IntegerField(help_text="MiB")
    gpus = serializers.IntegerField()
    gpus_used = serializers.IntegerField()
    load = serializers.FloatField(allow_null=True)
    properties = serializers.ListField(child=serializers.CharField())
    jobs = serializers.ListField(child=serializers.CharField(), help_text="Ids of the scheduler, where it tells them")
    version = serializers.IntegerField()


class NodeWhole(NodeAnswer):
    """A node with what its scheduler says of it."""

    native = serializers.DictField()


class LoadAnswer(Answer):
    """How busy a cluster was at a moment."""

    at = serializers.DateTimeField()
    running = serializers.IntegerField()
    waiting = serializers.IntegerField()
    cores_used = serializers.IntegerField()
    cores = serializers.IntegerField()


class LoadAnswers(Few):
    """The oldest first."""

    results = LoadAnswer(many=True)


@dataclasses.dataclass(frozen=True)
class Shown:
    """A cluster and what is known around it, for one reader."""

    facts: services.ClusterFacts
    as_whom: str
    queue_facts: Sequence[services.QueueFacts] = ()
    abilities: Sequence[Json] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.facts, name)


# -- end points ------------------------------------------------------------------------------------------------


def seen_at(model: type[Cluster | Scheduler | Project], path: str) -> Callable[[User, str], Q]:
    """Those of these names or ids, several with commas; NotFound with near names where there is none such."""

    def narrow(actor: User, text: str) -> Q:
        mine = access.visible(model, actor)
        found: set[Any] = set()
        for name in filter(None, map(str.strip, text.split(","))):
            ids = set(mine.filter(name=name).values_list("pk", flat=True))
            found |= ids or {access.first_named(mine, name).pk}
        return Q(**{f"{path}__in": found})

    return narrow


def at_clusters(path: str) -> Filter:
    return Filter("At this cluster, by name or id; several with commas between.", seen_at(Cluster, path))


def _node_in(actor: User, text: str) -> Q:
    """The nodes that run jobs of these clusters' queues."""
    clusters = access.visible(Cluster, actor).filter(seen_at(Cluster, "pk")(actor, text)).prefetch_related("queues")
    parts = [Q(pk__in=services.nodes_of(cluster, cluster.queues.all()).values("pk")) for cluster in clusters]
    return functools.reduce(operator.or_, parts, Q(pk__in=[]))


IN_SCHEDULER = Filter("Of this scheduler, by name or id; several with commas.", seen_at(Scheduler, "scheduler"))
NAMED = Filter("Of these names: a hostlist such as i[1-3], or globs.", lambda actor, text: naming.named(text))


class Clusters(Lists):
    """The clusters of one's projects, and those for the whole portal."""

    by_project = True
    permissions = {"list": SIGNED, "retrieve": SIGNED, "refresh": SIGNED, "loads": SIGNED}
    serializer_class = ClusterAnswer
    lookup_url_kwarg = "name"
    filters = {
        "name": NAMED,
        "scheduler": IN_SCHEDULER,
        "project": Filter("Of a scheduler that this project registered.", seen_at(Project, "scheduler__project")),
    }
    searched = {"name": "name", "label": "scheduler__label"}
    orders = {"name": "name"}
    ordering = "name"

    def records(self, request: Signed) -> QuerySet[Cluster]:
        seen = access.visible(Cluster, request.user).select_related("scheduler__project")
        return seen.defer("scheduler__credential", "scheduler__pending")

    def facts(self, records: Sequence[Cluster]) -> list[Shown]:
        services.watch(scheduler_ids={cluster.scheduler_id for cluster in records})
        user = self.request.user
        known = services.cluster_facts(records, actor=user)
        return [Shown(facts, services.who(facts.cluster.scheduler, facts.login, user)) for facts in known]

    @extend_schema(responses=ClusterWhole)
    def retrieve(self, request: Signed, name: str) -> Response:
        """One cluster, by name or id, with its queues."""
        [shown] = self.facts([self._cluster(name)])
        for queue in shown.facts.queues:
            queue.cluster = shown.facts.cluster  # its name is asked of each
        queues = services.queue_facts(shown.facts.queues)
        whole = dataclasses.replace(shown, queue_facts=queues, abilities=_abilities(shown.facts.cluster.scheduler))
        return one(request, ClusterWhole, whole)

    @extend_schema(request=NOTHING, responses={202: ClusterAnswer})
    @action(detail=True, methods=["post"])
    def refresh(self, request: Signed, name: str) -> Response:
        """Read everything of a cluster's scheduler again, now."""
        cluster = self._cluster(name)
        services.refresh_scheduler(actor=request.user, scheduler=cluster.scheduler)
        return one(request, ClusterAnswer, self.facts([cluster])[0], status=202)

    @extend_schema(responses=LoadAnswers, parameters=[OpenApiParameter("hours", int, description="24 if not given")])
    @action(detail=True, methods=["get"])
    def loads(self, request: Signed, name: str) -> Response:
        """How busy a cluster was over some hours, as many points as a chart can show."""
        check_parameters(request, ["hours"])
        since = timezone.now() - datetime.timedelta(hours=_hours(request.query_params.get("hours") or "24"))
        return few(LoadAnswer.rows(services.loads(self._cluster(name), since=since)))

    def _cluster(self, name: str) -> Cluster:
        return access.first_named(self.records(self.request), name)


class Queues(Lists):
    """The queues of all clusters."""

    by_project = True
    permissions = {"list": SIGNED, "retrieve": SIGNED}
    serializer_class = QueueAnswer
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"
    filters = {
        "cluster": at_clusters("cluster"),
        "state": one_of("state", [state.value for state in QueueState]),
        "name": NAMED,
    }
    searched = {"name": "name"}
    orders = {"name": "name", "state": "state"}
    ordering = "name"

    def records(self, request: Signed) -> QuerySet[Queue]:
        return access.visible(Queue, request.user).select_related("cluster").defer("native", "native_hash")

    def facts(self, records: Sequence[Queue]) -> list[services.QueueFacts]:
        services.watch(scheduler_ids={queue.scheduler_id for queue in records})
        return services.queue_facts(records)

    @extend_schema(responses=QueueWhole)
    def retrieve(self, request: Signed, id: Any) -> Response:
        """One queue, with what its scheduler says of it."""
        queues = access.visible(Queue, request.user).select_related("cluster")
        return one(request, QueueWhole, self.facts([access.first_named(queues, str(id))])[0])


class Nodes(Lists):
    """The machines of all clusters."""

    by_project = True
    permissions = {"list": SIGNED, "retrieve": SIGNED}
    serializer_class = NodeAnswer
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"
    filters = {
        "cluster": Filter("At this cluster, by name or id; several with commas between.", _node_in),
        "queue": Filter("That run jobs of this queue.", lambda actor, text: Q(queues__has_any_keys=text.split(","))),
        "scheduler": IN_SCHEDULER,
        "state": one_of("state", [state.value for state in NodeState]),
        "name": NAMED,
    }
    searched = {"name": "name", "reason": "state_reason"}
    orders = {"name": "name", "state": "state"}
    ordering = "name"

    def records(self, request: Signed) -> QuerySet[Node]:
        seen = access.visible(Node, request.user).select_related("scheduler")
        return seen.defer("native", "native_hash", "scheduler__credential", "scheduler__pending")

    def facts(self, records: Sequence[Node]) -> Sequence[Node]:
        services.watch(scheduler_ids={node.scheduler_id for node in records})
        return records

    @extend_schema(responses=NodeWhole)
    def retrieve(self, request: Signed, id: Any) -> Response:
        """One node, with what its scheduler says of it."""
        nodes = access.visible(Node, request.user).select_related("scheduler")
        return one(request, NodeWhole, self.facts([access.first_named(nodes, str(id))])[0])


def _abilities(scheduler: Scheduler) -> list[Json]:
    driver = services.drivers().get(scheduler.driver)
    known = driver.abilities if driver else {}
    return [{"name": name, "able": known[name], "reason": driver.abilities.reason(name)} for name in known if driver]


def _hours(text: str) -> int:
    if not text.isdecimal() or len(text) > len(str(MOST_HOURS)) or not 0 < int(text) <= MOST_HOURS:
        raise Invalid(f"hours is a whole number up to {MOST_HOURS}, not {text[:40]!r}.", field="hours")
    return int(text)
