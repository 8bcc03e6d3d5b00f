"""What a real OpenStack (2026.1) answered to all kinds of wrong wishes, and what others are known to answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmesh.errors import Busy, DriverError, Full, Gone, Refused, Rejected
from clouds.drivers.openstack.failures import LONGEST_MESSAGE, failure, understood
from tests.clouds.drivers.openstack.replay import recorded

RECORDED = {
    "bad-flavor": (Rejected, "Flavor none could not be found."),
    "bad-image": (Rejected, "Can not find requested image"),
    "bad-key": (Rejected, "Keypair data is invalid: failed to generate fingerprint"),
    "bad-name": (Rejected, "Invalid input for field/attribute name"),
    "bad-rule": (Gone, "does not exist"),
    "floating-ip-changed": (Rejected, "Constrained to 9999"),
    "key-exists": (Rejected, "Key pair 'gregor' already exists."),
    "network-quota": (Full, "Quota exceeded for resources: ['security_group']."),
    "no-image": (Gone, "No image found with ID 00000000-0000-4000-8000-000000000000"),
    "no-network": (Gone, "Network 00000000-0000-4000-8000-000000000000 could not be found."),
    "no-server": (Gone, "Instance 00000000-0000-4000-8000-000000000000 could not be found."),
    "quota": (Full, "Quota exceeded for instances: Requested 11, but already used 0 of 10 instances"),
    "quota-of-three": (Full, "Quota exceeded for cores, instances, ram: Requested 48"),
    "reader": (Rejected, "Policy doesn't allow os_compute_api:servers:create to be performed."),
    "rule-exists": (Rejected, "Security group rule already exists."),
    "start-active": (Rejected, "while it is in vm_state active"),
    "stop-error": (Busy, "is not ready"),
    "unknown-microversion": (Rejected, "Version 2.999 is not supported by the API."),
    "wrong-password": (Refused, "The request you have made requires authentication."),
}


def recorded_failure(name: str) -> DriverError:
    said = recorded("errors")[name]
    return failure(said["service"], said["status"], said["body"].encode(), {"Content-Type": said["type"]})


def test_each_recorded_error_is_expected() -> None:
    assert set(recorded("errors")) == set(RECORDED)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_recorded(name: str) -> None:
    kind, words = RECORDED[name]
    seen = recorded_failure(name)
    assert type(seen) is kind
    assert words in seen.message


def test_an_exceeded_quota_says_which_and_how_much_is_used() -> None:
    facts = {"resource": "instances", "used": 0, "limit": 10}
    assert recorded_failure("quota").facts.items() >= facts.items()
    assert recorded_failure("quota-of-three").facts.items() >= {"resource": "cores", "used": 0, "limit": 20}.items()


def test_neutrons_name_of_an_error_is_kept() -> None:
    assert recorded_failure("rule-exists").facts["code"] == "SecurityGroupRuleExists"
    assert recorded_failure("start-active").facts["code"] == 409


def neutron(kind: str, message: str = "x") -> bytes:
    return f'{{"NeutronError": {{"type": "{kind}", "message": "{message}", "detail": ""}}}}'.encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b"", Rejected),
        (401, b"", Refused),
        (403, b"", Rejected),
        (403, b'{"forbidden": {"message": "Maximum number of ports exceeded"}}', Full),
        (404, b"", Gone),
        (404, neutron("ExternalGatewayForFloatingIPNotFound"), Rejected),
        (405, b"", Rejected),
        (408, b"", Busy),
        (409, neutron("IpAddressGenerationFailure", "No more IP addresses available on network 1."), Full),
        (409, b'{"conflictingRequest": {"message": "while it is in task_state powering-off"}}', Busy),
        (409, b'{"conflictingRequest": {"message": "Instance 1 is locked"}}', Rejected),
        (413, b'{"overLimit": {"message": "Quota exceeded"}}', Full),
        (429, b"slow down", Busy),
        (500, b'{"computeFault": {"message": "Unexpected API Error."}}', Busy),
        (501, b'{"notImplemented": {"message": "Unable to suspend"}}', Rejected),
        (502, b"<html><h1>Bad Gateway</h1></html>", Busy),
        (503, b"", Busy),
        (504, b"", Busy),
        (302, b"", Rejected),
    ],
)
def test_what_others_answer(status: int, body: bytes, kind: type[DriverError]) -> None:
    seen = failure("compute", status, body, {})
    assert type(seen) is kind
    assert seen.message


def test_how_long_to_wait_is_told() -> None:
    assert failure("compute", 429, b"", {"Retry-After": "7"}).facts["retry_after"] == 7
    limited = failure(
        "compute", 413, b'{"overLimit": {"message": "This request was rate-limited."}}', {"Retry-After": "3"}
    )
    assert (type(limited), limited.facts["retry_after"]) == (Busy, 3)
    assert "retry_after" not in failure("compute", 503, b"", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}).facts


def test_a_page_for_people_becomes_a_line() -> None:
    page = b"<html><head><title>503</title><style>p {}</style></head><body><h1>Sorry</h1>Back &amp; <b>soon</b>.</body>"
    assert failure("compute", 503, page, {}).message == "Back & soon ."


@given(
    st.integers(300, 599),
    st.one_of(
        st.binary(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
            max_leaves=8,
        ).map(lambda document: json.dumps(document).encode()),
    ),
)
def test_whatever_is_answered_is_a_failure_with_words(status: int, body: bytes) -> None:
    message = failure("compute", status, body, {}).message
    assert message
    assert len(message) <= LONGEST_MESSAGE


def test_an_answer_that_is_not_as_promised_is_a_broken_one() -> None:
    with pytest.raises(Busy, match="compute did not answer as OpenStack does: KeyError 'id'"), understood("compute"):
        {}["id"]
