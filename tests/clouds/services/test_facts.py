"""What rows show beside the record: right, and with as many questions for 100 servers as for one."""

import datetime

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from clouds import services
from clouds.models import CloudAccount, Flavor, Server, Sync
from projects.models import Quota
from tests import factories


def facts_of(server: Server) -> services.ServerFacts:
    return services.server_facts([Server.objects.get(pk=server.pk)])[0]


def test_a_server_shows_the_names_of_its_image_and_flavor(server: Server) -> None:
    facts = facts_of(server)
    assert (facts.image, facts.flavor) == ("ubuntu-24.04", "m1.small")


def test_an_image_that_nobody_knows_any_more_is_shown_by_its_id(account: CloudAccount, member: User) -> None:
    server = factories.make_server(account, member, image="gone-1", flavor="m1.small")
    facts = facts_of(server)
    assert (facts.image, facts.flavor) == ("gone-1", "m1.small")


def test_a_server_is_as_new_as_the_last_word_from_its_cloud(server: Server) -> None:
    read_at = timezone.now() - datetime.timedelta(seconds=40)
    Sync.objects.filter(account=server.account, kind=Sync.Kind.SERVERS).update(done_at=read_at)
    Server.objects.filter(pk=server.pk).update(seen_at=read_at - datetime.timedelta(hours=1))
    assert facts_of(server).seen_at == read_at
    Server.objects.filter(pk=server.pk).update(seen_at=read_at + datetime.timedelta(seconds=30))
    assert facts_of(server).seen_at == read_at + datetime.timedelta(seconds=30)


def test_a_server_that_its_cloud_does_not_list_is_not_made_young_by_reading(server: Server) -> None:
    seen = timezone.now() - datetime.timedelta(hours=1)
    Server.objects.filter(pk=server.pk).update(seen_at=seen, missing_since=timezone.now())
    assert facts_of(server).seen_at == seen


def test_a_server_shows_what_is_being_done_to_it(server: Server, member: User) -> None:
    operation = services.change_servers(actor=member, servers=[server], action="stop")
    assert facts_of(server).operation == operation


def test_many_servers_need_as_many_questions_as_one(account: CloudAccount, member: User) -> None:
    def questions(count: int) -> int:
        servers = list(services.light(Server.objects.all())[:count])
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert len([(f.server.account.cloud.name, f.server.owner) for f in services.server_facts(servers)]) == count
        return len(asked)

    factories.make_servers(account, member, 100)
    assert questions(100) == questions(1) <= 6


def test_a_cloud_shows_its_servers_by_state_and_what_they_take(account: CloudAccount, member: User) -> None:
    factories.make_servers(account, member, 2)
    factories.make_server(account, member, state="error", provider_id="")
    factories.make_server(account, member, state="deleted")
    flavor = Flavor.objects.get(account=account, name="m1.small")
    [facts] = services.account_facts([CloudAccount.objects.get(pk=account.pk)])
    assert (facts.states, facts.servers) == ({"active": 2, "error": 1}, 3)
    assert facts.limits["instances"] == services.facts.Use(used=2, limit=50)
    assert facts.limits["ram"].used == 2 * flavor.ram


def test_of_two_limits_the_lower_one_counts(account: CloudAccount) -> None:
    Quota.objects.create(project=account.project, scope=account.lane, resource="cores", limit=8)
    [facts] = services.account_facts([account])
    assert facts.limits["cores"].limit == 8
