"""YAML as nodes that know their places. Nothing in it is constructed or converted: values stay the text they are,
so that a password of digits stays one."""

import re
from typing import Any, NamedTuple

import yaml

from cloudmesh.errors import Invalid

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML was built with it
LARGEST = 256 * 1024  # characters
DEEPEST = 16
SHOWN = 120  # characters of a line
TAB = "a tab stands where lines are indented, which only spaces may"
NULL = "tag:yaml.org,2002:null"
ENDS = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # of lines, as YAML counts them
NAMED = re.compile(r"\s*(- +)*[\"']?[\w.-]+[\"']?\s*:")
SECRETIVE = re.compile(r"(pass|secret|key|token|private|credential)[\w-]*[\"']?\s*[:=]?", re.IGNORECASE)

Tree = Any  # dicts of text to trees, lists of trees, and text


class Document(NamedTuple):
    """A text that should be YAML; `what` it is called when something is wrong, `field` where it was given."""

    text: str
    what: str
    field: str = ""

    def root(self) -> yaml.Node | None:
        """Raises Invalid with the place that is wrong."""
        try:
            self._refuse_tricks()
            root: yaml.Node | None = yaml.compose(self.text, Loader=LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            words = TAB if self._is_tab(mark) else error.problem or error.context
            raise self.wrong(f"{words}. Correct it there.", mark) from None
        except yaml.YAMLError:
            raise self._invalid(f"{_begin(self.what)} holds characters that are no text.") from None
        return root

    def pairs(self, node: yaml.Node, name: str, advice: str = "") -> dict[str, yaml.Node]:
        """What a mapping says, by name; raises Invalid for anything else."""
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(f"{name} should be lines of `name: value`.{advice}", node.start_mark)
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            said = self.scalar(key, "a name")
            if said in found:
                raise self.wrong(f"{said!r} stands twice in {name}. Remove one of them.", key.start_mark)
            found[said] = value
        return found

    def scalar(self, node: yaml.Node, name: str) -> str:
        """A single value; empty text for none."""
        if not isinstance(node, yaml.ScalarNode):
            raise self.wrong(f"{name} should be a single value.", node.start_mark)
        return "" if node.tag == NULL else str(node.value)

    def tree(self, node: yaml.Node, name: str = "the file") -> Tree:
        if isinstance(node, yaml.MappingNode):
            return {key: self.tree(value, f"`{key}`") for key, value in self.pairs(node, name).items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.tree(each, name) for each in node.value]
        return self.scalar(node, name)

    def wrong(self, words: str, mark: Any) -> Invalid:
        """The error about a place: its line and column, and the line itself as far as it holds no secret."""
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        shown = masked(ENDS.split(self.text), line)
        facts = {"line": line, "column": column, **({"hint": shown} if shown else {})}
        return self._invalid(f"Line {line}, column {column} of {self.what}: {words}", **facts)

    def _is_tab(self, mark: Any) -> bool:
        lines = ENDS.split(self.text)
        return bool(mark) and mark.line < len(lines) and lines[mark.line][mark.column : mark.column + 1] == "\t"

    def _invalid(self, message: str, **facts: Any) -> Invalid:
        return Invalid(message, **({"field": self.field} if self.field else {}), **facts)

    def _refuse_tricks(self) -> None:
        """Aliases can make a small file enormous, deep nesting can exhaust the reader; no such file needs either."""
        depth = 0
        for event in yaml.parse(self.text, Loader=LOADER):
            if isinstance(event, yaml.AliasEvent):
                raise self.wrong(f"the alias *{event.anchor} is not read here. Write the values out.", event.start_mark)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise self.wrong("it is nested too deeply.", event.start_mark)


def decoded(file: str | bytes, what: str, field: str = "") -> str:
    """The text of a file; raises Invalid for one that is too large or no text."""
    facts = {"field": field} if field else {}
    if len(file) > LARGEST:
        raise Invalid(f"{_begin(what)} has at most {LARGEST // 1024} KiB; this is another file.", **facts)
    try:
        return file.decode("utf-8-sig") if isinstance(file, bytes) else file.removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise Invalid(f"{_begin(what)} is not text in UTF-8.", **facts) from None


def masked(lines: list[str], number: int) -> str:
    """A line as it may be shown: what follows a name like `password` is left out, on lines below such a name too."""
    line = lines[number - 1] if number <= len(lines) else ""
    heads = (each for each in reversed(lines[: number - 1]) if NAMED.match(each))
    if not NAMED.match(line) and SECRETIVE.search(next(heads, "")):
        return "…"
    secret = SECRETIVE.search(line)
    shown = f"{line[: secret.end()]} …" if secret else line
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"


def _begin(what: str) -> str:
    """As the first word of a sentence."""
    return what[:1].upper() + what[1:] if what.startswith("this ") else what
