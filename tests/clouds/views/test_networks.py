"""Pages of networks, security groups and public addresses."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from clouds import services
from clouds.models import CloudAccount, FloatingIp, SecurityGroup
from tests import factories

Work = Callable[[], None]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def text(browser: Client, name: str, **query: str) -> str:
    answer = browser.get(reverse(f"clouds:{name}"), query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_networks_show_their_ranges_and_what_they_are_for(browser: Client, account: CloudAccount) -> None:
    page = text(browser, "network-list")
    assert "172.16.0.0/12" in page
    assert "public addresses" in page
    assert page.count('type="radio"') == 2  # no server can be in the third


def test_a_default_network_is_chosen_by_its_button(browser: Client, account: CloudAccount) -> None:
    chosen = {"key": "network", "value": "india-storage", "cloud": "india"}
    assert browser.post(reverse("clouds:default-set"), chosen, headers=HTMX).status_code == 204
    assert text(browser, "network-list").count(" checked") == 1


def test_a_group_is_made_gets_rules_and_is_deleted(
    browser: Client, account: CloudAccount, member: User, work: Work
) -> None:
    dialog = text(browser, "secgroup-new")
    assert '<option value="india">' in dialog
    made = {"name": "web", "rules": "ssh tcp:80-90", "cloud": "india"}
    assert browser.post(reverse("clouds:secgroup-new"), made, headers=HTMX).status_code == 204
    work()
    group = SecurityGroup.objects.get(name="web")
    rules = reverse("clouds:secgroup-rules", args=[group.pk])
    assert "cm secgroup rule add web" in browser.get(rules).content.decode()
    assert browser.post(rules, {"add": "icmp", "remove": "tcp:22:0.0.0.0/0"}, headers=HTMX).status_code == 204
    work()
    page = text(browser, "secgroup-list")
    assert "tcp 80-90" in page
    assert "Remove the rule icmp:0.0.0.0/0 of web" in page
    assert "tcp:22:0.0.0.0/0 of web" not in page
    deleted = browser.post(reverse("clouds:secgroup-delete", args=[group.pk]), headers=HTMX)
    assert deleted.status_code == 204
    work()
    assert not SecurityGroup.objects.filter(name="web").exists()


def test_a_wrong_rule_is_told_in_the_dialog(browser: Client, account: CloudAccount) -> None:
    answer = browser.post(reverse("clouds:secgroup-new"), {"name": "web", "rules": "tpc:22"}, headers=HTMX)
    assert answer.status_code == 400
    assert "is no protocol" in answer.content.decode() + str(answer.headers)


def test_rules_of_others_have_no_buttons(browser: Client, account: CloudAccount, lead: User) -> None:
    rule = {"protocol": "tcp", "first_port": 22, "last_port": 22, "cidr": "0.0.0.0/0"}
    SecurityGroup.objects.create(account=account, owner=lead, provider_id="sg-1", name="theirs", rules=[rule])
    page = text(browser, "secgroup-list", q="theirs")
    assert "tcp 22" in page
    assert "Remove the rule" not in page
    assert "somebody else&#x27;s" in page


def test_addresses_are_reserved_given_taken_off_and_given_back(
    browser: Client, account: CloudAccount, member: User, work: Work
) -> None:
    server = factories.boot(account, member)
    assert browser.post(reverse("clouds:ip-new"), {"count": "1", "cloud": "india"}, headers=HTMX).status_code == 204
    work()
    address = FloatingIp.objects.get()
    assert "unused" in text(browser, "ip-list")
    give = reverse("clouds:ip-give", args=[address.pk])
    assert str(server.pk) in browser.get(give).content.decode()
    assert browser.post(give, {"server": str(server.pk)}, headers=HTMX).status_code == 204
    work()
    assert f"Take it off {server}" in text(browser, "ip-list", use="used")
    refused = browser.post(reverse("clouds:ip-release", args=[address.pk]), headers=HTMX)
    assert refused.status_code == 409
    taken = browser.post(reverse("clouds:server-action", args=[server.pk, "ip-unassign"]), headers=HTMX)
    assert taken.status_code == 204
    work()
    assert browser.post(reverse("clouds:ip-release", args=[address.pk]), headers=HTMX).status_code == 204
    work()
    assert "No public addresses" in text(browser, "ip-list")


@pytest.mark.parametrize("count", ["0", "many", "51", "9" * 30])
def test_a_wrong_count_is_told(browser: Client, account: CloudAccount, count: str) -> None:
    answer = browser.post(reverse("clouds:ip-new"), {"count": count}, headers=HTMX)
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["network-list", "secgroup-list", "ip-list"])
def test_strangers_see_nothing(client: Client, account: CloudAccount, stranger: User, name: str) -> None:
    FloatingIp.objects.create(account=account, provider_id="ip-1", name="198.51.100.1")
    client.force_login(stranger)
    page = text(client, name)
    assert "198.51.100.1" not in page
    assert "india" not in page.partition("<main")[2]


@pytest.mark.parametrize("name", ["secgroup-list", "ip-list"])
def test_a_page_of_many_asks_as_much_as_one_of_few(
    browser: Client, account: CloudAccount, member: User, name: str
) -> None:
    def fill(count: int) -> None:
        start = FloatingIp.objects.count()
        servers = factories.make_servers(account, member, count)
        for number, server in enumerate(servers, start):
            used = {"server_provider_id": server.provider_id}
            FloatingIp.objects.create(
                account=account, owner=member, provider_id=f"i{number}", name=f"i{number}", **used
            )
            SecurityGroup.objects.create(account=account, owner=member, provider_id=f"g{number}", name=f"g{number}")

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            text(browser, name)
        return len(asked)

    fill(2)
    services.known_clouds(member)
    text(browser, name)
    few = questions()
    fill(30)
    assert questions() == few
