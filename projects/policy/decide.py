"""What policies say about a wish: allow it, deny it, or ask somebody first.

Clouds and queues are open to a project's members, machines are closed, unless a policy says otherwise. An allowing
policy allows up to its limits; one that asks or denies does so beyond its limits, always where it has none. For each
thing wanted, deny wins over ask over allow.
"""

import dataclasses
import datetime
import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from django.db.models import Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import User
from cloudmesh.errors import PolicyDenied
from cloudmesh.types import Json
from projects.models import Effect, Membership, Policy, PolicyState, Project, SubjectKind
from projects.policy import limits, scope
from projects.policy.rule import Facts

Amounts = Mapping[str, int]
ORDER = (Effect.DENY, Effect.ASK, Effect.ALLOW)  # the first that applies wins
SHOWN = 6  # names told of those that are concerned


@dataclasses.dataclass(frozen=True, kw_only=True)
class Used:
    """What is taken already of a service: by the whole project, and by the one who wishes."""

    project: Amounts = dataclasses.field(default_factory=dict)
    member: Amounts = dataclasses.field(default_factory=dict)


def nothing() -> Used:
    return Used()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants of a service: `cloud:india`, `queue:india/batch`, `machines:i[1-8]`, and how much.

    `used` tells what is taken already; it is asked only if a policy limits all wishes together.
    """

    service: str
    resources: Amounts = dataclasses.field(default_factory=dict)
    used: Callable[[], Used] = nothing


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ruling:
    """What one policy says about a wish, as a sentence with its numbers."""

    policy: str
    edition: int
    effect: str
    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided, each reason, the policies that mattered, and what can be done now."""

    effect: Effect
    reasons: tuple[str, ...] = ()
    rules: tuple[Ruling, ...] = ()
    next: str = ""

    def require(self) -> "Decision":
        """This decision, unless it denies; then raises PolicyDenied."""
        if self.effect is Effect.DENY:
            raise PolicyDenied(" ".join(filter(None, (*self.reasons, self.next))), **self.facts())
        return self

    def facts(self) -> Json:
        """For programs and for the record."""
        return {
            "effect": str(self.effect),
            "reasons": list(self.reasons),
            "rules": [dataclasses.asdict(rule) for rule in self.rules],
            "next": self.next,
        }


@dataclasses.dataclass(frozen=True)
class Word:
    """A policy that matches, what it says and what it says it about."""

    policy: Policy
    effect: Effect
    about: frozenset[str]
    passed: Sequence[limits.Passed]


def decide(*, actor: User, project: Project, wish: Wish, at: datetime.datetime | None = None) -> Decision:
    """What the policies in force say, with one question to the database. Raises Invalid for a service that is none."""
    kind, wanted = scope.parse_service(wish.service)
    words = list(_words(actor, project, wish, kind, wanted, at or timezone.now()))
    winners: dict[Effect, set[str]] = defaultdict(set)
    for name in wanted:
        winners[_effect(name, kind, words)].add(name)
    effect = next(each for each in ORDER if each in winners)
    mattering = [word for word in words if _matters(word, effect, winners[effect])]
    rules = tuple(_ruling(word, kind, winners[effect]) for word in mattering)
    reasons = tuple(rule.reason for rule in rules) or (_usual(effect, project, kind, winners[effect]),)
    return Decision(effect=effect, reasons=reasons, rules=rules, next=_next(effect, project, mattering))


def in_force(at: datetime.datetime) -> QuerySet[Policy]:
    """The approved policies whose window is open."""
    begun = Q(starts_at=None) | Q(starts_at__lte=at)
    return Policy.objects.filter(begun, Q(ends_at=None) | Q(ends_at__gt=at), state=PolicyState.APPROVED)


def facts_of(*, username: str, project: str, role: str, portal_roles: Iterable[str], is_admin: bool) -> Facts:
    """What is true of somebody in a project, as rules ask for it."""
    return {
        "user": frozenset({username}),
        "project": frozenset({project}),
        "role": frozenset({role} if role else ()),
        "portal_role": frozenset([*portal_roles, *(["admin"] if is_admin else [])]),
    }


def concerns(kind: str, subject: str, facts: Facts) -> bool:
    """Whether a policy with this subject is about somebody."""
    rule = scope.parse_subject(kind, subject)
    return rule is None or rule.holds(facts)


def _words(
    actor: User, project: Project, wish: Wish, kind: str, wanted: Sequence[str], at: datetime.datetime
) -> Iterable[Word]:
    role = Membership.objects.filter(user=actor.pk, project=project.pk).values("role")
    used = functools.cache(wish.used)
    policies = in_force(at).filter(service__startswith=f"{kind}:").annotate(actor_role=Subquery(role[:1]))
    for policy in policies.order_by("name", "pk"):
        about = scope.covered(policy.service, wanted)
        facts = facts_of(
            username=actor.username,
            project=project.name,
            role=vars(policy)["actor_role"] or "",
            portal_roles=actor.portal_roles,
            is_admin=actor.is_superuser,
        )
        if about and concerns(policy.subject_kind, policy.subject, facts):
            of_member = policy.subject_kind == SubjectKind.USER
            taken = (lambda: used().member) if of_member else (lambda: used().project)
            passed = limits.passed(policy.limits, wish.resources, taken)
            yield Word(policy, Effect(policy.effect), about, passed)


def _applies(word: Word) -> bool:
    """An allowing policy up to its limits; the others beyond theirs, or always where they have none."""
    if word.effect is Effect.ALLOW:
        return not word.passed
    return bool(word.passed) or not word.policy.limits


def _effect(name: str, kind: str, words: Sequence[Word]) -> Effect:
    """What comes of one thing wanted."""
    about = [word for word in words if name in word.about]
    said = {word.effect for word in about if _applies(word)}
    if said:
        return next(effect for effect in ORDER if effect in said)
    is_limited = any(word.effect is Effect.ALLOW for word in about)
    return Effect.DENY if is_limited or kind in scope.CLOSED else Effect.ALLOW


def _matters(word: Word, effect: Effect, names: set[str]) -> bool:
    if word.about.isdisjoint(names):
        return False
    return (word.effect is effect and _applies(word)) or (word.effect is Effect.ALLOW and bool(word.passed))


def _ruling(word: Word, kind: str, names: set[str]) -> Ruling:
    policy, about = word.policy, _named(kind, word.about & names)
    numbers = "; ".join(map(str, word.passed))
    says = {
        Effect.ALLOW: f"allows {about}" + (f" only up to its limits: {numbers}" if numbers else ""),
        Effect.ASK: f"asks for approval of {about}" + (f" beyond its limits: {numbers}" if numbers else ""),
        Effect.DENY: f"denies {about}" + (f" beyond its limits: {numbers}" if numbers else ""),
    }[word.effect]
    note = f" ({policy.note.strip().rstrip('.')})" if policy.note.strip() else ""
    reason = f"The policy {policy.name}, edition {policy.edition}, {says}{note}."
    return Ruling(policy=policy.name, edition=policy.edition, effect=policy.effect, reason=reason)


def _usual(effect: Effect, project: Project, kind: str, names: set[str]) -> str:
    """The reason where no policy said anything."""
    if effect is Effect.DENY:
        return f"No policy allows {_named(kind, names)} to you in the project {project}."
    return f"Members of {project} may use {_named(kind, names)}; no policy says otherwise."


def _next(effect: Effect, project: Project, words: Sequence[Word]) -> str:
    if effect is Effect.ALLOW:
        return ""
    if effect is Effect.ASK:
        return f"It waits until a lead or manager of {project}, or an operator of the portal, approves it."
    if any(word.passed for word in words):
        return "Ask for less, give something back first, or ask the portal's operators for another policy."
    return "Choose something else, or ask the portal's operators for a policy that allows it."


def _named(kind: str, names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    return f"{kind} {', '.join(ordered[:SHOWN])}{more}"
