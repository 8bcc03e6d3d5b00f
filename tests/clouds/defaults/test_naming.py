"""The next name: shown before the click, and handed out to one boot only."""

import concurrent.futures
from collections.abc import Callable

import pytest
from django.db import connection

from accounts.models import User
from cloudmesh.errors import Invalid
from clouds import defaults, services
from clouds.models import CloudAccount, NameCounter, Server
from projects.models import Project, Quota
from tests.factories import at_once, make_server

BOOTS, THREADS = 100, 20


def names_of(project: Project) -> set[str]:
    return set(Server.objects.filter(project=project).values_list("name", flat=True))


def shown(actor: User, project: Project) -> str:
    return services.next_boot(actor=actor, project=project, wanted={}).name


@pytest.mark.django_db(transaction=True)
def test_a_hundred_boots_at_once_get_all_names_in_turn_the_shown_one_first(
    account: CloudAccount, member: User, project: Project
) -> None:
    Quota.objects.all().delete()
    make_server(account, member, "gregor_7")
    before = shown(member, project)

    def boot(_: int) -> str:
        try:
            return services.boot_servers(actor=member, project=project).target_name
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        handed_out = list(pool.map(boot, range(BOOTS)))
    wanted = [f"gregor_{number}" for number in range(1, BOOTS + 2) if number != 7]
    assert sorted(handed_out, key=wanted.index) == wanted
    assert Server.objects.earliest("created_at", "pk").name == "gregor_7"
    assert min(Server.objects.exclude(name="gregor_7"), key=lambda server: server.pk).name == before == "gregor_1"
    assert shown(member, project) == f"gregor_{BOOTS + 2}"


@pytest.mark.django_db(transaction=True)
def test_numbers_of_one_pattern_are_taken_once_whatever_their_width(project: Project) -> None:
    wide, narrow = defaults.Naming(pattern="web-{number}", width=3), defaults.Naming(pattern="web-{number}")
    taken = at_once(8, lambda: defaults.take_names(project, wide, 3))
    assert sorted(name for names in taken for name in names) == [f"web-{number:03}" for number in range(1, 25)]
    assert defaults.take_names(project, narrow, 1) == ["web-25"]


@pytest.mark.django_db
def test_a_boot_that_fails_gives_its_name_back(account: CloudAccount, member: User, project: Project) -> None:
    with pytest.raises(Invalid):
        services.boot_servers(actor=member, project=project, count=0)
    assert not NameCounter.objects.exists()
    assert shown(member, project) == "gregor_1"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("texts", "name"),
    [
        ({"prefix": "web"}, "web_1"),
        ({"prefix": "gregor-", "width": "3"}, "gregor-001"),
        ({"width": "3"}, "gregor_001"),
        ({"schema": "{user}-{project}-{group}-{cloud}-{number}"}, "gregor-fg101-default-india-1"),
        ({"schema": "{number}.{prefix}", "prefix": "node"}, "1.node"),
    ],
)
def test_names_look_as_chosen(
    account: CloudAccount, member: User, project: Project, texts: dict[str, str], name: str
) -> None:
    services.set_naming(actor=member, project=project, **texts)
    assert shown(member, project) == name == services.next_naming(actor=member, project=project).name
    assert services.boot_servers(actor=member, project=project).target_name == name


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"schema": "{user}"}, "has {number} once"),
        ({"schema": "{number}{number}"}, "has {number} once"),
        ({"schema": "{usr}-{number}"}, "Did you mean user"),
        ({"schema": "{user-{number}"}, "gives no names"),
        ({"schema": "{user} {number}"}, "gives no names"),
        ({"schema": "-{number}"}, "gives no names"),
        ({"schema": "x" * 63 + "{number}"}, "gives no names"),
        ({"width": "0"}, "from 1 to 9"),
        ({"width": "ten"}, "from 1 to 9"),
        ({"prefix": "-web"}, "cannot be a prefix"),
    ],
)
def test_names_that_cannot_be_are_refused(member: User, project: Project, texts: dict[str, str], words: str) -> None:
    with pytest.raises(Invalid) as caught:
        services.set_naming(actor=member, project=project, **texts)
    assert words in caught.value.message


@pytest.mark.django_db
def test_a_name_too_long_is_said_before_anything_is_taken(
    account: CloudAccount, member: User, project: Project
) -> None:
    services.set_naming(actor=member, project=project, prefix="p" * 62, schema="{prefix}-{number}")
    for ask in (services.plan_servers, services.boot_servers):
        with pytest.raises(Invalid, match=r"The next name would be 'ppp.*cm label --schema"):
            ask(actor=member, project=project)
    assert not NameCounter.objects.exists()


@pytest.mark.django_db
def test_the_number_is_set_and_taken_names_are_passed_over(
    account: CloudAccount, member: User, project: Project
) -> None:
    make_server(account, member, "gregor_42")
    services.set_naming(actor=member, project=project, number=41)
    assert services.plan_servers(actor=member, project=project, count=2).names == ["gregor_41", "gregor_43"]
    services.set_naming(actor=member, project=project, number=1)
    assert shown(member, project) == "gregor_1"
    with pytest.raises(Invalid, match="number must be between 1 and"):
        services.set_naming(actor=member, project=project, number=0)


@pytest.mark.django_db
def test_a_prefix_said_for_one_boot_counts_though_the_schema_has_none(
    account: CloudAccount, member: User, project: Project
) -> None:
    services.set_naming(actor=member, project=project, schema="{user}-{number}")
    assert services.next_boot(actor=member, project=project, wanted={"prefix": "web"}).name == "web_1"


@pytest.mark.django_db
def test_names_need_no_cloud_unless_they_have_it(member: User, project: Project, work: Callable[[], None]) -> None:
    assert services.next_naming(actor=member, project=project).name == "gregor_1"
