"""Groups: who may put what into them, and that the cloud learns of it."""

from collections.abc import Callable

import pytest

from accounts.models import User
from activity.models import Event
from cloudmesh.errors import Invalid, NotAllowed
from clouds import services
from clouds.models import CloudAccount, Server
from projects.models import Project
from tests.factories import boot, do_all_work, make_account, make_server
from tests.rest import Api

pytestmark = pytest.mark.django_db
Login = Callable[..., Api]


def test_a_group_is_there_while_it_has_servers(account: CloudAccount, member: User, lead: User) -> None:
    mine, theirs = make_server(account, member, "a", group="web"), make_server(account, lead, "b", group="web")
    make_server(account, lead, "c")
    [group] = services.groups(actor=member)
    assert (group.name, group.servers, group.project) == ("web", 2, "fg101")
    assert (sorted(group.owners), group.clouds) == (["gregor", "laszewski"], ["india"])
    services.group_servers(actor=lead, servers=[mine, theirs], group="")
    assert services.groups(actor=member) == []


def test_only_who_may_change_a_server_groups_it(account: CloudAccount, member: User, lead: User) -> None:
    mine, theirs = make_server(account, member, "a"), make_server(account, lead, "b")
    with pytest.raises(NotAllowed):
        services.group_servers(actor=member, servers=[mine, theirs], group="web")
    assert not Server.objects.filter(group="web").exists()
    services.group_servers(actor=lead, servers=[mine, theirs], group="web")
    assert set(Server.objects.values_list("group", flat=True)) == {"web"}


def test_the_cloud_learns_the_group_and_pages_hear_of_it(account: CloudAccount, member: User) -> None:
    server = boot(account, member)
    operation = services.group_servers(actor=member, servers=[server], group="web")
    assert operation
    assert operation.kind == "server.label"
    do_all_work()
    server.refresh_from_db()
    assert "'cloudmesh_group': 'web'" in str(server.native)
    assert Event.objects.filter(object_id=server.pk, verb="grouped").count() == 1
    assert services.group_servers(actor=member, servers=[server], group="web") is None


def test_what_cannot_be_a_group_is_refused(
    account: CloudAccount, member: User, lead: User, stranger: User, admin: User, project: Project
) -> None:
    with pytest.raises(Invalid, match="cannot be a group"):
        services.group_servers(actor=member, servers=[make_server(account, member)], group="a b")
    elsewhere = make_account(stranger.memberships.get().project, stranger, "far", world="india")
    both = [make_server(account, member), make_server(elsewhere, stranger)]
    with pytest.raises(Invalid, match="one project at a time"):
        services.group_servers(actor=admin, servers=both, group="web")


def test_groups_over_rest(api: Login, account: CloudAccount, member: User, stranger: User) -> None:
    make_server(account, member, "a", provider_id="")
    asking = api(member)
    answer = asking.post("servers/group/", {"servers": ["a"], "group": "web"})
    assert (answer.status, answer["operation"], answer["servers"][0]["group"]) == (200, None, "web")
    assert [(row["name"], row["servers"]) for row in asking.get("groups/").results] == [("web", 1)]
    assert api(stranger).get("groups/").results == []
    assert api(stranger).post("servers/group/", {"servers": ["a"], "group": "x"}).status == 404
