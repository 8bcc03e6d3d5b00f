"""What happens to policies: drafted, proposed, approved by somebody else, retired; what was approved stays as it is.

An approved policy is changed by a new edition of it: the old one is in force until the new one is approved.
"""

import dataclasses
import datetime
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import AccountState, NoticeKind, PortalRole, User
from accounts.services import notify
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, near
from projects import access
from projects.models import Effect, Membership, Policy, PolicyState, Project, ProjectState, Role, SubjectKind
from projects.policy import (
    Decision,
    Rule,
    Wish,
    decide,
    facts_of,
    leaves,
    limits,
    parse_service,
    parse_subject,
    split,
    window,
)

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?")
FIELDS = ("name", "effect", "subject_kind", "subject", "service", "limits", "starts_at", "ends_at", "note")
MOST_NAMES = 12  # of those concerned
MOST_KNOWN = 20_000  # names that a hint is looked for in


@dataclasses.dataclass(frozen=True, kw_only=True)
class Concerned:
    """How many people in how many projects a subject is about, and some of them."""

    people: int
    projects: int
    some: Sequence[str]  # as `gregor in fg82`
    rule: str  # the subject as a rule, as it was understood


@transaction.atomic
def draft_policy(
    *,
    actor: User,
    name: str,
    effect: str,
    service: str,
    subject_kind: str = SubjectKind.EVERYONE,
    subject: str = "",
    limits: Mapping[str, object] | None = None,
    starts: str = "",
    ends: str = "",
    note: str = "",
) -> Policy:
    """A new policy that is not in force before it is proposed, and approved by somebody else.

    `starts` and `ends` are dates or such as `+3d2h`. Raises NotAllowed, Invalid with near names, Conflict.
    """
    access.require_portal(actor, "policy.propose")
    starts_at, ends_at = window(starts, ends, now=timezone.now())
    drafted = Policy(
        state=PolicyState.DRAFT, name=name, effect=effect, service=service, subject_kind=subject_kind,
        subject=subject, limits=limits or {}, starts_at=starts_at, ends_at=ends_at, note=note,
    )  # fmt: skip
    _check(drafted)
    return lifecycle.begin([drafted], actor=actor, verb="drafted")[0]


@transaction.atomic
def edit_policy(
    *, actor: User, policy: Policy, starts: str | None = None, ends: str | None = None, **changes: object
) -> Policy:
    """Change a draft; of one that was approved or retired a new edition is drafted, which is what this answers.

    What is not given stays. Raises NotAllowed, Invalid with near names, Conflict.
    """
    access.require_portal(actor, "policy.propose")
    _require_known(changes)
    if policy.state == PolicyState.PROPOSED:
        raise Conflict(f"{policy} is proposed; return it to a draft first, then change it.", state=policy.state)
    is_new = policy.state != PolicyState.DRAFT
    changed = Policy(**{name: getattr(policy, name) for name in FIELDS} | changes, series=policy.series)
    changed.starts_at, changed.ends_at = _window(policy, starts, ends)
    _check(changed)
    if is_new:
        return _next_edition(policy, changed, actor)
    lifecycle.change(policy, actor=actor, verb="edited", **{name: getattr(changed, name) for name in FIELDS})
    return policy


@transaction.atomic
def propose_policy(*, actor: User, policy: Policy) -> Policy:
    """Put a draft before those who may approve it. Raises NotAllowed, Invalid, IllegalTransition."""
    access.require_portal(actor, "policy.propose")
    _check(policy)
    if policy.ends_at and policy.ends_at <= timezone.now():
        raise Invalid(f"{policy} would have ended already, {policy.ends_at:%Y-%m-%d %H:%M} UTC.", field="ends")
    lifecycle.transition(policy, PolicyState.PROPOSED, actor=actor, proposed_by=actor)
    others = access.staff("policy.approve").exclude(pk=actor.pk)
    title = f"{actor.username} proposes the policy {policy}"
    notify(others, kind=NoticeKind.APPROVAL, title=title, text=sentence(policy), url=f"/staff/policies/{policy.pk}/")
    return policy


@transaction.atomic
def approve_policy(*, actor: User, policy: Policy) -> Policy:
    """Put a proposed policy in force, in place of the edition that is.

    Raises NotAllowed, Conflict, IllegalTransition.
    """
    access.require_portal(actor, "policy.approve")
    if policy.proposed_by_id == actor.pk:
        raise Conflict("Whoever proposes a policy cannot approve it; ask another operator or an administrator.")
    now = timezone.now()
    for former in Policy.objects.filter(series=policy.series, state=PolicyState.APPROVED):
        reason = f"Edition {policy.edition} took its place."
        lifecycle.transition(former, PolicyState.RETIRED, actor=actor, reason=reason, decided_at=now)
    lifecycle.transition(policy, PolicyState.APPROVED, actor=actor, approved_by=actor, decided_at=now)
    _tell_proposer(policy, actor, f"{actor.username} approved the policy {policy}")
    return policy


@transaction.atomic
def return_policy(*, actor: User, policy: Policy, reason: str) -> Policy:
    """Make a draft again of a proposed policy, with a reason; its proposer may too. Raises NotAllowed, Invalid."""
    access.require_portal(actor, "policy.propose" if policy.proposed_by_id == actor.pk else "policy.approve")
    lifecycle.transition(policy, PolicyState.DRAFT, actor=actor, verb="returned", reason=_reason(reason))
    _tell_proposer(policy, actor, f"{actor.username} returned the policy {policy}", text=reason)
    return policy


@transaction.atomic
def retire_policy(*, actor: User, policy: Policy, reason: str) -> Policy:
    """Put a policy out of force for good, or give up a draft. Raises NotAllowed, Invalid, IllegalTransition."""
    permission = "policy.approve" if policy.state == PolicyState.APPROVED else "policy.propose"
    access.require_portal(actor, permission)
    lifecycle.transition(policy, PolicyState.RETIRED, actor=actor, reason=_reason(reason), decided_at=timezone.now())
    return policy


def effective_policy(
    *, actor: User, user: User, project: Project, service: str, resources: Mapping[str, int] | None = None
) -> Decision:
    """What policies say to `user` in `project` about a service, explained. Raises NotAllowed, Invalid.

    Everybody may ask about themselves and, with `member.manage`, about the members of their projects.
    """
    if actor != user and not access.may(actor, "policy.view"):
        access.require(actor, "member.manage", project)
    if actor == user and not access.may(actor, "policy.view"):
        access.require(actor, "project.view", project)
    wish = Wish(service=service, resources=resources or {"instances": 1})
    return decide(actor=user, project=project, wish=wish)


def concerned(*, subject_kind: str, subject: str) -> Concerned:
    """Who a policy with this subject is about: who works where. Raises Invalid with near names."""
    _one_of("subject_kind", subject_kind, SubjectKind.values)
    rule = _subject(subject_kind, subject)
    places = Membership.objects.filter(project__state=ProjectState.ACTIVE, user__state=AccountState.ACTIVE)
    rows = places.values_list("user__username", "project__name", "role", "user__portal_roles", "user__is_superuser")
    found = []
    for username, project, role, portal_roles, is_admin in rows.order_by("user__username", "project__name"):
        facts = facts_of(username=username, project=project, role=role, portal_roles=portal_roles, is_admin=is_admin)
        if access.works(role) and (rule is None or rule.holds(facts)):
            found.append((username, project))
    return Concerned(
        people=len({username for username, _ in found}),
        projects=len({project for _, project in found}),
        some=[f"{username} in {project}" for username, project in found[:MOST_NAMES]],
        rule=str(rule) if rule else "everyone",
    )


def sentence(policy: Policy) -> str:
    """What a policy says, in words."""
    whom = "everyone" if policy.subject_kind == SubjectKind.EVERYONE else f"{policy.subject_kind} {policy.subject}"
    beyond = "up to" if policy.effect == Effect.ALLOW else "beyond"
    most = f" {beyond} {limits.written(policy.limits)}" if policy.limits else ""
    return f"{policy.get_effect_display()} {policy.service} for {whom}{most}."


def _check(policy: Policy) -> None:
    """Raises Invalid with near names, or Conflict for a name that another policy has."""
    if not NAME.fullmatch(policy.name):
        raise Invalid(
            f"{policy.name[:40]!r} cannot be a policy's name: use 1 to 60 small letters, digits and dashes.",
            field="name",
        )
    _one_of("effect", policy.effect, Effect.values)
    _one_of("subject_kind", policy.subject_kind, SubjectKind.values)
    policy.service = _service(policy.service)
    policy.subject = "" if policy.subject_kind == SubjectKind.EVERYONE else policy.subject.strip()
    _subject(policy.subject_kind, policy.subject)
    policy.limits = limits.checked(policy.limits)
    namesakes = Policy.objects.filter(name=policy.name).exclude(series=policy.series)
    if namesakes.exclude(state=PolicyState.RETIRED).exists():
        raise Conflict(f"There is a policy named {policy.name} already; change that one, or take another name.")


def _service(text: str) -> str:
    kind, names = parse_service(text)
    if len(text) > 200:
        raise Invalid("A service has at most 200 characters; make two policies of it.", field="service")
    return f"{kind}:{text.partition(':')[2].strip()}" if names else text


def _subject(kind: str, text: str) -> Rule | None:
    """The subject as a rule that names only what there is. Raises Invalid with near names."""
    rule = parse_subject(kind, text)
    for test in leaves(rule) if rule else ():
        if kind != SubjectKind.ROLE:
            _require_there(test.field, test.meant)
    if kind == SubjectKind.ROLE:
        roles = {*Role.values, *PortalRole.values, "admin"}
        _require_among("role", split(text), roles)
    return rule


def _require_there(field: str, names: Iterable[str]) -> None:
    known: Iterable[str] = {"role": Role.values, "portal_role": [*PortalRole.values, "admin"]}.get(field, ())
    if not known:
        column = "username" if field == "user" else "name"
        records = User.objects.all() if field == "user" else Project.objects.all()
        found = set(records.filter(**{f"{column}__in": list(names)}).values_list(column, flat=True))
        missing = set(names) - found
        known = list(records.values_list(column, flat=True)[:MOST_KNOWN]) if missing else found
    _require_among(field, names, known)


def _require_among(field: str, names: Iterable[str], known: Iterable[str]) -> None:
    there = set(known)
    for name in sorted(names):
        if name not in there:
            kind = field.replace("_", " ")
            raise Invalid(f"There is no {kind} {name[:60]!r}.{near(name[:60], there)}", field="subject", wanted=name)


def _one_of(field: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise Invalid(f"{field} is one of {', '.join(known)}; not {value[:40]!r}.{near(value, known)}", field=field)


def _require_known(changes: Mapping[str, object]) -> None:
    for name in changes:
        if name not in FIELDS or name in ("name", "starts_at", "ends_at"):
            raise Invalid(f"A policy's {name[:40]!r} cannot be changed.", field=name[:40])


def _window(
    policy: Policy, starts: str | None, ends: str | None
) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """The window after a change; an end that is not given stays."""
    if starts is None and ends is None:
        return policy.starts_at, policy.ends_at
    kept = [when.isoformat() if when else "" for when in (policy.starts_at, policy.ends_at)]
    return window(kept[0] if starts is None else starts, kept[1] if ends is None else ends, now=timezone.now())


def _next_edition(former: Policy, changed: Policy, actor: User) -> Policy:
    editions = Policy.objects.select_for_update(no_key=True).filter(series=former.series)
    under_way = [each for each in editions if each.state in (PolicyState.DRAFT, PolicyState.PROPOSED)]
    if under_way:
        raise Conflict(f"{under_way[0]} is {under_way[0].state} already; change that one.", policy=str(under_way[0].pk))
    newest: int = editions.aggregate(newest=Max("edition"))["newest"]
    changed.state, changed.edition = PolicyState.DRAFT, newest + 1
    return lifecycle.begin([changed], actor=actor, verb="drafted")[0]


def _reason(text: str) -> str:
    if not text.strip():
        raise Invalid("Say why, for those who read it later.", field="reason")
    return text.strip()[:1000]


def _tell_proposer(policy: Policy, actor: User, title: str, *, text: str = "") -> None:
    proposer: User | None = policy.proposed_by
    if proposer and proposer.pk != actor.pk:
        notify([proposer], kind=NoticeKind.APPROVAL, title=title, text=text, url=f"/staff/policies/{policy.pk}/")


def limits_text(policy: Policy) -> str:
    """The limits of a policy on one line."""
    return limits.written(policy.limits)


def changes_between(former: Policy, later: Policy) -> list[tuple[str, str, str]]:
    """What differs between two editions: field, before, after."""
    pairs = ((name, _text(getattr(former, name)), _text(getattr(later, name))) for name in FIELDS)
    return [(name, before, after) for name, before, after in pairs if before != after]


def _text(value: object) -> str:
    if isinstance(value, dict):
        return limits.written(value)
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return "" if value is None else str(value)


def editions_of(series: uuid.UUID) -> list[Policy]:
    """All editions of a policy, the newest first."""
    return list(Policy.objects.filter(series=series).select_related("proposed_by", "approved_by").order_by("-edition"))
