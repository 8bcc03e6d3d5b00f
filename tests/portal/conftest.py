"""The people and things of the walk over all doors."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Agreement, Notice, PortalRole, Session, User, Webhook
from clouds import services
from clouds.models import FloatingIp, Image, SecurityGroup, Server, Volume
from hpc import services as hpc
from hpc.models import Experiment, Login, Node, Queue, Template
from projects import services as projects
from projects.models import Application, Invitation, JoinRequest, Policy, Project, Role
from tests import factories
from tests.portal.things import Things


@pytest.fixture
def people(project: Project, lead: User, member: User, stranger: User, admin: User) -> dict[str, User | None]:
    """`member` owns what there is in the project, the others look at it from where they stand."""
    found = {"stranger": stranger, "owner": member, "lead": lead, "admin": admin}
    for name, role in (("alumni", Role.ALUMNI), ("member", Role.MEMBER), ("manager", Role.MANAGER)):
        found[name] = factories.make_user(name)
        projects.add_member(actor=lead, project=project, user=found[name], role=role)
    for role in PortalRole:
        found[role.value] = factories.make_user(role.value)
        User.objects.filter(username=role.value).update(portal_roles=[role.value])
    return {"anonymous": None, **{name: User.objects.get(pk=user.pk) for name, user in found.items()}}


@pytest.fixture
def things(server: Server, member: User, project: Project) -> Things:
    """One of each, of `member` in `project`."""
    operation = services.change_servers(actor=member, servers=[server], action="stop")
    key = factories.make_key(member)
    token, _ = accounts.issue_token(user=member, name="laptop")
    tomorrow = timezone.now() + datetime.timedelta(days=1)
    application = Application.objects.create(project=project, applicant=member, state="submitted", kind="change")
    invitation = Invitation.objects.create(project=project, digest="d" * 64, expires_at=tomorrow)
    asking = JoinRequest.objects.create(project=project, user=factories.make_user("hopeful"), state="open")
    policy = Policy.objects.create(name="bare-metal", service="machines:i[1-4]", state="draft")
    volume = Volume.objects.create(
        account=server.account, project=project, owner=member, name="data", size=1, state="available", provider_id="v1"
    )
    agreement = Agreement.objects.create(name="use", title="Terms of use", text="Be kind.")
    notice = Notice.objects.create(user=member, kind="account", title="Welcome")
    session = Session.objects.create(session_key="s" * 32, session_data="", user=member, expire_date=tomorrow)
    webhook = Webhook.objects.create(owner=member, topic=member.topic, url="https://example.org/hook", secret="")
    group = SecurityGroup.objects.create(account=server.account, owner=member, provider_id="sg-1", name="web")
    address = FloatingIp.objects.create(account=server.account, owner=member, provider_id="ip-1", name="192.0.2.1")
    own_image = Image.objects.create(account=server.account, provider_id="own", name="golden", own=True, owner=member)
    scheduler = factories.make_scheduler(project, member)
    cluster = scheduler.clusters.get()
    job = factories.make_job(scheduler, project=project, owner=member)
    login = Login.objects.create(scheduler=scheduler, user=member, name="gregor", state="active")
    node = Node.objects.create(scheduler=scheduler, name="i1", state="free")
    queue = Queue.objects.create(scheduler=scheduler, cluster=cluster, name="batch", state="open")
    experiment = Experiment.objects.create(owner=member, number=1, job=job, directory="/home/gregor/1")
    template = Template.objects.create(project=project, owner=member, name="train", script="true")
    reading = hpc.read_job_file(actor=member, job=job)
    forecast = hpc.forecast_job(actor=member, project=project, cluster=cluster, script="true")
    known: dict[tuple[str, str], Any] = {
        ("/", "secret"): "cm_unknown", ("/", "notice"): notice.pk, ("/", "webhook"): webhook.pk,
        ("/", "policy"): policy.pk, ("/images/", "pk"): own_image.pk,
        ("/", "session"): session.pk, ("/account/webhooks/", "action"): "disable",
        ("/", "token"): "unknown", ("/", "uidb64"): "eA",
        ("/servers/", "pk"): server.pk, ("/servers/", "action"): "stop",
        ("/operations/", "pk"): operation.pk, ("/keys/", "pk"): key.pk,
        ("/clouds/", "pk"): server.account.pk, ("/clouds/register/", "pk"): operation.pk,
        ("/docs/errors/", "name"): "not-found",
        ("/account/tokens/", "pk"): token.pk, ("/account/agreements/", "name"): agreement.name,
        ("/account/agreements/", "version"): agreement.version,
        ("/projects/", "name"): project.name, ("/projects/", "pk"): member.pk,
        ("/invitations/", "pk"): invitation.pk, ("/requests/", "pk"): asking.pk,
        ("/applications/", "pk"): application.pk, ("/applications/", "section"): "information",
        ("/committee/", "pk"): application.pk,
        ("/staff/accounts/", "pk"): member.pk, ("/staff/accounts/", "user"): member.pk,
        ("/staff/accounts/", "deed"): "suspend", ("/staff/approvals/", "pk"): operation.pk,
        ("/api/v1/servers/", "name"): server.name, ("/api/v1/servers/", "act"): "stop",
        ("/volumes/", "pk"): volume.pk, ("/volumes/", "deed"): "detach", ("/api/v1/volumes/", "name"): volume.name,
        ("/api/v1/clouds/", "name"): server.account.cloud.name, ("/api/v1/keys/", "name"): key.name,
        ("/api/v1/tokens/", "id"): token.pk, ("/api/v1/operations/", "id"): operation.pk,
        ("/api/v1/images/", "id"): own_image.pk,
        ("/api/v1/flavors/", "id"): server.account.flavors.first().pk,
        ("/api/v1/networks/", "id"): server.account.networks.first().pk,
        ("/api/v1/security-groups/", "id"): group.pk, ("/api/v1/addresses/", "id"): address.pk,
        ("/clusters/", "pk"): cluster.pk, ("/clusters/register/", "pk"): operation.pk, ("/nodes/", "pk"): node.pk,
        ("/logins/", "pk"): login.pk, ("/jobs/", "pk"): job.pk, ("/jobs/", "which"): "output",
        ("/jobs/", "action"): "cancel", ("/jobs/forecast/", "pk"): forecast.pk, ("/jobs/parts/", "pk"): reading.pk,
        ("/jobs/templates/", "pk"): template.pk, ("/jobs/listings/", "pk"): reading.pk,
        ("/jobs/fetched/", "pk"): reading.pk, ("/jobs/data/", "pk"): reading.pk,
        ("/api/v1/clusters/", "name"): cluster.name, ("/api/v1/queues/", "id"): queue.pk,
        ("/api/v1/nodes/", "id"): node.pk, ("/api/v1/jobs/", "id"): job.pk, ("/api/v1/jobs/", "act"): "cancel",
        ("/api/v1/experiments/", "number"): experiment.number, ("/api/v1/templates/", "name"): template.name,
        ("/api/v1/schedulers/", "name"): scheduler.name, ("/api/v1/schedulers/", "user"): member.username,
        ("/secgroups/", "pk"): group.pk, ("/ips/", "pk"): address.pk,
        ("/api/v1/sections/", "kind"): "new", ("/api/v1/users/", "id"): member.pk,
        ("/api/v1/agreements/", "name"): agreement.name, ("/api/v1/applications/", "id"): application.pk,
        ("/api/v1/projects/", "name"): project.name, ("/api/v1/projects/", "user"): member.username,
        ("/api/v1/projects/<str:name>/invitations/", "id"): invitation.pk,
        ("/api/v1/projects/<str:name>/requests/", "id"): asking.pk,
    }  # fmt: skip
    watched = (Application, Invitation, JoinRequest, Policy, Notice, Session, Webhook)
    return Things(
        owner=member, project=project, watched=watched, known={name: str(value) for name, value in known.items()}
    )
