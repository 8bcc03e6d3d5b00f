"""Rules of security groups as people write them: `tcp:22`, `tcp:8000-8100:10.0.0.0/8`, `icmp`, `ssh`."""

import dataclasses
import ipaddress
import re
from collections.abc import Iterable, Mapping

from cloudmesh.errors import Invalid, near
from cloudmesh.types import Rule
from clouds.models import SecurityGroup

#: Words for what most rules are about.
SERVICES: Mapping[str, tuple[str, int]] = {
    "ssh": ("tcp", 22),
    "http": ("tcp", 80),
    "https": ("tcp", 443),
    "dns": ("udp", 53),
    "rdp": ("tcp", 3389),
    "vnc": ("tcp", 5900),
}
PORTED, PORTLESS = ("tcp", "udp"), ("icmp", "any")
EVERY, EVERYBODY = "all", "0.0.0.0/0"
MOST_PORT = 65535
MOST_RULES = 100  # at once
_PORTS = re.compile(r"(all|[0-9]{1,9}(?:-[0-9]{1,9})?)(?::(.*))?\Z")
_CODES = re.compile(r"([0-9]{1,9}-[0-9]{1,9})(?::(.*))?\Z")  # with a dash, to be no beginning of an IPv6 network
_NAMES = {place: name for name, place in SERVICES.items()}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """A rule in words."""

    rule: str  # as `parse` reads it
    name: str
    protocol: str
    ports: str
    cidr: str


def described(group: SecurityGroup) -> list[Described]:
    """The rules of a group, in an order that stays."""
    rules = sorted((Rule(**told) for told in group.rules), key=dataclasses.astuple)
    return [
        Described(rule=spell(rule), name=service_of(rule), protocol=rule.protocol, ports=ports_of(rule), cidr=rule.cidr)
        for rule in rules
    ]


def parse(text: str) -> Rule:
    """A rule as it is listed, or as somebody writes one. Raises Invalid."""
    word, _, rest = text.strip().partition(":")
    protocol = word.lower()
    if protocol in SERVICES:
        protocol, port = SERVICES[protocol]
        return Rule(protocol=protocol, first_port=port, last_port=port, cidr=_network(rest))
    found = (_PORTS if protocol in PORTED else _CODES).match(rest)
    ports, cidr = (found[1], found[2] or "") if found else ("", rest)
    if protocol in PORTED and not ports.strip("0-"):
        raise _invalid(f"{text[:60]!r} names no ports: write {protocol}:22, {protocol}:8000-8100 or {protocol}:all.")
    first, last = _range(ports)
    return Rule(protocol=protocol, first_port=first, last_port=last, cidr=_network(cidr))


def parse_new(texts: Iterable[str]) -> list[Rule]:
    """Rules to be made, each once. Raises Invalid."""
    written = list(texts)
    if len(written) > MOST_RULES:
        raise _invalid(f"{len(written)} rules are too many at once; at most {MOST_RULES} can be given.")
    for text in written:
        _check_word(text.strip().partition(":")[0])
    rules = list(dict.fromkeys(map(parse, written)))
    for rule in rules:
        _check(rule)
    return rules


def spell(rule: Rule) -> str:
    """The rule as `parse` reads it."""
    return ":".join(filter(None, (rule.protocol, ports_of(rule), rule.cidr)))


def ports_of(rule: Rule) -> str:
    """Its ports; of icmp a type and a code, where it is not about all."""
    if not rule.first_port and not rule.last_port:
        return EVERY if rule.protocol in PORTED else ""
    if rule.protocol in PORTED and rule.first_port == rule.last_port:
        return str(rule.first_port)
    return f"{rule.first_port}-{rule.last_port}"


def service_of(rule: Rule) -> str:
    """The word for what it is about, if there is one."""
    return _NAMES.get((rule.protocol, rule.first_port), "") if rule.first_port == rule.last_port else ""


def _range(ports: str) -> tuple[int, int]:
    if ports in ("", EVERY):
        return 0, 0
    first, _, last = ports.partition("-")
    spelled = int(first), int(last or first)
    return (0, 0) if spelled == (1, MOST_PORT) else spelled


def _network(text: str) -> str:
    """The network in one spelling, everybody where none is said; one address is a network of its own."""
    if not text:
        return EVERYBODY
    try:
        return str(ipaddress.ip_network(text.strip()))
    except ValueError:
        pass
    try:
        machine = ipaddress.ip_interface(text.strip())
    except ValueError:
        raise _invalid(f"{text[:60]!r} is no network: write it like 10.0.0.0/8 or 2001:db8::/32.") from None
    raise _invalid(
        f"{text[:60]} is one machine and a mask: write {machine.network} for the network, or {machine.ip} for it alone."
    )


def _check_word(word: str) -> None:
    known = [*PORTED, *PORTLESS, *SERVICES]
    if word.lower() not in known:
        raise _invalid(
            f"{word[:40]!r} is no protocol: a rule begins with one of {', '.join(known)}.{near(word[:40], known)}"
        )


def _check(rule: Rule) -> None:
    if rule.protocol in PORTLESS and (rule.first_port or rule.last_port):
        raise _invalid(f"{rule.protocol} has no ports: write {rule.protocol}, or {rule.protocol}:{rule.cidr}.")
    ports = ports_of(rule)
    if ports not in ("", EVERY) and not 1 <= rule.first_port <= MOST_PORT >= rule.last_port >= 1:
        raise _invalid(f"Ports are 1 to {MOST_PORT}, not {ports}.")
    if rule.last_port < rule.first_port:
        raise _invalid(f"The ports {ports} count down. Write the smaller one first.")


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, field="rules")
