"""The few words that templates need beyond Django's: states, ages, icons, limits, and what `cm` would do.

A builtin of all templates, so no page loads it.
"""

import datetime
import functools
import json
import shlex
from typing import Any, Protocol

from django import template
from django.template.context import RequestContext
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cloudmesh.types import walltime

register = template.Library()

TONES = {  # of a dot: what a person should feel about a state, whatever it is a state of
    "ok": {"active", "available", "in-use", "ok", "succeeded", "approved",
           "completed", "free", "open"},
    "busy": {
        "requested", "building", "rebooting", "resizing", "changing", "deleting", "pending",
        "creating", "attaching", "detaching",
        "queued", "running", "verifying", "removing", "submitted",
        "starting", "ending", "mixed", "busy",
    },
    "wait": {
        "waiting_approval", "unverified", "paused", "suspended", "shelved", "rescued", "slow", "deprecated",
        "returned", "applied", "confirmed", "proposed",
        "closed", "reserved", "draining", "drained",
    },
    "bad": {"error", "failed", "refused", "rejected", "down", "missing", "denied", "blocked",
            "timeout", "lost"},
}  # fmt: skip
TONE = {state: tone for tone, states in TONES.items() for state in states}
#: Where a word means something else of one kind: a job that waits is not being worked on.
TONE_OF = {("job", "queued"): "wait", ("queue", "stopped"): "wait"}
WORDS = {"waiting_approval": "waiting for approval"}
GLYPHS = {  # of what can be done to a server
    "start": "player-play", "resume": "player-play", "unpause": "player-play", "stop": "player-stop",
    "pause": "player-pause", "reboot": "rotate-clockwise", "suspend": "zzz", "shelve": "archive",
    "unshelve": "archive-off", "rename": "pencil", "delete": "trash", "console": "terminal-2",
    "console-log": "file-code", "ip-assign": "world", "ip-unassign": "world", "ip-release": "world",
    "attach": "plug", "detach": "plug-off",
    "label": "adjustments-horizontal", "resize": "ruler-2", "snapshot": "disc",
    "hold": "player-pause", "release": "player-play", "cancel": "ban",
}  # fmt: skip
SOURCES = {  # of a default: who said so
    "option": "as you chose",
    "own": "your default",
    "project": "the project's default",
    "portal": "the portal's default",
    "first": "the first that fits",
    "none": "",
}
DEEDS = {
    "server.create": "Boot", "volume.create": "Make", "server.act": "Change", "cloud.verify": "Verify",
    "server.snapshot": "Make an image", "server.refresh": "Read anew", "image.delete": "Delete the image",
}  # fmt: skip
PAGES = {
    "server": "clouds:server-detail", "cloud": "clouds:cloud-detail", "operation": "operations:detail",
    "volume": "clouds:volume-detail", "project": "projects:project-detail",
    "application": "projects:application-detail", "job": "hpc:job-detail", "scheduler": "hpc:cluster-detail",
}  # fmt: skip
AGES = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
RESOURCES = {"ram": "memory", "floating_ips": "public addresses", "instances": "servers", "disk": "volumes' size"}


@register.simple_tag
@functools.cache
def icon(name: str, css: str = "") -> SafeString:
    """A decorative icon of the sprite; its button or link says in words what it does."""
    sprite = static("vendor/icons.svg")
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        sprite,
        GLYPHS.get(name, name),
    )


@register.simple_tag
def state(thing: Any, reason: str = "") -> SafeString:
    """A coloured dot and the word, of a record with a `state` or of a bare word."""
    word = str(getattr(thing, "state", thing) or "unknown")
    why = reason or str(getattr(thing, "state_reason", "") or "")
    label = WORDS.get(word, word.replace("_", " "))
    colour = TONE_OF.get((str(getattr(thing, "KIND", "")), word)) or TONE.get(word, "off")
    dot = format_html('<span class="state tone-{}" title="{}">', colour, why)
    return dot + format_html('<span class="dot" aria-hidden="true"></span>{}</span>', label)


@register.filter
def tone(word: str) -> str:
    """The colour of a state, for what is not a state's own dot."""
    return TONE.get(word, "off")


@register.filter
def deed(kind: str) -> str:
    """What an operation's kind is in words.

    >>> deed("server.create"), deed("server.console_log")
    ('Boot', 'Console log')
    """
    return DEEDS.get(kind) or kind.partition(".")[2].replace("_", " ").capitalize()


@register.filter
def source(word: str) -> str:
    """Who said what a default is."""
    return SOURCES.get(word, word)


@register.simple_tag
def page(kind: str, pk: object) -> str:
    """Where a record has its page; nothing where it has none."""
    return reverse(PAGES[kind], args=[pk]) if pk and kind in PAGES else ""


class Told(Protocol):
    """What of an event is told."""

    kind: str
    name: str
    verb: str
    to_state: str
    object_id: Any
    data: dict[str, Any]


@register.inclusion_tag("components/told.html", takes_context=True)
def told(context: RequestContext, event: Told) -> dict[str, str]:
    """What happened to what, with a link to it unless this is its own page."""
    url = page(event.kind, event.object_id)
    is_here = "request" in context and url == context["request"].path
    kind = event.kind.replace("_", " ")
    return {"kind": kind, "name": called(event), "what": happened(event), "url": "" if is_here else url}


def happened(event: Told) -> str:
    """In words; what only changed is told by what it is now."""
    verb, state = event.verb.replace("_", " "), WORDS.get(event.to_state, event.to_state.replace("_", " "))
    if step := event.data.get("step"):
        return str(step)
    if state and verb in ("drifted", "found"):
        return f"{verb}: {state}"
    return state if state and verb == "changed" else verb


def called(event: Told) -> str:
    """An operation's name begins with its kind: `server.create gregor_7`."""
    if event.kind != "operation":
        return event.name
    kind, _, target = event.name.partition(" ")
    return f"{deed(kind)} {target}".strip()


@register.simple_tag
def age(when: datetime.datetime | None, never: str = "never", of: object = "") -> SafeString:
    """How long ago, in words that live.js keeps true; `of` names the cloud whose next reading makes it new."""
    if when is None:
        return format_html('<span class="age">{}</span>', never)
    exact = when.astimezone(datetime.UTC)
    return format_html(
        '<time class="age" datetime="{}" title="{} UTC" data-of="{}">{}</time>',
        exact.isoformat(timespec="seconds"),
        f"{exact:%Y-%m-%d %H:%M:%S}",
        of,
        ago(when),
    )


def ago(when: datetime.datetime) -> str:
    seconds = int((timezone.now() - when).total_seconds())
    for size, unit in AGES:
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


@register.inclusion_tag("components/cm.html")
def cm(words: str, *names: object) -> dict[str, str]:
    """The `cm` command that does or shows the same, ready to copy; names are quoted as a shell needs it."""
    return {"command": " ".join(["cm", words, *(shlex.quote(str(name)) for name in names)])}


@register.inclusion_tag("components/sort.html", takes_context=True)
def sort(context: RequestContext, key: str, label: str, css: str = "") -> dict[str, Any]:
    """A column head that sorts: once up, again down. The order in force is `sort` of the page."""
    current = str(context.get("sort", ""))
    wanted = f"-{key}" if current == key else key
    query = context["request"].GET.copy()
    query.pop("page", None)
    query["sort"] = wanted
    order = {key: "ascending", f"-{key}": "descending"}.get(current, "none")
    return {"url": f"?{query.urlencode()}", "label": label, "order": order, "css": css}


class Use(Protocol):
    """How much of a resource is taken; a limit of None is none that is known."""

    @property
    def used(self) -> int: ...

    @property
    def limit(self) -> int | None: ...


@register.inclusion_tag("components/bar.html")
def bar(resource: str, use: Use, *, is_worked: bool = False) -> dict[str, Any]:
    """How much is used of how much; a machine that is worked to the full is no reason to worry."""
    used, most = amount(resource, use.used), amount(resource, use.limit)
    return {
        "label": resource_name(resource),
        "used": use.used,
        "most": use.limit,
        "tone": "busy" if is_worked else fullness(use),
        "text": f"{used} of {most}" if most else used,
    }


@register.simple_tag(name="use")
def use_of(resource: str, use: Use) -> SafeString:
    """How much is used of how much, in a cell of a table; its colour says when it is nearly all."""
    used, most = amount(resource, use.used), amount(resource, use.limit)
    return format_html('<span class="state tone-{}">{}{}</span>', fullness(use), used, f" of {most}" if most else "")


@register.filter
def resource_name(resource: str) -> str:
    """What people call a resource.

    >>> resource_name("floating_ips"), resource_name("server_groups")
    ('public addresses', 'server groups')
    """
    return RESOURCES.get(resource, resource.replace("_", " "))


def fullness(use: Use) -> str:
    if use.limit is None or use.used < 0.8 * use.limit:
        return "ok"
    return "wait" if use.used < use.limit else "bad"


def amount(resource: str, value: int | None) -> str:
    if value is None:
        return ""
    if resource == "disk":
        return f"{value} GiB"
    return memory(value) if resource == "ram" else str(value)


@register.filter
def memory(mebibytes: int) -> str:
    """MiB as people say it.

    >>> memory(512), memory(2048), memory(1536)
    ('512 MiB', '2 GiB', '1.5 GiB')
    """
    if mebibytes < 1024:
        return f"{mebibytes} MiB"
    return f"{mebibytes / 1024:.1f}".removesuffix(".0") + " GiB"


@register.filter
def clock(seconds: int | None) -> str:
    """How long, as `squeue` writes it; nothing of nothing.

    >>> clock(5400), clock(None)
    ('1:30:00', '')
    """
    return "" if seconds is None else walltime(seconds)


@register.filter
def pretty(value: object) -> str:
    """JSON for people to read."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.simple_tag
def vals(**values: object) -> str:
    """The JSON of `hx-vals`, for a single-quoted or double-quoted attribute alike: Django escapes it."""
    return json.dumps({key: str(value) for key, value in values.items()})
