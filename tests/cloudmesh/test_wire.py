"""The guard, with real sockets; only what the name service answers is set by the tests."""

import http.server
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import urllib3

from cloudmesh.errors import Rejected
from cloudmesh.wire import allowed_addresses, guarded_pools, public_only

Answers = dict[str, list[str]]


class Site(http.server.BaseHTTPRequestHandler):
    """Tells at which address it was asked, and sends `/to/URL` on to URL."""

    def do_GET(self) -> None:
        onward = self.path.startswith("/to/")
        self.send_response(302 if onward else 200)
        if onward:
            self.send_header("Location", self.path.removeprefix("/to/"))
        self.end_headers()
        self.wfile.write(str(self.connection.getsockname()[0]).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """Of a site that answers at every loopback address."""
    with http.server.ThreadingHTTPServer(("0.0.0.0", 0), Site) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What the name service knows; each list of addresses is given once, the last one for ever."""
    answers: dict[str, list[str]] = {}
    ask = socket.getaddrinfo

    def answer(host: str, port: int, *args: int, **kwargs: int) -> list[tuple]:  # type: ignore[type-arg]
        addresses = answers.get(host, [host])
        return [found for address in addresses for found in ask(address, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return answers


def only(*allowed: str) -> Callable[[str], None]:
    def guard(address: str) -> None:
        if address not in allowed:
            raise Rejected(f"{address} is forbidden")

    return guard


def get(url: str, guard: Callable[[str], None], **options: object) -> str:
    with urllib3.PoolManager(timeout=5, **options) as manager:
        manager.pool_classes_by_scheme = guarded_pools(guard)
        return manager.request("GET", url, retries=urllib3.Retry(connect=0, redirect=2)).data.decode()


def test_an_allowed_address_is_reached(port: int) -> None:
    assert get(f"http://127.0.0.2:{port}/", only("127.0.0.2")) == "127.0.0.2"


def test_a_forbidden_address_is_never_connected_to(port: int) -> None:
    with pytest.raises(Rejected, match=r"127\.0\.0\.1 is forbidden"):
        get(f"http://127.0.0.1:{port}/", only("127.0.0.2"))


@pytest.mark.parametrize("spelling", ["0x7f000001", "2130706433", "127.1", "017700000001", "localhost"])
def test_other_spellings_of_loopback_are_seen_as_what_they_are(port: int, spelling: str) -> None:
    with pytest.raises(Rejected, match="not a public address"):
        get(f"http://{spelling}:{port}/", public_only)


def test_of_two_addresses_only_the_allowed_one_is_used(port: int, names: Answers) -> None:
    names["cloud.example"] = ["127.0.0.1", "127.0.0.2"]
    assert get(f"http://cloud.example:{port}/", only("127.0.0.2")) == "127.0.0.2"


def test_the_second_address_is_tried_when_the_first_does_not_answer(names: Answers) -> None:
    names["cloud.example"] = ["127.0.0.3", "127.0.0.2"]
    with http.server.ThreadingHTTPServer(("127.0.0.2", 0), Site) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        answer = get(f"http://cloud.example:{server.server_port}/", only("127.0.0.2", "127.0.0.3"))
        server.shutdown()
    assert answer == "127.0.0.2"


def test_a_name_that_changes_its_mind_is_connected_to_where_the_guard_looked(port: int, names: Answers) -> None:
    names["rebind.example"] = ["127.0.0.2"]

    def guard(address: str) -> None:
        names["rebind.example"] = ["127.0.0.1"]

    assert get(f"http://rebind.example:{port}/", guard) == "127.0.0.2"


def test_a_redirect_is_guarded_like_the_first_request(port: int) -> None:
    with pytest.raises(Rejected, match=r"127\.0\.0\.1 is forbidden"):
        get(f"http://127.0.0.2:{port}/to/http://127.0.0.1:{port}/", only("127.0.0.2"))


def test_an_allowed_redirect_is_followed(port: int) -> None:
    guard = only("127.0.0.2", "127.0.0.1")
    assert get(f"http://127.0.0.2:{port}/to/http://127.0.0.1:{port}/", guard) == "127.0.0.1"


def test_tls_is_guarded_too(port: int) -> None:
    with pytest.raises(Rejected):
        get(f"https://127.0.0.1:{port}/", only("127.0.0.2"))


def test_a_refused_connection_and_an_unknown_name_stay_urllib3s_errors(names: Answers) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(urllib3.exceptions.MaxRetryError) as caught:
            get(f"http://127.0.0.1:{unused.getsockname()[1]}/", only("127.0.0.1"))
    assert isinstance(caught.value.reason, urllib3.exceptions.NewConnectionError)
    with pytest.raises(urllib3.exceptions.MaxRetryError) as caught:
        get(f"http://{'x' * 70}.invalid/", only())
    assert isinstance(caught.value.reason, urllib3.exceptions.NameResolutionError)


INSIDE = """
    0.0.0.0 10.1.2.3 100.64.0.1 100.100.100.200 127.0.0.1 127.9.9.9 168.63.129.16 169.254.169.254 172.16.0.1
    172.31.255.255 192.0.0.192 192.0.2.1 192.168.1.1 198.18.0.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 fc00::1 fd00:ec2::254 fe80::1
    fe80::1%eth0 fec0::1 ff02::1 2001:db8::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 100::1 64:ff9b:1::a00:1
    2002:7f00:1:: 2002:a9fe:a9fe::1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b::168.63.129.16
"""


@pytest.mark.parametrize("address", INSIDE.split())
def test_an_inside_address_is_refused_with_a_sentence(address: str) -> None:

    with pytest.raises(Rejected, match=r"not a public address.*only an administrator"):
        public_only(address)


OUTSIDE = """
    8.8.8.8 52.94.76.10 172.32.0.1 192.167.1.1 100.63.255.255 2606:4700::1111 2a05:d018::1
    ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1
"""


@pytest.mark.parametrize("address", OUTSIDE.split())
def test_a_public_address_passes(address: str) -> None:
    assert allowed_addresses(public_only, address, 443)


@pytest.mark.parametrize("nonsense", ["", "cloud.example", "1.2.3", "127.0.0.1:80"])
def test_what_is_no_address_is_refused(nonsense: str) -> None:
    with pytest.raises(Rejected, match="is no IP address"):
        public_only(nonsense)
