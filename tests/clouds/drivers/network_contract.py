"""What every cloud driver must do with networks, security groups and public addresses; beside `contract`.

It removes what it makes.
"""

import ipaddress
from collections.abc import Iterator

import pytest

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import FloatingIp, Rule, SecurityGroup, Server
from clouds.drivers import CloudDriver
from tests.clouds.drivers.contract import SSH, Boot, CloudContract, Connect, unique

WEB = Rule(protocol="tcp", first_port=8000, last_port=8100, cidr="192.0.2.0/24")
RULES = [
    WEB,
    Rule(protocol="udp", first_port=53, last_port=53, cidr="192.0.2.0/24"),
    Rule(protocol="tcp", cidr="203.0.113.7/32"),
    Rule(protocol="icmp", cidr="0.0.0.0/0"),
    Rule(protocol="any", cidr="198.51.100.0/24"),
    Rule(protocol="tcp", first_port=443, last_port=443, cidr="2001:db8::/32"),
    Rule(protocol="icmp", cidr="2001:db8::/32"),
]


class NetworkContract(CloudContract):
    """The whole contract."""

    minds_use = True  # a group that servers use cannot be deleted

    @pytest.fixture
    def opening(self, driver: CloudDriver) -> Iterator[SecurityGroup]:
        """A security group of this test alone."""
        if not driver.abilities["security_groups"]:
            pytest.skip(driver.abilities.reason("security_groups"))
        group = driver.ensure_security_group(unique("contract-group"), [SSH])
        yield group
        driver.delete_security_group(group.id)

    @pytest.fixture
    def reserved(self, driver: CloudDriver) -> Iterator[FloatingIp]:
        """A public address of this test alone."""
        if not driver.abilities["floating_ips"]:
            pytest.skip(driver.abilities.reason("floating_ips"))
        address = driver.reserve_floating_ip(token=unique("wish"))
        yield address
        driver.drop_floating_ip(address.id, is_used=True)

    # -- networks ------------------------------------------------------------------------------------------

    def test_networks_tell_their_ranges(self, driver: CloudDriver) -> None:
        ranges = [text for network in driver.networks() for text in network.subnets]
        assert bool(ranges) or not driver.abilities["networks"]
        assert [text for text in ranges if not ipaddress.ip_network(text).num_addresses] == []

    # -- security groups -----------------------------------------------------------------------------------

    def test_rules_come_and_go(self, driver: CloudDriver, opening: SecurityGroup) -> None:
        before = set(opening.rules)
        assert SSH in before
        for _ in range(2):
            changed = driver.change_security_group(opening.id, add=RULES)
            assert (changed.id, set(changed.rules)) == (opening.id, {*before, *RULES})
        listed = next(group for group in driver.security_groups() if group.id == opening.id)
        assert sorted(map(str, listed.rules)) == sorted(map(str, changed.rules))
        for _ in range(2):
            changed = driver.change_security_group(opening.id, remove=[SSH, *RULES])
        assert set(changed.rules) == before - {SSH}

    def test_one_rule_goes_as_another_comes(self, driver: CloudDriver, opening: SecurityGroup) -> None:
        changed = driver.change_security_group(opening.id, add=[WEB], remove=[SSH])
        assert set(changed.rules) == {*opening.rules, WEB} - {SSH}

    def test_a_rule_that_is_not_there_is_removed_without_a_word(
        self, driver: CloudDriver, opening: SecurityGroup
    ) -> None:
        assert set(driver.change_security_group(opening.id, remove=[WEB]).rules) == set(opening.rules)

    def test_a_deleted_group_is_gone(self, driver: CloudDriver, opening: SecurityGroup) -> None:
        driver.delete_security_group(opening.id)
        driver.delete_security_group(opening.id)
        assert opening.id not in {group.id for group in driver.security_groups()}
        with pytest.raises(Gone, match=r"\w"):
            driver.change_security_group(opening.id, add=[WEB])

    def test_a_group_in_use_stays(self, driver: CloudDriver, server: Server, group: str) -> None:
        if not self.minds_use:
            pytest.skip("this stand-in deletes groups that servers use; a recorded answer is tested instead")
        if not group:
            pytest.skip(driver.abilities.reason("security_groups"))
        mine = next(each for each in driver.security_groups() if each.name == group)
        with pytest.raises(Rejected, match=r"\w"):
            driver.delete_security_group(mine.id)
        assert mine.id in {each.id for each in driver.security_groups()}, server.name

    # -- public addresses ----------------------------------------------------------------------------------

    def test_an_address_is_reserved_once_for_a_wish(self, connect: Connect) -> None:
        driver = connect()
        if not driver.abilities["floating_ips"]:
            pytest.skip(driver.abilities.reason("floating_ips"))
        wish = unique("wish")
        first = driver.reserve_floating_ip(token=wish)
        try:
            second = connect().reserve_floating_ip(token=wish)
            assert (second.id, second.address, second.token) == (first.id, first.address, wish)
            listed = [ip for ip in driver.floating_ips() if ip.address == first.address]
            assert [(ip.id, ip.server, ip.token) for ip in listed] == [(first.id, "", wish)]
        finally:
            driver.drop_floating_ip(first.id)
        driver.drop_floating_ip(first.id)
        assert first.address not in {ip.address for ip in driver.floating_ips()}

    def test_a_reserved_address_is_given_taken_off_and_kept(
        self, driver: CloudDriver, server: Server, reserved: FloatingIp
    ) -> None:
        for _ in range(2):
            given = driver.assign_floating_ip(server.id, address=reserved.address)
            assert (given.address, given.server) == (reserved.address, server.id)
        self.until(lambda: reserved.address in driver.server(server.id).public_addresses, "the public address")
        with pytest.raises(Rejected, match=r"\w"):
            driver.drop_floating_ip(reserved.id)
        for _ in range(2):
            driver.unassign_floating_ip(server.id)
        self.until(lambda: reserved.address not in driver.server(server.id).addresses, "the end of the public address")
        assert [ip.server for ip in driver.floating_ips() if ip.id == reserved.id] == [""]

    def test_an_address_of_another_server_is_not_taken_from_it(
        self, driver: CloudDriver, server: Server, boot: Boot, reserved: FloatingIp
    ) -> None:
        other = self.settled(driver, boot().id, server.state)
        driver.assign_floating_ip(server.id, address=reserved.address)
        with pytest.raises(Rejected, match=reserved.address):
            driver.assign_floating_ip(other.id, address=reserved.address)
        assert [ip.server for ip in driver.floating_ips() if ip.id == reserved.id] == [server.id]
        driver.unassign_floating_ip(server.id)

    def test_an_address_that_somebody_keeps_is_left_alone(
        self, driver: CloudDriver, server: Server, reserved: FloatingIp
    ) -> None:
        given = driver.assign_floating_ip(server.id, but=[ip.address for ip in driver.floating_ips()])
        try:
            assert given.address != reserved.address
        finally:
            driver.release_floating_ip(server.id)
        assert reserved.id in {ip.id for ip in driver.floating_ips()}

    def test_a_used_address_goes_where_that_is_wanted(
        self, driver: CloudDriver, server: Server, reserved: FloatingIp
    ) -> None:
        driver.assign_floating_ip(server.id, address=reserved.address)
        driver.drop_floating_ip(reserved.id, is_used=True)
        assert reserved.id not in {ip.id for ip in driver.floating_ips()}
        self.until(lambda: reserved.address not in driver.server(server.id).addresses, "the end of the public address")

    def test_an_address_that_the_account_has_not_is_gone(self, driver: CloudDriver, server: Server) -> None:
        if not driver.abilities["floating_ips"]:
            pytest.skip(driver.abilities.reason("floating_ips"))
        with pytest.raises(Gone, match=r"192\.0\.2\.1"):
            driver.assign_floating_ip(server.id, address="192.0.2.1")
