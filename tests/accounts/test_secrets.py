"""Sealed documents: what opens them, what does not, and how keys are changed while both are in use."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts import secrets
from accounts.secrets import KeyRing
from cloudmesh.errors import Invalid, Unreadable

OLD_KEY = base64.urlsafe_b64encode(b"o" * 32).decode()
NEW_KEY = base64.urlsafe_b64encode(b"n" * 32).decode().rstrip("=")
OLD = KeyRing.parse(f"old:{OLD_KEY}")
BOTH = KeyRing.parse(f"new:{NEW_KEY}, old:{OLD_KEY}")
NEW = KeyRing.parse(f"new:{NEW_KEY}")
PLACE = dict(tenant="project-1", record="clouds_cloudaccount:7", field="credential")
PLAIN = {"username": "gregor", "password": "s3cret ünd länger"}


@given(st.dictionaries(st.text(), st.text()), st.text(), st.text(), st.text())
def test_what_was_sealed_opens_in_its_place(plain: dict[str, str], tenant: str, record: str, field: str) -> None:
    place = dict(tenant=tenant, record=record, field=field)
    assert secrets.unseal(BOTH, secrets.seal(BOTH, plain, **place), **place) == plain


def test_a_sealed_document_shows_nothing_but_its_key_id() -> None:
    sealed = secrets.seal(OLD, PLAIN, **PLACE)
    assert sealed.startswith("1.old.")
    assert "gregor" not in sealed
    assert "username" not in sealed


def test_the_same_secret_never_looks_the_same_twice() -> None:
    assert secrets.seal(OLD, PLAIN, **PLACE) != secrets.seal(OLD, PLAIN, **PLACE)


@pytest.mark.parametrize(
    "elsewhere",
    [dict(tenant="project-2"), dict(record="clouds_cloudaccount:8"), dict(record="accounts_token:7"), dict(field="x")],
)
def test_a_moved_document_does_not_open(elsewhere: dict[str, str]) -> None:
    sealed = secrets.seal(OLD, PLAIN, **PLACE)
    with pytest.raises(Unreadable, match="belongs to another record or project"):
        secrets.unseal(OLD, sealed, **{**PLACE, **elsewhere})
    with pytest.raises(Unreadable, match="belongs to another record or project"):
        secrets.rewrap(BOTH, sealed, **{**PLACE, **elsewhere})


def test_parts_of_two_places_do_not_merge_into_one() -> None:
    sealed = secrets.seal(OLD, PLAIN, tenant="a", record="b:c", field="d")
    with pytest.raises(Unreadable):
        secrets.unseal(OLD, sealed, tenant="a", record="b", field="c:d")


@given(st.data())
def test_no_character_can_be_changed(data: st.DataObject) -> None:
    sealed = secrets.seal(BOTH, PLAIN, **PLACE)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters().filter(lambda character: character != sealed[at]))
    with pytest.raises(Unreadable):
        secrets.unseal(BOTH, sealed[:at] + other + sealed[at + 1 :], **PLACE)


def test_the_body_of_another_document_of_the_same_place_does_not_open() -> None:
    first, second = (secrets.seal(OLD, {"password": word}, **PLACE).split(".") for word in ("one", "two"))
    with pytest.raises(Unreadable):
        secrets.unseal(OLD, ".".join([*first[:3], second[3]]), **PLACE)


@pytest.mark.parametrize(
    "nonsense", ["", "1.old", "2.old.AAAA.AAAA", "1.old.?.?", "1.old..", "$encrypted$", "1.old.Ä.Ä"]
)
def test_what_was_never_sealed_is_named_as_such(nonsense: str) -> None:
    with pytest.raises(Unreadable):
        secrets.unseal(OLD, nonsense, **PLACE)


def test_a_key_that_is_not_in_the_ring_is_named() -> None:
    sealed = secrets.seal(OLD, PLAIN, **PLACE)
    with pytest.raises(Unreadable, match=r"'old', which is not in CLOUDMESH_KEYS \(new\)"):
        secrets.unseal(NEW, sealed, **PLACE)


def test_a_key_with_the_same_id_and_another_value_opens_nothing() -> None:
    sealed = secrets.seal(OLD, PLAIN, **PLACE)
    with pytest.raises(Unreadable, match="its key has another value"):
        secrets.unseal(KeyRing.parse(f"old:{NEW_KEY}"), sealed, **PLACE)


def test_keys_are_rotated_while_both_are_in_use() -> None:
    before = secrets.seal(OLD, PLAIN, **PLACE)
    during = secrets.seal(BOTH, PLAIN, **PLACE)
    assert [secrets.is_current(BOTH, sealed) for sealed in (before, during)] == [False, True]
    assert secrets.unseal(BOTH, before, **PLACE) == PLAIN
    after = secrets.rewrap(BOTH, before, **PLACE)
    assert secrets.is_current(BOTH, after)
    assert [secrets.unseal(NEW, sealed, **PLACE) for sealed in (during, after)] == [PLAIN, PLAIN]


def test_a_new_wrap_leaves_the_body_alone() -> None:
    before = secrets.seal(OLD, PLAIN, **PLACE)
    assert secrets.rewrap(BOTH, before, **PLACE).split(".")[3] == before.split(".")[3]


def test_the_ring_comes_from_the_settings(settings: Settings) -> None:
    settings.CLOUDMESH_KEYS = f"new:{NEW_KEY},old:{OLD_KEY}"
    assert secrets.ring() == BOTH
    settings.CLOUDMESH_KEYS = f"old:{OLD_KEY}"
    assert secrets.ring() == OLD


def test_the_first_key_seals() -> None:
    assert (OLD.current, BOTH.current) == ("old", "new")


def test_a_key_may_be_plain_base64_too() -> None:
    assert KeyRing.parse("a:" + base64.b64encode(b"\xfb\xff" * 16).decode()).key("a") == b"\xfb\xff" * 16


def test_a_ring_never_shows_its_keys() -> None:
    assert "ooo" not in repr(OLD)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "No key is set"),
        (" , ", "No key is set"),
        ("justakey", "not 32 bytes"),
        (f"a b:{NEW_KEY}", "ids of letters"),
        (f":{NEW_KEY}", "ids of letters"),
        ("old:c2hvcnQ", "'old' in CLOUDMESH_KEYS is not 32 bytes"),
        ("old:!!!", "'old' in CLOUDMESH_KEYS is not 32 bytes"),
        (f"old:{OLD_KEY},old:{NEW_KEY}", "names a key id twice"),
    ],
)
def test_a_malformed_ring_is_explained_without_repeating_a_key(text: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as caught:
        KeyRing.parse(text)
    assert NEW_KEY not in caught.value.message
    assert "c2hvcnQ" not in caught.value.message
