"""What the browser is sent: nothing but what is listed, nothing inline, nothing too long."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import get_template

from cloudmesh.shell.main import cm
from portal.templatetags import cloudmesh

STATIC = settings.BASE_DIR / "static"
TEMPLATES = settings.BASE_DIR / "templates"
PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if path.parent.name != "mail")  # mails have no stylesheet
NAMES = [str(path.relative_to(TEMPLATES)) for path in PAGES]
INLINE = re.compile(
    r"<script(?![^>]*\ssrc=)|<style\b|\sstyle\s*=|\son[a-z]+\s*=|\shx-on\b|javascript:|https?://(?!www\.w3\.org)",
    re.IGNORECASE,
)
COMMAND = re.compile(r'(?:{% cm "|data(?:-confirm)?-cm="cm )(\w+) (\w+)([^"]*)"')


def test_the_hash_list_is_true_and_complete() -> None:
    listed = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", (STATIC / "vendor/HASHES").read_text(), re.MULTILINE))
    present = {path.name: path for path in (STATIC / "vendor").iterdir() if path.name != "HASHES"}
    assert {hashlib.sha256(path.read_bytes()).hexdigest(): name for name, path in present.items()} == listed


@pytest.mark.parametrize("name", NAMES)
def test_a_template_compiles_has_nothing_inline_and_is_short(name: str) -> None:
    text = (TEMPLATES / name).read_text()
    assert get_template(name)
    assert INLINE.findall(text) == []
    assert text.count("\n") <= (20 if name.endswith("_row.html") else 80)


@pytest.mark.parametrize("bad", ["<script>x</script>", '<p style="x">', '<a onclick="x">', '<a hx-on:click="x">'])
def test_the_check_for_inline_code_finds_it(bad: str) -> None:
    assert INLINE.search(bad)


def test_the_sprite_holds_just_the_icons_in_use() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "vendor/icons.svg").read_text()))
    assert drawn == set(icons_in_use())


def test_every_live_part_can_re_read_itself() -> None:
    parts = [
        tag
        for path in PAGES
        for tag in re.findall(r"<[a-z]+ [^<]*data-live(?:-list|-any|=)[^<]*?>\s", path.read_text())
    ]
    live = [part for part in parts if 'data-live="event:' not in part]
    assert len(live) > 8
    assert [
        part for part in live if not all(word in part for word in (' id="', "hx-get=", 'live" hx-swap', "outerHTML"))
    ] == []


def test_every_include_and_static_file_is_there() -> None:
    text = "".join(path.read_text() for path in PAGES)
    included = set(re.findall(r"{% (?:include|extends) \"([^\"]+)\"", text))
    static = set(re.findall(r"{% static '([^']+)'", text))
    assert all(get_template(name) for name in included)
    assert {name for name in static if not finders.find(name)} == set()


@pytest.mark.parametrize("script", ["charts.js", "live.js", "page.js", "theme.js"])
def test_a_script_is_short_and_evaluates_nothing(script: str) -> None:
    text = Path(STATIC / script).read_text()
    assert text.count("\n") < 300
    assert re.findall(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", text) == []


def test_every_command_that_a_page_shows_exists() -> None:
    shown = {match for path in PAGES for match in COMMAND.findall(path.read_text())}
    assert len(shown) > 8
    for noun, verb, rest in shown:
        assert set(re.findall(r"--[\w-]+", rest)) <= options(noun, verb, *rest.split()[:1]), f"cm {noun} {verb}"


def test_every_field_of_the_boot_dialog_is_an_option_of_the_shell() -> None:
    text = "".join(path.read_text() for path in PAGES if path.name.startswith("_boot"))
    named = set(re.findall(r'data-option="(--[\w-]+)"', text)) | set(
        re.findall(r'_boot_choice.html" with name="(\w+)"', text)
    )
    assert {f"--{name.removeprefix('--')}" for name in named} <= options("vm", "boot")
    assert len(named) == 9


def options(noun: str, verb: str, *more: str) -> set[str]:
    """Of a command, or of the one of its own that it is followed by."""
    group = cm.commands[noun]
    assert isinstance(group, click.Group), noun
    command = group.get_command(click.Context(group), verb)
    assert command, f"there is no cm {noun} {verb}"
    if isinstance(command, click.Group):
        command = command.commands[more[0]]
    return {option for parameter in command.params for option in parameter.opts}


def icons_in_use() -> Iterator[str]:
    for path in PAGES:
        text = path.read_text()
        for name in re.findall(r"{% icon \"([\w-]+)\"", text) + re.findall(r"symbol=\"([\w-]+)\"", text):
            yield cloudmesh.GLYPHS.get(name, name)
    yield from cloudmesh.GLYPHS.values()
