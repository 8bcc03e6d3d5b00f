"""What an end point is sent: JSON objects of known fields with values of the right type, or a sentence why not."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from cloudmesh.errors import Invalid, near
from cloudmesh.types import Json

KINDS = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
SHOWN = 40  # characters of a wrong value that are told back


def kind(value: Any) -> str:
    """What a JSON value is, in a word; the value itself may be a secret."""
    return KINDS.get(type(value), "null")


class Body(serializers.Serializer[Any]):
    """The fields of a request. Unknown ones are refused: a misspelt option must not be taken for none."""

    @classmethod
    def parse(cls, request: Request) -> Json:
        """What was sent, with the fields that were given. Raises Invalid, ValidationError."""
        given = request.data
        if not isinstance(given, dict):
            raise Invalid(f"The body must be a JSON object, {{…}}, not {kind(given)}.")
        body = cls(data=given)
        known = list(body.fields)
        for name in given:
            if name not in known:
                raise Invalid(
                    f"There is no field {name[:SHOWN]!r} here; there are: {', '.join(known) or 'none'}."
                    + near(name[:SHOWN], known),
                    field=name[:SHOWN],
                )
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


class Text(serializers.CharField):
    """Text; empty is the same as not given unless the field is required."""

    def __init__(self, **options: Any) -> None:
        if not options.get("required", True):
            options.setdefault("allow_blank", True)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(f"{self.field_name} must be text, not {kind(data)}.")
        return super().to_internal_value(data)


class Texts(serializers.ListField):
    """A list of texts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=Text(), **options)

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            raise serializers.ValidationError(f"{self.field_name} must be a list of texts.")
        texts: list[str] = super().to_internal_value(data)
        return texts


class Whole(serializers.IntegerField):
    """A whole number: no text, no fraction, no true."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            raise serializers.ValidationError(f"{self.field_name} must be a whole number, not {str(data)[:SHOWN]!r}.")
        return data


class Flag(serializers.BooleanField):
    """True or false, and nothing that only looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError(f"{self.field_name} must be true or false, not {kind(data)}.")
        return data


class OneOf(serializers.ChoiceField):
    """One of some words."""

    def to_internal_value(self, data: Any) -> str:
        known = [str(choice) for choice in self.choices]
        if data not in known:
            shown = str(data)[:SHOWN]
            raise serializers.ValidationError(
                f"{self.field_name} is one of {', '.join(known)}; not {shown!r}.{near(shown, known)}"
            )
        return str(data)


class Named(serializers.DictField):
    """Texts by name: the fields of a credential, an image for each cloud. No value is told back: it may be a secret."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.CharField(trim_whitespace=False, allow_blank=True), **options)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict):
            raise serializers.ValidationError(f"{self.field_name} must be an object, not {kind(data)}.")
        for name, value in data.items():
            if not isinstance(value, str | bool) or "\x00" in f"{name}{value}":
                raise serializers.ValidationError({name[:SHOWN]: f"{name[:SHOWN]} must be text, not {kind(value)}."})
        return {name: str(value).lower() if isinstance(value, bool) else value for name, value in data.items()}
