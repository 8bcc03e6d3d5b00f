"""An EC2 endpoint on loopback: for each action what a test tells it to answer, and a note of what it was asked."""

import contextlib
import datetime
import http.server
import ipaddress
import pathlib
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterator

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOTHING = """<reservationSet/><securityGroupInfo/><keySet/><addressesSet/><imagesSet/><vpcSet/><subnetSet/>
    <instanceTypeSet/><accountAttributeSet/><volumeSet/>"""  # of any kind
Answer = tuple[int, dict[str, str], str]


class Endpoint:
    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, str]] = []
        self.before: Callable[[], object] = lambda: None  # called before each answer; OSError breaks off
        self._answers: dict[str, list[Answer]] = {}

    def say(self, action: str, *bodies: str) -> None:
        """Answer well: one after the other, the last one again and again."""
        self._answers[action] = [
            (200, {}, f"<{action}Response>{body or NOTHING}</{action}Response>") for body in bodies
        ]

    def raw(self, action: str, status: int, body: str, **headers: str) -> None:
        self._answers[action] = [(status, headers, body)]

    def fail(self, action: str, code: str, status: int = 400) -> None:
        self.raw(action, status, error(code))

    def actions(self) -> list[str]:
        return [form["Action"] for form in self.asked]

    def form(self, action: str) -> dict[str, str]:
        """What the last such request said."""
        return [form for form in self.asked if form["Action"] == action][-1]

    def answer(self, form: dict[str, str]) -> Answer:
        self.asked.append(form)
        self.before()
        action = form["Action"]
        answers = self._answers.get(action, [well(action)])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @contextlib.contextmanager
    def serving(self, tls: ssl.SSLContext | None = None) -> Iterator["Endpoint"]:
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                try:
                    status, headers, body = endpoint.answer(dict(urllib.parse.parse_qsl(text)))
                except OSError:
                    return  # without an answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):  # the client had enough
                    self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            if tls:
                server.socket = tls.wrap_socket(server.socket, server_side=True)
            self.url = f"http{'s' * bool(tls)}://127.0.0.1:{server.server_port}"
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            yield self
            server.shutdown()


def well(action: str, body: str = "") -> Answer:
    return 200, {}, f"<{action}Response>{body or NOTHING}</{action}Response>"


def error(code: str) -> str:
    words = f"Amazon's words about {code}."
    return f"<Response><Errors><Error><Code>{code}</Code><Message>{words}</Message></Error></Errors></Response>"


def certificate(folder: pathlib.Path) -> tuple[ssl.SSLContext, str]:
    """A server's TLS with a certificate that nobody knows, and that certificate as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a cloud of its own")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, pem.decode()
