"""What policies say about a wish, and the language in which they say whom they are about."""

from projects.models import Effect
from projects.policy.decide import Decision, Ruling, Used, Wish, concerns, decide, facts_of, in_force
from projects.policy.limits import RESOURCES
from projects.policy.rule import FIELDS, Rule, RuleError, leaves, parse
from projects.policy.scope import covered, parse_service, parse_subject, split
from projects.policy.window import window

__all__ = [
    "FIELDS",
    "RESOURCES",
    "Decision",
    "Effect",
    "Rule",
    "RuleError",
    "Ruling",
    "Used",
    "Wish",
    "concerns",
    "covered",
    "decide",
    "facts_of",
    "in_force",
    "leaves",
    "parse",
    "parse_service",
    "parse_subject",
    "split",
    "window",
]
