"""What is used when nothing is said."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cloudmesh.errors import Invalid, NotAllowed, NotFound
from clouds import defaults, services
from clouds.models import CloudAccount, Image, Server
from projects.models import Project
from tests.factories import boot, do_all_work, make_account, make_key, make_user

pytestmark = pytest.mark.django_db


def test_the_first_flavor_is_the_smallest_that_holds_the_image(
    account: CloudAccount, member: User, project: Project
) -> None:
    Image.objects.filter(account=account).update(min_ram=3000)
    assert defaults.resolve(actor=member, project=project, wanted={}).flavor.name == "m1.medium"


def test_what_somebody_chose_comes_before_what_fits(account: CloudAccount, member: User, project: Project) -> None:
    services.set_default(actor=member, project=project, key="image", value="debian-12")
    services.set_default(actor=member, project=project, key="flavor", value="m1.large")
    choice = defaults.resolve(actor=member, project=project, wanted={})
    assert (choice.image.name, choice.flavor.name) == ("debian-12", "m1.large")
    assert (choice.sources["image"], choice.sources["flavor"]) == ("own", "own")


def test_the_first_image_is_the_newest_plain_one(account: CloudAccount, member: User, project: Project) -> None:
    Image.objects.create(account=account, provider_id="special", name="ubuntu-24.04-cuda", min_ram=4096)
    assert defaults.resolve(actor=member, project=project, wanted={}).image.name == "ubuntu-24.04"


def in_force(actor: User, project: Project, key: str, cloud: str | None = None, scope: str = "own") -> tuple[str, str]:
    rows = services.defaults_in_force(actor=actor, project=project, scope=scope)
    [row] = [row for row in rows if (row.key, row.cloud) == (key, cloud)]
    return row.value, row.source


def test_own_comes_before_the_projects_and_that_before_the_portals(
    account: CloudAccount, member: User, lead: User, admin: User, project: Project
) -> None:
    services.set_default(actor=admin, project=None, key="image", value="debian-12", cloud="india", scope="portal")
    assert in_force(member, project, "image", "india") == ("debian-12", "portal")
    services.set_default(actor=lead, project=project, key="image", value="rocky-9", scope="project")
    assert in_force(member, project, "image", "india") == ("rocky-9", "project")
    services.set_default(actor=member, project=project, key="image", value="ubuntu-24.04")
    assert in_force(member, project, "image", "india") == ("ubuntu-24.04", "own")
    assert in_force(member, project, "image", "india", scope="project") == ("rocky-9", "project")
    [said] = [row for row in services.portal_defaults() if row.cloud]
    assert (said.key, said.cloud, said.value, said.source) == ("image", "india", "debian-12", "portal")
    for scope, actor in (("own", member), ("project", lead)):
        services.set_default(actor=actor, project=project, key="image", value="", scope=scope)
    services.set_default(actor=admin, project=None, key="image", value="", cloud="india", scope="portal")
    assert in_force(member, project, "image", "india") == ("ubuntu-24.04", "first")


def test_what_is_gone_gives_way_to_the_next_in_turn(
    account: CloudAccount, member: User, lead: User, project: Project
) -> None:
    services.set_default(actor=lead, project=project, key="image", value="rocky-9", scope="project")
    services.set_default(actor=member, project=project, key="image", value="debian-12")
    Image.objects.filter(account=account, name="debian-12").delete()
    assert in_force(member, project, "image", "india") == ("rocky-9", "project")
    assert services.next_boot(actor=member, project=project, wanted={}).choice.image.name == "rocky-9"


def test_a_key_and_a_security_group_can_be_of_one_cloud(account: CloudAccount, member: User, project: Project) -> None:
    make_key(member, "laptop")
    make_key(member, "desk")
    services.set_default(actor=member, project=project, key="key", value="desk", cloud="india")
    services.set_default(actor=member, project=project, key="security_group", value="web", cloud="india")
    assert in_force(member, project, "key") == ("laptop", "first")
    assert in_force(member, project, "key", "india") == ("desk", "own")
    choice = defaults.resolve(actor=member, project=project, wanted={})
    assert (str(choice.key), choice.security_group, choice.sources["security_group"]) == ("desk", "web", "own")


def test_the_last_server_is_the_one_before_once_it_is_deleted(
    account: CloudAccount, member: User, lead: User, project: Project
) -> None:
    assert in_force(member, project, "last_server") == ("", "none")
    for _ in range(2):
        boot(account, member)
    boot(account, lead)
    assert in_force(member, project, "last_server") == ("gregor_2", "own")
    services.set_default(actor=member, project=project, key="last_server", value="gregor_1")
    assert in_force(member, project, "last_server") == ("gregor_1", "own")
    boot(account, member)
    for name, before in (("gregor_3", "gregor_2"), ("gregor_2", "gregor_1")):
        services.delete_servers(actor=member, servers=[Server.objects.get(name=name)])
        do_all_work()
        assert in_force(member, project, "last_server") == (before, "first")


def test_a_name_used_again_is_another_server(account: CloudAccount, member: User, project: Project) -> None:
    first = boot(account, member, name="web")
    services.delete_servers(actor=member, servers=[first])
    do_all_work()
    second = boot(account, member, name="web")
    [last] = [each for each in services.defaults_in_force(actor=member, project=project) if each.key == "last_server"]
    assert last.id == str(second.pk) != str(first.pk)


@pytest.mark.parametrize("scope", ["project", "portal"])
def test_for_others_only_those_set_defaults_who_may(
    account: CloudAccount, member: User, project: Project, scope: str
) -> None:
    with pytest.raises(NotAllowed):
        services.set_default(actor=member, project=project, key="group", value="class", scope=scope)


def test_an_operator_sets_defaults_of_the_portal(account: CloudAccount, member: User, project: Project) -> None:
    operator = make_user("operator")
    operator.portal_roles = ["operator"]
    operator.save()
    services.set_default(actor=operator, project=None, key="format", value="yaml", scope="portal")
    assert in_force(member, project, "format") == ("yaml", "portal")
    assert services.output_format(member) == "yaml"
    with pytest.raises(NotFound, match="Did you mean debian-12"):
        services.set_default(actor=operator, project=None, key="image", value="debian", cloud="india", scope="portal")
    with pytest.raises(Invalid, match="for which cloud"):
        services.set_default(actor=operator, project=None, key="image", value="debian-12", scope="portal")
    with pytest.raises(Invalid, match="each person's own"):
        services.set_default(actor=operator, project=None, key="last_server", value="x", scope="portal")


def test_all_defaults_cost_the_same_questions_however_many_clouds(
    account: CloudAccount, member: User, project: Project
) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            services.defaults_in_force(actor=User.objects.get(pk=member.pk), project=project)
        return len(asked)

    one = questions()
    for name in ("sierra", "alamo"):
        make_account(project, member, name, world="india")
    assert questions() == one
