"""Checks what no compiler reads: templates compile and obey the content security policy, documents lead somewhere.

usage: documents.py     (from the top of the clone; prints what is wrong, one line each, and ends with 1)
"""

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import django
from django.template import TemplateSyntaxError
from django.template.loader import get_template

from cloudmesh.client import Client
from cloudmesh.client.asking import Asking

TEMPLATES = Path("templates")
METHODS = Path("cloudmesh/client/asynchronous.py")
LONGEST = 80  # lines of a template
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*\btype=\"application/json\")|<style\b|\son[a-z]+=|\sstyle=|javascript:",
    re.IGNORECASE,
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"env\(\"([A-Z_]+)\"|environ(?:\.get)?[\[(]\"([A-Z_]+)\"")


def templates() -> Iterator[str]:
    for path in sorted(TEMPLATES.rglob("*.*")):
        if path.suffix not in (".html", ".txt"):
            continue
        text = path.read_text()
        if text.count("\n") > LONGEST:
            yield f"{path}: has {text.count(chr(10))} lines, more than {LONGEST}"
        for match in INLINE.finditer(text) if path.parent.name != "mail" else ():  # mail programs know no style sheet
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: {match[0].strip()} is refused by the content security policy"
        try:
            get_template(str(path.relative_to(TEMPLATES)))
        except TemplateSyntaxError as error:
            yield f"{path}: {error}"


def links() -> Iterator[str]:
    """Each relative link of a document, and its anchor, must exist."""
    for path in documents():
        for target in LINK.findall(CODE.sub("", path.read_text())):
            place, _, anchor = unquote("".join(target)).partition("#")
            if ":" in place:
                continue
            goal = path.parent / place if place else path
            if not goal.exists():
                yield f"{path}: leads to {place}, which is not there"
            elif anchor and goal.suffix == ".md" and anchor not in anchors(goal.read_text()):
                yield f"{path}: leads to #{anchor}, which {goal} does not have"


def documents() -> list[Path]:
    return [*sorted(Path().glob("*.md")), *sorted(Path("docs").rglob("*.md"))]


def anchors(text: str) -> set[str]:
    """As GitHub makes them."""
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    return {word.replace(" ", "-") for word in words}


def pages() -> Iterator[str]:
    """Each driver and each setting is described."""
    groups = tomllib.loads(Path("pyproject.toml").read_text())["project"]["entry-points"]
    for name in groups["cloudmesh.clouds"]:
        page = Path(f"docs/howto/clouds/{name}.md")
        if not page.exists():
            yield f"pyproject.toml: the driver {name} has no page {page}"
    reference = Path("docs/reference/settings.md")
    described = reference.read_text() if reference.exists() else ""
    found = SETTING.findall(Path("portal/settings.py").read_text())
    for name in sorted({f"CLOUDMESH_{ours}" if ours else other for ours, other in found}):
        if name not in described:
            yield f"{reference}: does not describe {name}"


def asynchronous() -> Iterator[str]:
    """Type checkers know all methods of the asynchronous client."""
    known = {name for name in dir(Client) if name[0] != "_" and not hasattr(Asking, name)}
    written = set(re.findall(r"^        (\w+) = (?:answered|listed)\(", METHODS.read_text(), re.MULTILINE))
    if known != written:
        names = ", ".join(sorted(known ^ written))
        yield f"{METHODS}: {names} differ from Client. Run: .venv/bin/python .ci/asynchronous.py"


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    sys.path.insert(0, str(Path.cwd()))
    django.setup()
    wrong = [*templates(), *links(), *pages(), *asynchronous()]
    print("\n".join(wrong) or "Templates and documents are sound.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
