"""`~/.aws/credentials` and `~/.aws/config`: each profile with a key of its own is a cloud."""

import configparser
import re

from cloudmesh.errors import Invalid
from cloudmesh.imports.documents import ENDS, masked
from cloudmesh.imports.found import Draft, Found, Left, is_given

OTHER = ("sso-session ", "services ")  # sections that are no profiles
ELSEWHERE = {
    "sso_start_url": "It signs in at a web page (SSO)",
    "sso_session": "It signs in at a web page (SSO)",
    "role_arn": "It takes the role of another profile",
    "credential_process": "A program tells its key",
    "aws_session_token": "Its key ends with a session (aws_session_token)",
}
ADVICE = "Make an access key of an IAM user for the portal, and register it: cm cloud register NAME --driver ec2"


def read(text: str, what: str) -> Found:
    """Raises Invalid with the line that is wrong."""
    profiles = {_name(section): said for section, said in _sections(text, what).items() if _is_profile(section)}
    reasons = {name: _reason(said) for name, said in profiles.items()}
    return Found(
        clouds=tuple(Draft(name=name, kind="aws", said=said) for name, said in profiles.items() if not reasons[name]),
        left=tuple(Left(name=name, reason=f"{reason}. {ADVICE}") for name, reason in reasons.items() if reason),
    )


def _sections(text: str, what: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(default_section="\0", strict=True, inline_comment_prefixes=None)
    try:
        parser.read_string(text)
    except configparser.MissingSectionHeaderError as error:
        raise _wrong(text, what, error.lineno, "it stands in no [profile].") from None
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        words = "this profile stands twice." if not hasattr(error, "option") else f"{error.option} stands here twice."
        raise _wrong(text, what, error.lineno or 1, f"{words} Remove one of them.") from None
    except configparser.ParsingError as error:
        raise _wrong(text, what, error.errors[0][0], "it is no line of `name = value`.") from None
    return {name: {key: value for key, value in parser.items(name) if is_given(value)} for name in parser.sections()}


def _is_profile(section: str) -> bool:
    return not section.startswith(OTHER)


def _name(section: str) -> str:
    """What the cloud is called: config says `profile NAME`, credentials say NAME."""
    name = re.sub(r"^profile\s+", "", section).strip().strip("\"'")
    return "aws" if name == "default" else name


def _reason(said: dict[str, str]) -> str:
    """Why a profile has no key of its own; nothing where it has one, or says nothing of it."""
    return next((reason for name, reason in ELSEWHERE.items() if name in said), "")


def _wrong(text: str, what: str, line: int, words: str) -> Invalid:
    return Invalid(f"Line {line} of {what}: {words}", line=line, hint=masked(ENDS.split(text), line))
