"""Certificates, with a real authority and a real handshake."""

import datetime
import ipaddress
import pathlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import urllib3.exceptions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cloudmesh.errors import Rejected, Unreachable
from clouds.drivers import Site
from clouds.drivers.openstack import OpenStack
from tests.clouds.drivers.openstack.replay import Replay, serving


@dataclass
class Authority:
    """Signs for itself, and for 127.0.0.1."""

    pem: str
    key: str


def authority(address: str = "127.0.0.1") -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A cloud of its own")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Authority(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())


class TlsReplay(Replay):
    scheme = "https"

    def __init__(self, signed_by: Authority, folder: pathlib.Path) -> None:
        super().__init__()
        both = folder / "server.pem"
        both.write_text(signed_by.pem + signed_by.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


@pytest.fixture(scope="module")
def trusted() -> Authority:
    return authority()


@pytest.fixture
def tls(trusted: Authority, tmp_path: pathlib.Path) -> Iterator[TlsReplay]:
    with serving(TlsReplay(trusted, tmp_path)) as server:
        assert isinstance(server, TlsReplay)
        yield server


def test_an_unknown_authority_is_not_trusted(tls: TlsReplay, site: Site) -> None:
    with pytest.raises(Rejected, match=r"certificate of 127\.0\.0\.1:\d+ is not trusted") as reason:
        OpenStack(tls.credential(), site).check()
    assert reason.value.facts["field"] == "cacert"
    assert tls.asked == []


def test_a_given_authority_is_trusted(tls: TlsReplay, site: Site, trusted: Authority) -> None:
    assert OpenStack(tls.credential(cacert=trusted.pem), site).check()


def test_only_the_given_authority_is_trusted(tls: TlsReplay, site: Site) -> None:
    with pytest.raises(Rejected, match="is not trusted"):
        OpenStack(tls.credential(cacert=authority().pem), site).check()


def test_the_certificate_must_be_of_the_host(site: Site, tmp_path: pathlib.Path) -> None:
    elsewhere = authority("192.0.2.1")
    with serving(TlsReplay(elsewhere, tmp_path)) as server, pytest.raises(Rejected, match="is not trusted"):
        OpenStack(server.credential(cacert=elsewhere.pem), site).check()


@pytest.mark.parametrize("verify", ["true", "", "yes", "True"])
def test_certificates_are_verified(tls: TlsReplay, site: Site, verify: str) -> None:
    with pytest.raises(Rejected, match="is not trusted"):
        OpenStack(tls.credential(verify=verify), site).check()


def test_verifying_can_be_switched_off_knowingly(tls: TlsReplay, site: Site) -> None:
    with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
        assert OpenStack(tls.credential(verify="False"), site).check()


@pytest.mark.parametrize("cacert", ["no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "ü"])
def test_what_is_no_certificate_is_said_to_be_none(tls: TlsReplay, site: Site, cacert: str) -> None:
    with pytest.raises(Rejected, match="CA certificate is none in PEM format"):
        OpenStack(tls.credential(cacert=cacert), site).check()


def test_a_server_without_tls_has_no_secure_connection(replay: Replay, site: Site) -> None:
    with pytest.raises(Unreachable, match="No secure connection"):
        OpenStack(replay.credential(auth_url=replay.url.replace("http", "https")), site).check()
