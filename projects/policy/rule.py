"""The language in which policies say whom they are about: `project in (fg82, fg355) and not user = gregor`.

    rule  := and ("or" and)*
    and   := not ("and" not)*
    not   := "not" not | "(" rule ")" | test
    test  := field ("=" | "!=") name | field "in" "(" name ("," name)* ")"
    field := project | user | role | portal_role

A name may be a hostlist, `s[1-30]`; quotes hold what is no plain word. `str` of a rule parses to the same rule.
"""

import dataclasses
import difflib
import functools
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, NoReturn

from cloudmesh.errors import Invalid
from cloudmesh.types import expand_names

FIELDS = ("project", "user", "role", "portal_role")
KEYWORDS = frozenset({"and", "or", "not", "in"})
LONGEST = 2000  # characters
DEEPEST = 40  # parentheses and nots inside each other

Facts = Mapping[str, frozenset[str]]  # field → the names that are true of somebody

TOKEN = re.compile(
    r"""\s*(?:(?P<sign>!=|[=(),])
      | "(?P<double>[^"]*)" | '(?P<single>[^']*)'
      | (?P<word>(?:[\w.@+-]|\[[\w,.\s-]*\])+))""",
    re.VERBOSE,
)
PLAIN = re.compile(r"(?:[\w.@+-]|\[[\w,.-]*\])+")


class RuleError(Invalid):
    """A rule that does not parse; `position` is where, counted from 0, and `expected` what could stand there."""


@dataclasses.dataclass(frozen=True)
class Is:
    """Whether one of the names is true of somebody."""

    field: str
    names: tuple[str, ...]

    @functools.cached_property
    def meant(self) -> frozenset[str]:
        """The names that hostlists stand for."""
        return frozenset(expand_names(*self.names))

    def holds(self, facts: Facts) -> bool:
        return not self.meant.isdisjoint(facts[self.field])

    def __str__(self) -> str:
        if len(self.names) == 1:
            return f"{self.field} = {_quoted(self.names[0])}"
        return f"{self.field} in ({', '.join(map(_quoted, self.names))})"


@dataclasses.dataclass(frozen=True)
class Not:
    inner: "Rule"

    def holds(self, facts: Facts) -> bool:
        return not self.inner.holds(facts)

    def __str__(self) -> str:
        if isinstance(self.inner, Is) and len(self.inner.names) == 1:
            return f"{self.inner.field} != {_quoted(self.inner.names[0])}"
        return f"not {_inside(self.inner, Is, Not)}"


@dataclasses.dataclass(frozen=True)
class And:
    parts: tuple["Rule", ...]

    def holds(self, facts: Facts) -> bool:
        return all(part.holds(facts) for part in self.parts)

    def __str__(self) -> str:
        return " and ".join(_inside(part, Is, Not) for part in self.parts)


@dataclasses.dataclass(frozen=True)
class Or:
    parts: tuple["Rule", ...]

    def holds(self, facts: Facts) -> bool:
        return any(part.holds(facts) for part in self.parts)

    def __str__(self) -> str:
        return " or ".join(_inside(part, Is, Not, And) for part in self.parts)


Rule = Is | Not | And | Or


@functools.lru_cache(4096)
def parse(text: str) -> Rule:
    """The rule that a text means; each text is parsed once. Raises RuleError."""
    if len(text) > LONGEST:
        raise RuleError(f"A rule has at most {LONGEST:,} characters; this one has {len(text):,}.", position=LONGEST)
    return _Parser(text).whole()


def leaves(rule: Rule) -> Iterator[Is]:
    """All tests in a rule."""
    if isinstance(rule, Is):
        yield rule
    for part in (rule.inner,) if isinstance(rule, Not) else getattr(rule, "parts", ()):
        yield from leaves(part)


class _Token(NamedTuple):
    text: str
    start: int
    is_name: bool  # a word or what stands in quotes
    is_quoted: bool = False

    @property
    def is_keyword(self) -> bool:
        return self.is_name and not self.is_quoted and self.text.lower() in KEYWORDS


class _Parser:
    """By recursive descent; `self.at` is the token to be read next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    def whole(self) -> Rule:
        rule = self._or()
        if self._now:
            self._fail("and", "or", "the end")
        return rule

    def _or(self) -> Rule:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        return Or(tuple(parts)) if len(parts) > 1 else parts[0]

    def _and(self) -> Rule:
        parts = [self._not()]
        while self._take("and"):
            parts.append(self._not())
        return And(tuple(parts)) if len(parts) > 1 else parts[0]

    def _not(self) -> Rule:
        self.depth += 1
        if self.depth > DEEPEST:
            raise RuleError(f"A rule is at most {DEEPEST} parentheses deep.", position=self._place, field="subject")
        rule = self._negated()
        self.depth -= 1
        return rule

    def _negated(self) -> Rule:
        if self._take("not"):
            return Not(self._not())
        if self._take("("):
            rule = self._or()
            self._demand(")", "and", "or")
            return rule
        return self._test()

    def _test(self) -> Rule:
        token = self._now
        if token is None or not token.is_name or token.is_keyword or token.text.lower() not in FIELDS:
            self._fail(*FIELDS, "not", "(")
        self.at += 1
        field = token.text.lower()
        if self._take("!="):
            return Not(Is(field, (self._name(),)))
        if self._take("="):
            return Is(field, (self._name(),))
        self._demand("in", "=", "!=")
        self._demand("(")
        names = [self._name()]
        while self._take(","):
            names.append(self._name())
        self._demand(")", ",")
        return Is(field, tuple(names))

    def _name(self) -> str:
        token = self._now
        if token is None or not token.is_name or token.is_keyword or not token.text.strip():
            self._fail("a name")
        try:
            expand_names(token.text)
        except Invalid as error:
            raise RuleError(error.message, position=token.start, field="subject") from None
        self.at += 1
        return token.text

    @property
    def _now(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    @property
    def _place(self) -> int:
        return self._now.start if self._now else len(self.text)

    def _take(self, text: str) -> bool:
        token = self._now
        found = token is not None and token.text.lower() == text and (token.is_keyword or not token.is_name)
        self.at += found
        return found

    def _demand(self, text: str, *others: str) -> None:
        if not self._take(text):
            self._fail(text, *others)

    def _fail(self, *expected: str) -> NoReturn:
        token = self._now
        seen = f"{token.text[:40]!r}" if token else "the end"
        close = difflib.get_close_matches(token.text, FIELDS, n=1) if token and FIELDS[0] in expected else []
        hint = f" Did you mean {close[0]}?" if close else ""
        raise _error(self.text, self._place, seen, expected, hint)


def _tokens(text: str) -> Iterator[_Token]:
    end = len(text.rstrip())
    at = 0
    while at < end:
        match = TOKEN.match(text, at)
        if match is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            what = "this quote is never closed" if text[start] in "\"'" else ""
            raise _error(text, start, repr(text[start]), ("a name",), f" ({what})" if what else "")
        kind = str(match.lastgroup)
        start = match.start(kind) - (kind in ("double", "single"))
        yield _Token(match[kind], start, kind != "sign", kind in ("double", "single"))
        at = match.end()


def _error(text: str, position: int, seen: str, expected: tuple[str, ...], hint: str) -> RuleError:
    *most, last = expected
    wanted = f"{', '.join(most)} or {last}" if most else last
    return RuleError(
        f"The rule breaks at character {position + 1}: {wanted} is expected there, not {seen}.{hint}",
        field="subject",
        position=position,
        expected=list(expected),
    )


def _inside(part: Rule, *bare: type) -> str:
    """`part` within another, in parentheses unless it is of a kind that needs none there."""
    return str(part) if isinstance(part, bare) else f"({part})"


def _quoted(name: str) -> str:
    if PLAIN.fullmatch(name) and name.lower() not in KEYWORDS:
        return name
    return f"'{name}'" if '"' in name else f'"{name}"'
