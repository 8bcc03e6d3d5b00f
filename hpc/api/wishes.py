"""What is sent to submit jobs, to change them and to read what they wrote."""

import base64
import binascii
from typing import Any

from rest_framework import serializers

from activity.api import Body, Flag, OneOf, Text, Texts, Whole
from cloudmesh.errors import Invalid
from cloudmesh.types import Json
from hpc import services
from operations.models import Patience

#: What a job asks for, which a template may have said already.
WANTED = ("cluster", "queue", "account", "qos", "nodes", "tasks", "cores", "gpus", "memory", "walltime", "array")


class Files(serializers.ListField):
    """Files as `{path, content}`, the content as base64."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.DictField(child=serializers.CharField()), **options)

    def to_internal_value(self, data: Any) -> list[Json]:
        if not isinstance(data, list):
            raise serializers.ValidationError(f"{self.field_name} must be a list of {{path, content}}.")
        return [self._file(each) for each in data]

    def _file(self, data: Any) -> Json:
        fields = isinstance(data, dict) and data.keys() == {"path", "content"} and set(map(type, data.values()))
        if fields != {str}:
            raise serializers.ValidationError(f"Each of {self.field_name} is {{path, content}}, both texts.")
        try:
            return {"path": data["path"], "content": base64.b64decode(data["content"], validate=True)}
        except (binascii.Error, ValueError):
            raise serializers.ValidationError(f"The content of {data['path'][:60]!r} must be base64.") from None


class Values(serializers.DictField):
    """Values for the parameters of a template, by name; the service says which there are."""

    def to_internal_value(self, data: Any) -> Json:
        if not isinstance(data, dict):
            raise serializers.ValidationError(f"{self.field_name} must be an object such as {{size: 3}}.")
        return data


class JobRequest(Body):
    script = Text(required=False, trim_whitespace=False, help_text="Or command, or template")
    command = Text(required=False, help_text="One line for a shell")
    template = Text(required=False, help_text="A template's name or id")
    values = Values(required=False, help_text="For the template's parameters")
    cluster = Text(required=False, help_text="Your usual one if not given")
    project = Text(required=False, help_text="Your default one if not given")
    name = Text(required=False)
    queue = Text(required=False)
    account = Text(required=False)
    qos = Text(required=False)
    nodes = Whole(required=False)
    tasks = Whole(required=False, help_text="All together")
    cores = Whole(required=False, help_text="Of each task")
    gpus = Whole(required=False, help_text="On each node")
    memory = Whole(required=False, help_text="MiB on each node")
    walltime = Whole(required=False, help_text="Seconds")
    array = Text(required=False, help_text="Such as 1-10 or 1-100%5")
    after = Texts(required=False, help_text="Ids of the scheduler: jobs that must have succeeded before")
    is_held = Flag(required=False)
    experiment = Flag(required=False, help_text="In a numbered directory of its own; true if not given")
    files = Files(required=False, help_text="That go into that directory: {path, content as base64}")
    if_down = OneOf(Patience.choices, required=False, help_text="What to do while the scheduler does not answer")

    @classmethod
    def parse(cls, request: Any) -> Json:
        """As services take it, but for project, cluster and template. Raises Invalid, ValidationError."""
        wish = super().parse(request)
        ways = [way for way in ("script", "command", "template") if wish.get(way)]
        if len(ways) > 1:
            raise Invalid(f"Say what is to run in one way, not by {' and '.join(ways)}.", field=ways[1])
        if wish.get("command"):
            wish["script"] = wish["command"]
        return wish


class JobsRequest(Body):
    action = OneOf(list(services.ACTIONS))
    jobs = Texts(help_text="Ids of the portal or the scheduler, names, hostlists or globs")
    cluster = Text(required=False, help_text="Only at this cluster")
    project = Text(required=False, help_text="Only in this project")


class ReadRequest(Body):
    which = OneOf(services.FILES, required=False)
    path = Text(required=False, help_text="Of a file in the directory of its experiment, instead of `which`")
    offset = Whole(required=False, help_text="Bytes; a negative one counts from the end")
    most = Whole(required=False, help_text="Bytes")
    raw = Flag(required=False, help_text="Answer the bytes as base64 in `data`, not as `text`")


class PathRequest(Body):
    path = Text(required=False, help_text="A directory below that of its experiment")


class NumbersRequest(Body):
    numbers = Texts(help_text="Numbers of experiments, 3 or [5-7]")
