"""Which directory the live tests sign in with: tests/live/ldap/up.sh's, or a site's own that the environment names.

CLOUDMESH_LIVE_LDAP is the path of the site's file for CLOUDMESH_LDAP, CLOUDMESH_LDAP_PASSWORD its service password,
CLOUDMESH_LIVE_LDAP_USER and _PASSWORD somebody who may sign in. Nothing is written to a site's directory.
"""

import contextlib
import dataclasses
import os
import pathlib
import socket
from collections.abc import Iterator
from typing import Any

import ldap3

from accounts.backends.ldap import config
from accounts.backends.ldap.config import Config
from accounts.backends.ldap.directory import Directory

OURS = pathlib.Path(os.environ.get("CLOUDMESH_LIVE_DIR", "/var/tmp/cloudmesh-live")) / "ldap/directory.toml"
ROOT = "dc=futuresystems,dc=org"


@dataclasses.dataclass(frozen=True)
class Site:
    """A directory, and somebody in it."""

    path: pathlib.Path
    config: Config
    user: str
    password: str

    @property
    def ours(self) -> bool:
        return self.path == OURS

    def directory(self, **changes: Any) -> Directory:
        """Another one than the portal's, with something changed in what is known of it."""
        return Directory(dataclasses.replace(self.config, **changes))

    @contextlib.contextmanager
    def administrator(self) -> Iterator[Any]:
        """A connection that may change ours."""
        address = self.config.addresses[0]
        server = ldap3.Server(address.host, port=address.port, get_info=ldap3.NONE)
        admin = ldap3.Connection(server, f"cn=admin,{ROOT}", "adminpw", auto_bind=True, raise_exceptions=True)
        try:
            yield admin
        finally:
            admin.unbind()

    def add(self, uid: str, password: str = "password", **more: Any) -> str:
        """A new person; the answer is the DN."""
        dn = f"uid={uid},ou=People,{ROOT}"
        told = {
            "uid": uid,
            "cn": uid,
            "sn": uid,
            "mail": f"{uid}@futuresystems.example.org",
            "uidNumber": 29000,
            "gidNumber": 29000,
            "homeDirectory": f"/home/{uid}",
            "userPassword": password,
        }
        with self.administrator() as admin:
            admin.add(dn, ["inetOrgPerson", "posixAccount", "shadowAccount"], {**told, **more})
        return dn

    def change(self, dn: str, **values: Any) -> None:
        with self.administrator() as admin:
            admin.modify(dn, {name: [(ldap3.MODIFY_REPLACE, value)] for name, value in values.items()})

    def remove(self, dn: str) -> None:
        with self.administrator() as admin, contextlib.suppress(ldap3.core.exceptions.LDAPNoSuchObjectResult):
            admin.delete(dn)


def named() -> Site | None:
    """The site's own, else that of tests/live/ldap/up.sh if it runs."""
    password = os.environ.get("CLOUDMESH_LDAP_PASSWORD", "")
    if there := os.environ.get("CLOUDMESH_LIVE_LDAP"):
        user, secret = (os.environ.get(f"CLOUDMESH_LIVE_LDAP_{name}", "") for name in ("USER", "PASSWORD"))
        return Site(pathlib.Path(there), config.load(there, password), user, secret)
    if not OURS.exists():
        return None
    site = Site(OURS, config.load(str(OURS)), "fsalice", "alicepw")
    try:
        socket.create_connection((site.config.addresses[0].host, site.config.addresses[0].port), timeout=5).close()
    except OSError:
        return None
    return site
