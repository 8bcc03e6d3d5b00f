"""What an application asks: questions declared as data, and answers that are checked against them.

Forms, validation, the diff of a change, the REST API and the pages all read the same declarations; those themselves
stand in `projects.services.sections`.
"""

import dataclasses
import datetime
import enum
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from cloudmesh.errors import Invalid, near
from cloudmesh.types import Json
from projects.policy import RESOURCES
from projects.quota import UNITS

SHOWN = 40  # characters of a wrong value that are told back
LIMITS = 12  # that one application may ask for
SCOPE = 64


class Kind(enum.StrEnum):
    """What an answer is."""

    TEXT = "text"
    LINES = "lines"
    CHOICE = "choice"
    CHOICES = "choices"
    FLAG = "flag"
    URL = "url"
    DATE = "date"
    LIMITS = "limits"  # [{"scope", "resource", "limit"}, …]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    name: str
    label: str
    kind: Kind = Kind.TEXT
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False  # when the application is submitted; a draft may leave out anything
    most: int = 200  # characters

    def read(self, value: Any) -> Any:
        """A given value as it is kept. Raises Invalid."""
        if value is None:
            return self.nothing
        try:
            return _READERS[self.kind](self, value)
        except _Wrong as wrong:
            raise Invalid(f"{self.label}: {wrong}", field=self.name) from None

    @property
    def nothing(self) -> Any:
        """The answer of whoever has not answered."""
        empty: dict[Kind, Any] = {Kind.CHOICES: [], Kind.LIMITS: [], Kind.FLAG: False}
        return empty.get(self.kind, "")

    def shown(self, value: Any) -> str:
        """An answer in words."""
        if self.kind == Kind.FLAG:
            return "yes" if value else "no"
        if self.kind == Kind.LIMITS:
            return "; ".join(limit_in_words(limit) for limit in value or [])
        labels = dict(self.choices)
        values = value if isinstance(value, list) else [value] if value else []
        return ", ".join(labels.get(each, str(each)) for each in values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Section:
    name: str
    label: str
    help: str = ""
    questions: tuple[Question, ...]

    def question(self, name: str) -> Question:
        """Raises Invalid with near names."""
        known = {question.name: question for question in self.questions}
        if name not in known:
            raise Invalid(
                f"The section {self.name!r} has no question {name[:SHOWN]!r}; it has: {', '.join(known)}."
                + near(name[:SHOWN], known),
                field=name[:SHOWN],
            )
        return known[name]


def limit_in_words(limit: Mapping[str, Any]) -> str:
    """
    >>> limit_in_words({"scope": "", "resource": "ram", "limit": 2048})
    'ram 2048 MiB'
    """
    where = f" on {limit['scope']}" if limit["scope"] else ""
    amount = "no limit" if limit["limit"] is None else f"{limit['limit']}{UNITS.get(limit['resource'], '')}"
    return f"{limit['resource'].replace('_', ' ')} {amount}{where}"


# -- reading one answer -----------------------------------------------------------------------------------------


class _Wrong(Exception):
    """Why a value cannot be the answer to a question."""


def _text(question: Question, value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("this must be text.")
    text = value.replace("\0", "").replace("\r\n", "\n").strip()
    if question.kind != Kind.LINES:
        text = " ".join(text.split())
    if len(text) > question.most:
        raise _Wrong(f"at most {question.most} characters are kept; these are {len(text)}.")
    return text


def _url(question: Question, value: Any) -> str:
    text = _text(question, value)
    parts = urlsplit(text) if text else None
    if parts is not None and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise _Wrong(f"{text[:SHOWN]!r} is no web address; one begins with https://.")
    return text


def _date(question: Question, value: Any) -> str:
    text = value.isoformat() if isinstance(value, datetime.date) else _text(question, value)
    try:
        return datetime.date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise _Wrong(f"{text[:SHOWN]!r} is no date; write it as 2027-03-31.") from None


def _flag(question: Question, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("this is true or false.")
    return value


def _choice(question: Question, value: Any) -> str:
    known = [name for name, _ in question.choices]
    if value and value not in known:
        shown = str(value)[:SHOWN]
        raise _Wrong(f"{shown!r} is no choice; there are: {', '.join(known)}.{near(shown, known)}")
    return str(value)


def _choices(question: Question, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise _Wrong("this must be a list of choices.")
    chosen = {_choice(question, each) for each in value}
    return [name for name, _ in question.choices if name in chosen]


def _limits(question: Question, value: Any) -> list[Json]:
    if not isinstance(value, list) or len(value) > LIMITS:
        raise _Wrong(f"this must be a list of at most {LIMITS} limits.")
    limits = [_limit(each) for each in value]
    if len({(limit["scope"], limit["resource"]) for limit in limits}) < len(limits):
        raise _Wrong("each resource can be asked for once in each place.")
    return limits


def _limit(value: Any) -> Json:
    if not isinstance(value, dict) or set(value) - {"scope", "resource", "limit"}:
        raise _Wrong('a limit is an object such as {"scope": "", "resource": "cores", "limit": 64}.')
    scope, resource, limit = value.get("scope") or "", value.get("resource"), value.get("limit")
    if resource not in RESOURCES:
        shown = str(resource)[:SHOWN]
        raise _Wrong(f"{shown!r} is no resource; there are: {', '.join(RESOURCES)}.{near(shown, RESOURCES)}")
    if not isinstance(scope, str) or len(scope) > SCOPE:
        raise _Wrong(f"a scope is empty for the whole project, or text of at most {SCOPE} characters.")
    if type(limit) is not int or not 0 <= limit < 2**31:
        raise _Wrong(f"the limit of {resource} must be a whole number from 0 on.")
    return {"scope": scope, "resource": resource, "limit": limit}


_READERS: Mapping[Kind, Any] = {
    Kind.TEXT: _text,
    Kind.LINES: _text,
    Kind.URL: _url,
    Kind.DATE: _date,
    Kind.FLAG: _flag,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.LIMITS: _limits,
}


# -- answers of a whole application --------------------------------------------------------------------------------

Answers = dict[str, dict[str, Any]]  # section → question → answer


@dataclasses.dataclass(frozen=True)
class Gap:
    """A question that is still to be answered."""

    section: Section
    question: Question

    def __str__(self) -> str:
        return f"{self.section.label}: {self.question.label}"


@dataclasses.dataclass(frozen=True)
class Difference:
    """What one answer was, and what it is to become; in words."""

    section: Section
    question: Question
    before: str
    after: str


def read(sections: Sequence[Section], given: Any) -> Answers:
    """Answers as they are kept: of known sections and questions only, each of the right kind. Raises Invalid."""
    known = {section.name: section for section in sections}
    if not isinstance(given, Mapping):
        raise Invalid("The answers must be an object: section → question → answer.", field="answers")
    found: Answers = {}
    for name, answers in given.items():
        if name not in known:
            raise Invalid(
                f"There is no section {str(name)[:SHOWN]!r} here; there are: {', '.join(known)}."
                + near(str(name)[:SHOWN], known),
                field=str(name)[:SHOWN],
            )
        if not isinstance(answers, Mapping):
            raise Invalid(f"The answers of the section {name!r} must be an object: question → answer.", field=name)
        section = known[name]
        found[name] = {each: section.question(str(each)).read(value) for each, value in answers.items()}
    return found


def merged(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> Answers:
    """`old` with what `new` says; what it does not speak of stays."""
    return {name: {**old.get(name, {}), **new.get(name, {})} for name in {**old, **new}}


def changed(sections: Sequence[Section], before: Mapping[str, Any], after: Mapping[str, Any]) -> Answers:
    """Of `after` the answers that differ from `before`; nothing said is the same as an empty answer."""
    found = {
        section.name: {
            question.name: after[section.name][question.name]
            for question in section.questions
            if question.name in after.get(section.name, {})
            and after[section.name][question.name] != answer(before, section, question)
        }
        for section in sections
    }
    return {name: answers for name, answers in found.items() if answers}


def answer(answers: Mapping[str, Any], section: Section, question: Question) -> Any:
    return answers.get(section.name, {}).get(question.name, question.nothing)


def gaps(sections: Sequence[Section], answers: Mapping[str, Any]) -> list[Gap]:
    """The required questions without an answer, in their order."""
    return [
        Gap(section, question)
        for section in sections
        for question in section.questions
        if question.required and answer(answers, section, question) == question.nothing
    ]


def differences(sections: Sequence[Section], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What `after` says differently, in words."""
    news = changed(sections, before, after)
    return [
        Difference(
            section,
            question,
            question.shown(answer(before, section, question)),
            question.shown(news[section.name][question.name]),
        )
        for section in sections
        for question in section.questions
        if question.name in news.get(section.name, {})
    ]
