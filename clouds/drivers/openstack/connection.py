"""The way to an OpenStack: keystoneauth logs in and reads the catalog, the portal's guarded connection carries.

Raw JSON goes in and comes out: the objects of the SDK above it cost a hundred times what it takes to parse them.
Nothing comes from the environment, neither proxies nor netrc nor certificates: only the credential counts.
"""

import contextlib
import fcntl
import functools
import hashlib
import re
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import orjson
import requests
from keystoneauth1 import exceptions as keystone
from keystoneauth1.access import AccessInfo
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from cloudmesh.errors import Busy, DriverError, Gone, Refused, Rejected
from cloudmesh.types import Json
from clouds.drivers import Site
from clouds.drivers.openstack.carrier import MOST_REDIRECTS, Carrier
from clouds.drivers.openstack.failures import failure, understood

Record = TypeVar("Record")
Query = Sequence[tuple[str, str]]

VERSIONS = {
    "compute": "v2.1",
    "network": "v2.0",
    "image": "v2",
    "volumev3": "v3/{project}",
}  # where the catalog names none
VERSION = re.compile(r"v[23](\.\d+)?")
BEST_KNOWN = (2, 96)  # the newest microversion of Nova whose documents this driver has read
NONE = (2, 1)  # what a Nova speaks that is asked for no microversion
PAGE = "1000"  # what the services allow unless told otherwise; they cut it down to what they do
UNAUTHORIZED = 401
HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "cloudmesh-portal"}
OFF = ("false", "no", "off", "0")


class Cloud:
    """One OpenStack, seen with one credential. Every failure is one of `cloudmesh.errors`."""

    def __init__(self, credential: Mapping[str, str], site: Site) -> None:
        self._state_dir = site.state_dir
        self._where = {
            "interface": credential.get("interface") or "public",
            "region_name": credential.get("region_name") or None,
        }
        self._urls: dict[str, str] = {}
        self._login = _login(credential)
        verify = credential.get("verify", "").lower() not in OFF
        self._carrier = Carrier(site, credential.get("cacert", ""), verify=verify)
        http = requests.Session()
        http.trust_env = False
        for scheme in ("http://", "https://"):
            http.mount(scheme, self._carrier)
        self._session = Session(session=http, verify=verify, timeout=site.timeout, redirect=MOST_REDIRECTS)

    def whoami(self) -> tuple[str, str]:
        """The names of the user and the project."""
        with self._access() as access, understood("Keystone"):
            return access.username or "", access.project_name or ""

    @functools.cached_property
    def project(self) -> str:
        """The id of the project that the credential leads to."""
        with self._access() as access, understood("Keystone"):
            project = access.project_id
        if not project:
            raise Rejected("This login leads to no project: name one.", field="project_name")
        return project

    @functools.cached_property
    def microversion(self) -> tuple[int, int]:
        """The best of Nova's that both sides know."""
        root, versioned, _ = self._url("compute").partition("/v2.1")
        if not versioned:
            return NONE
        document = self._ask("GET", "compute", f"{root}/v2.1/")
        with understood("compute"):
            major, _, minor = (document["version"]["version"] or "2.1").partition(".")
            return min((int(major), int(minor)), BEST_KNOWN)

    def offers(self, service: str) -> bool:
        """Whether the catalog names the service."""
        with self._access() as access, understood("Keystone"):
            return any(access.service_catalog.get_endpoints(service_type=service, **self._where).values())

    @contextlib.contextmanager
    def alone(self, *, is_patient: bool = False) -> Iterator[None]:
        """Nobody else on this machine is in here for the same project; where somebody is, wait or raise Busy."""
        self._state_dir.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(f"{self._login.auth_url} {self.project}".encode()).hexdigest()[:16]
        with (self._state_dir / f"openstack-{name}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX if is_patient else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy("Another server of this project is being given an address just now.") from error
            yield

    def read(self, service: str, *parts: str, key: str, translate: Callable[[Any], Record]) -> Record:
        """What stands under `key`, translated."""
        document = self.ask("GET", service, *parts)
        with understood(service):
            return translate(document[key])

    def pages(
        self, service: str, *parts: str, key: str, translate: Callable[[Json], Record], query: Query = ()
    ) -> Iterator[Record]:
        """All that stand under `key`, translated, from this page and every one that follows."""
        following: Query = list({"limit": PAGE, **dict(query)}.items())
        while following:
            asked, document = following, self.ask("GET", service, *parts, query=following)
            with understood(service):
                records = [translate(native) for native in document[key]]
                following = _next(document, key)
            yield from records
            if following == asked:
                raise Busy(f"{service} says that a page of {key} is followed by itself.")

    def ask(
        self,
        method: str,
        service: str,
        *parts: str,
        body: Json | None = None,
        query: Query = (),
        headers: Mapping[str, str] | None = None,
        plain: bool = False,
    ) -> Json:
        """One request, sent once, for the thing at the path of these ids and names; no content is an empty document.

        Nova is asked in the best microversion, unless `plain`: what needs none is spared to ask for it.
        """
        url = self._url(service) + _path(parts)
        if service == "compute" and not plain and self.microversion > NONE:
            headers = {**_versioned(self.microversion), **(headers or {})}
        return self._ask(method, service, url, body, query, headers)

    def _ask(
        self,
        method: str,
        service: str,
        url: str,
        body: Json | None = None,
        query: Query = (),
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        whole = f"{url}?{urllib.parse.urlencode(query)}" if query else url
        content = None if body is None else orjson.dumps(body)
        answer = self._carrier.carry(method, whole, self._headers(headers), content)
        if answer.status == UNAUTHORIZED:  # the token ended before its time
            self._login.invalidate()
            answer = self._carrier.carry(method, whole, self._headers(headers), content)
        if answer.status >= 300:
            raise failure(service, answer.status, answer.content, answer.headers)
        return _document(service, answer.content)

    def _headers(self, more: Mapping[str, str] | None) -> dict[str, str]:
        with self._access() as access:
            return {**HEADERS, "X-Auth-Token": access.auth_token or "", **(more or {})}

    def _url(self, service: str) -> str:
        if service not in self._urls:  # keystoneauth copies its whole catalog at each look
            with self._access() as access, understood("Keystone"):
                url = str(access.service_catalog.url_for(service_type=service, **self._where)).rstrip("/")
                versioned = any(map(VERSION.fullmatch, urllib.parse.urlsplit(url).path.split("/")))
                usual = VERSIONS[service].format(project=access.project_id)
            self._urls[service] = url if versioned else f"{url}/{usual}"
        return self._urls[service]

    @contextlib.contextmanager
    def _access(self) -> Iterator[AccessInfo]:
        """What Keystone granted, asked for where there is nothing that still holds."""
        try:
            with understood("Keystone"):
                access = self._login.get_access(self._session)
            yield access
        except keystone.HttpError as error:
            raise _refusal(error) from error
        except keystone.InvalidResponse as error:
            raise Busy("What answers at the identity URL does not speak Keystone's API, at least not now.") from error
        except keystone.CatalogException as error:
            raise Rejected(f"{error.message}: check region and interface.", field="region_name") from error
        except keystone.ClientException as error:
            raise Rejected(str(error)) from error


def _path(parts: tuple[str, ...]) -> str:
    if any(part in ("", ".", "..") for part in parts):
        raise Gone("There is nothing without a name.")
    return "".join(f"/{urllib.parse.quote(part, safe='')}" for part in parts)


def _versioned(microversion: tuple[int, int]) -> dict[str, str]:
    text = ".".join(map(str, microversion))
    return {"OpenStack-API-Version": f"compute {text}", "X-OpenStack-Nova-API-Version": text}


def _document(service: str, content: bytes) -> Json:
    if not content:
        return {}
    with understood(service):
        document = orjson.loads(content)
    if not isinstance(document, dict):
        raise Busy(f"{service} did not answer as OpenStack does: no JSON object.")
    return document


def _next(document: Json, key: str) -> Query:
    """The query of the following page. Only that of its URL counts: behind a proxy the rest is often wrong."""
    links = document.get(f"{key}_links") or ()
    href = next((link["href"] for link in links if link["rel"] == "next"), document.get("next") or "")
    return urllib.parse.parse_qsl(urllib.parse.urlsplit(href).query, keep_blank_values=True)


# -- login -----------------------------------------------------------------------------------------------------


def _login(credential: Mapping[str, str]) -> v3.Auth:
    def given(name: str) -> str | None:
        return credential.get(name) or None

    url = _identity_url(credential.get("auth_url", ""))
    if credential_id := given("application_credential_id"):
        secret = credential.get("application_credential_secret", "")
        return v3.ApplicationCredential(
            url, application_credential_id=credential_id, application_credential_secret=secret
        )
    if not (password := given("password")) or not given("username"):
        raise Refused("Give a user name with its password, or an application credential's ID with its secret.")
    return v3.Password(
        url,
        password=password,
        username=given("username"),
        user_domain_id=given("user_domain_id"),
        user_domain_name=given("user_domain_name") or "Default",
        project_id=given("project_id"),
        project_name=None if given("project_id") else given("project_name"),
        project_domain_id=given("project_domain_id"),
        project_domain_name=given("project_domain_name") or "Default",
    )


def _identity_url(url: str) -> str:
    root = url.strip().rstrip("/").removesuffix("/auth/tokens").removesuffix("/v2.0")
    with contextlib.suppress(ValueError):
        parts = urllib.parse.urlsplit(root)
        if parts.scheme in ("http", "https") and parts.hostname and not parts.username:
            return root if root.endswith("/v3") else f"{root}/v3"
    raise Rejected(
        "The identity URL is that of Keystone, such as https://cloud.example.org:5000/v3; this is none.",
        field="auth_url",
    )


def _refusal(error: keystone.HttpError) -> DriverError:
    """Keystone's answer to a login."""
    answer = error.response
    if answer is None:
        return Busy(str(error))
    reason = failure("Keystone", answer.status_code, answer.content, answer.headers)
    if isinstance(reason, Gone) and reason.message.startswith("Could not find"):
        return Refused(reason.message)  # the application credential
    if isinstance(reason, Gone):
        return Rejected(f"There is no Keystone at {error.url}: check the identity URL.", field="auth_url")
    return reason
