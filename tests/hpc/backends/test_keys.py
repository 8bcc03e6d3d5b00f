"""Keys as people paste them."""

import pathlib
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmesh.errors import Invalid
from hpc.backends.keys import Identity, checked_pin, fingerprint, generate_key, private_key, public_key

KINDS = [
    ("ed25519", []),
    ("ecdsa", []),
    ("rsa", ["-b", "2048"]),
    ("rsa", ["-b", "2048", "-m", "PEM"]),
    ("ecdsa", ["-m", "PKCS8"]),
]


def made(place: pathlib.Path, kind: str, options: list[str], passphrase: str = "") -> tuple[str, str]:
    """The halves of a key that ssh-keygen made."""
    path = place / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", path, *options], check=True)
    return path.read_text(), " ".join(path.with_suffix(".pub").read_text().split()[:2])


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize("passphrase", ["", "open sesame"])
def test_keys_of_all_kinds_open(tmp_path: pathlib.Path, kind: str, options: list[str], passphrase: str) -> None:
    private, public = made(tmp_path, kind, options, passphrase)
    assert public_key(Identity(key=f"\n  {private.strip()}  ", passphrase=passphrase)) == public


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize("typed", ["", "open barley"])
def test_what_does_not_open_it_is_the_passphrase(
    tmp_path: pathlib.Path, kind: str, options: list[str], typed: str
) -> None:
    private, _ = made(tmp_path, kind, options, "open sesame")
    with pytest.raises(Invalid, match="passphrase") as refusal:
        private_key(Identity(key=private, passphrase=typed))
    assert refusal.value.facts == {"field": "passphrase"}


def test_a_key_that_was_made_is_one(tmp_path: pathlib.Path) -> None:
    private, public = generate_key()
    (tmp_path / "key").write_text(private)
    (tmp_path / "key").chmod(0o600)
    told = subprocess.run(["ssh-keygen", "-yf", tmp_path / "key"], capture_output=True, text=True, check=True).stdout
    assert told.split()[:2] == public.split()[:2]
    assert public == f"{public_key(Identity(key=private))} cloudmesh"
    assert public.startswith("ssh-ed25519 ")
    assert generate_key()[0] != private


def test_the_public_half_is_told_from_the_private() -> None:
    with pytest.raises(Invalid, match="public half"):
        private_key(Identity(key=generate_key()[1]))


@given(
    text=st.one_of(
        st.text(max_size=200),
        st.binary(max_size=200).map(
            lambda data: f"-----BEGIN OPENSSH PRIVATE KEY-----\n{data.hex()}\n-----END OPENSSH PRIVATE KEY-----"
        ),
    )
)
def test_what_is_no_key_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(Invalid, match=r"\w+ \w+") as refusal:
        private_key(Identity(key=text))
    assert refusal.value.facts["field"] in ("key", "passphrase")


def test_a_damaged_key_is_refused_without_being_told() -> None:
    lines = generate_key()[0].splitlines()
    damaged = "\n".join([lines[0], lines[1][::-1], *lines[2:]])
    with pytest.raises(Invalid) as refusal:
        private_key(Identity(key=damaged))
    assert lines[2] not in refusal.value.message


def test_a_pin_is_a_key_or_a_fingerprint(tmp_path: pathlib.Path) -> None:
    _, public = generate_key()
    pin = checked_pin(f"  {public}\n")
    assert pin == public.removesuffix(" cloudmesh")
    assert checked_pin(fingerprint(pin)) == fingerprint(pin) == fingerprint(fingerprint(pin))
    (tmp_path / "key.pub").write_text(public)
    told = subprocess.run(["ssh-keygen", "-lf", tmp_path / "key.pub"], capture_output=True, text=True, check=True)
    assert fingerprint(pin) == told.stdout.split()[1]


@given(text=st.text(max_size=100))
def test_what_is_no_pin_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="no host key") as refusal:
        checked_pin(text)
    assert refusal.value.facts == {"field": "host_key"}
