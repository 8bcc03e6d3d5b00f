"""Rules of security groups as people write them."""

import pytest

from cloudmesh.errors import Invalid
from cloudmesh.types import Rule
from clouds.services import rules


@pytest.mark.parametrize(
    ("text", "rule", "spelled"),
    [
        ("tcp:22", Rule(protocol="tcp", first_port=22, last_port=22), "tcp:22:0.0.0.0/0"),
        (" SSH ", Rule(protocol="tcp", first_port=22, last_port=22), "tcp:22:0.0.0.0/0"),
        ("http:10.1.2.3", Rule(protocol="tcp", first_port=80, last_port=80, cidr="10.1.2.3/32"), "tcp:80:10.1.2.3/32"),
        (
            "tcp:8000-8100:10.0.0.0/8",
            Rule(protocol="tcp", first_port=8000, last_port=8100, cidr="10.0.0.0/8"),
            "tcp:8000-8100:10.0.0.0/8",
        ),
        ("udp:53:::/0", Rule(protocol="udp", first_port=53, last_port=53, cidr="::/0"), "udp:53:::/0"),
        ("tcp:all", Rule(protocol="tcp"), "tcp:all:0.0.0.0/0"),
        ("tcp:1-65535", Rule(protocol="tcp"), "tcp:all:0.0.0.0/0"),
        ("icmp", Rule(protocol="icmp"), "icmp:0.0.0.0/0"),
        ("icmp:2001:db8::/32", Rule(protocol="icmp", cidr="2001:db8::/32"), "icmp:2001:db8::/32"),
        ("icmp:8-0:10.0.0.0/8", Rule(protocol="icmp", first_port=8, cidr="10.0.0.0/8"), "icmp:8-0:10.0.0.0/8"),
        ("any:192.0.2.0/24", Rule(protocol="any", cidr="192.0.2.0/24"), "any:192.0.2.0/24"),
        ("gre:10.0.0.0/8", Rule(protocol="gre", cidr="10.0.0.0/8"), "gre:10.0.0.0/8"),
    ],
)  # fmt: skip
def test_a_rule_is_read_and_spelled(text: str, rule: Rule, spelled: str) -> None:
    assert rules.parse(text) == rule
    assert rules.spell(rule) == spelled
    assert rules.parse(spelled) == rule


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no protocol"),
        ("tpc:22", r"'tpc' is no protocol.* Did you mean tcp"),
        ("gre", "'gre' is no protocol"),
        ("tcp", "names no ports: write tcp:22, tcp:8000-8100 or tcp:all"),
        ("tcp:10.0.0.0/8", "names no ports"),
        ("tcp:0", "names no ports"),
        ("tcp:70000", "Ports are 1 to 65535, not 70000"),
        ("tcp:1-70000", "Ports are 1 to 65535"),
        ("udp:90-80", "count down"),
        ("icmp:8-0", "icmp has no ports"),
        ("any:1-5", "any has no ports"),
        ("tcp:22:10.0.0.5/8", "write 10.0.0.0/8 for the network, or 10.0.0.5 for it alone"),
        ("tcp:22:10.0.0/8", "'10.0.0/8' is no network: write it like 10.0.0.0/8"),
        ("tcp:22:everybody", "'everybody' is no network"),
        ("tcp:²2", "names no ports"),
    ],
)
def test_what_is_no_rule_is_told_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as told:
        rules.parse_new([text])
    assert told.value.facts["field"] == "rules"


def test_a_rule_that_is_said_twice_is_one() -> None:
    assert len(rules.parse_new(["ssh", "tcp:22", "tcp:22:0.0.0.0/0"])) == 1


def test_there_can_be_too_many() -> None:
    with pytest.raises(Invalid, match="101 rules are too many"):
        rules.parse_new([f"tcp:{port}" for port in range(1, 102)])


@pytest.mark.parametrize(("text", "word"), [("tcp:22", "ssh"), ("udp:22", ""), ("tcp:22-23", ""), ("icmp", "")])
def test_usual_rules_have_a_word(text: str, word: str) -> None:
    assert rules.service_of(rules.parse(text)) == word
