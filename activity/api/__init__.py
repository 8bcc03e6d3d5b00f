"""What every end point of the REST API is made of: bodies that are checked, answers that are quick, lists that page.

It stands in the lowest app since all others build on it, as `Stateful` does for records.
"""

from activity.api.answers import Answer, Few
from activity.api.bodies import Body, Flag, Named, OneOf, Text, Texts, Whole
from activity.api.lists import Filter, Lists, Signed, check_parameters, few, one, one_of, wanted_fields

__all__ = [
    "Answer",
    "Body",
    "Few",
    "Filter",
    "Flag",
    "Lists",
    "Named",
    "OneOf",
    "Signed",
    "Text",
    "Texts",
    "Whole",
    "check_parameters",
    "few",
    "one",
    "one_of",
    "wanted_fields",
]
