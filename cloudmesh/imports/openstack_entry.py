"""What a `clouds.yaml` or an openrc file says about one OpenStack, as the credential its driver wants.

Both formats name the same things; here are the names, their older spellings, and what cannot be used.
"""

import dataclasses
import re
from collections.abc import Mapping

PLAIN = (
    "auth_url",
    "username",
    "password",
    "user_domain_name",
    "user_domain_id",
    "project_name",
    "project_id",
    "project_domain_name",
    "project_domain_id",
    "application_credential_id",
    "application_credential_secret",
    "region_name",
)
OLDER = {"tenant_name": "project_name", "tenant_id": "project_id", "endpoint_type": "interface"}
LOGINS = {
    "": "password",
    "password": "password",
    "v3password": "password",
    "v3applicationcredential": "application_credential_secret",
}
TRUE = ("true", "yes", "on", "1")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One cloud of a file. `missing` are fields that the file does not hold; `problem` is why it cannot be used."""

    name: str
    credential: Mapping[str, str] = dataclasses.field(repr=False)
    missing: tuple[str, ...] = ()
    problem: str = ""


def entry(name: str, said: Mapping[str, str]) -> Entry:
    """Make an entry from what a file said, names in any spelling."""
    given = {_spelled(key): value.strip() for key, value in said.items() if value.strip()}
    credential = {key: given[key] for key in PLAIN if key in given}
    if "interface" in given:
        credential["interface"] = given["interface"].removesuffix("URL")
    if given.get("verify", "true").lower() not in TRUE or given.get("insecure", "false").lower() in TRUE:
        credential["verify"] = "false"
    if "-----BEGIN" in given.get("cacert", ""):
        credential["cacert"] = given["cacert"]
    return Entry(name=name, credential=credential, missing=_missing(given, credential), problem=_problem(given))


def _spelled(key: str) -> str:
    name = key.lower().replace("-", "_")
    return OLDER.get(name, name)


def _login(given: Mapping[str, str]) -> str:
    """The name of the secret this entry logs in with, or nothing if its kind of login is none of ours."""
    if "application_credential_id" in given and "auth_type" not in given:
        return "application_credential_secret"
    return LOGINS.get(given.get("auth_type", ""), "")


def _missing(given: Mapping[str, str], credential: Mapping[str, str]) -> tuple[str, ...]:
    secret = _login(given)
    absent = [secret] if secret and secret not in credential else []
    if "cacert" in given and "cacert" not in credential:  # a path on the machine the file comes from
        absent.append("cacert")
    return tuple(absent)


def _problem(given: Mapping[str, str]) -> str:
    if "auth_url" not in given:
        vendor = (
            f" It names the vendor profile {given['profile']}, which is not known here." if "profile" in given else ""
        )
        return f"It has no auth_url, the address of Keystone.{vendor} Add auth_url to it."
    if given.get("identity_api_version", "3").startswith("2") or given["auth_url"].rstrip("/").endswith("/v2.0"):
        newer = re.sub(r"/v2\.0/?$", "/v3", given["auth_url"])
        return (
            "It speaks Identity version 2, which OpenStack has given up. Download the file for version 3; its address "
            f"may be {newer}"
        )
    login = _login(given)
    if not login:
        return (
            f"It logs in by {given['auth_type']}, which the portal cannot do. Use a password, or make an application "
            "credential in Horizon under Identity."
        )
    if login == "password" and "username" not in given:
        return "It has no username. Add one, or use an application credential."
    if login != "password" and "application_credential_id" not in given:
        return "It has no application_credential_id; the credential's name alone is not enough. Add the ID."
    return ""
