"""Documents of PBS as tables: JSON of OpenPBS that may be none, XML of Torque, and text.

Numbers stay the text that they are: a job may be called 1e5 or 007.
"""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

from cloudmesh.errors import Busy
from cloudmesh.types import Json

LINE = re.compile(r'\s*(?:"(?P<key>.*?)":\s*)?(?P<value>\{|\[|".*"|[^",{}\[\]]+|"[^"]*)(?P<comma>,?)\s*')
BRACKETS = re.compile(r"\s*[\]}],?\s*")
ESCAPED = re.compile(r'\\(["\\/,\'])')
HEAD = re.compile(r"(?:Queue|Server|Job Id):\s*(\S+)\s*")
PAIR = re.compile(r" {4}(\S+) = (.*)")


def document(output: bytes) -> Json:
    """What `-F json` writes.

    OpenPBS up to 22.05 writes values into it as they are: quotes and backslashes in names, numbers such as 007, and
    nan (openpbs issues 1255 and 2541). What is no JSON then is read by its lines, of which each has one value.
    Raises Busy where it is none of both.
    """
    text = output.decode(errors="replace")
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, strict=False)
    except ValueError:
        found = _by_lines(text)
    if not isinstance(found, dict):
        raise Busy("PBS did not answer in its JSON: the answer broke off, or a profile of the login node talks.")
    return found


def _by_lines(text: str) -> Json | None:
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or end < begin:
        return None
    root: Json = {}
    open_ones: list[Any] = [root]
    for line in text[begin + 1 : end].splitlines():
        if not line.strip():
            continue
        if BRACKETS.fullmatch(line):
            open_ones.pop()
            if not open_ones:
                return None
        elif (found := LINE.fullmatch(line)) and not _add(open_ones, found["key"], found["value"]):
            return None
    return root if len(open_ones) == 1 else None


def _add(open_ones: list[Any], key: str | None, value: str) -> bool:
    """Put one value where it belongs; answers whether it could be put there."""
    inside = open_ones[-1]
    made: Any = {"{": {}, "[": []}.get(value)
    if made is None:
        made = ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value.strip()
    if isinstance(inside, list):
        inside.append(made)
    elif key is None:
        return False
    else:
        inside[key] = made
    if value in "{[":
        open_ones.append(made)
    return True


def elements(output: bytes, kind: str) -> list[Json]:
    """What is under `<Data>` in XML of Torque, each `<Job>` or `<Node>` a table; no answer at all is none of them.

    Raises Busy where it is no XML.
    """
    text = output.decode(errors="replace").strip()
    begin = text.find("<Data")
    if begin < 0 and not text.removeprefix('<?xml version="1.0"?>').strip():
        return []
    try:
        root = ET.fromstring("".join(filter(_is_xml, text[begin:])))  # noqa: S314  # without a DTD: it begins at <Data
    except ET.ParseError as error:
        raise Busy(
            "PBS did not answer in its XML: the answer broke off, or a profile of the login node talks."
        ) from error
    return [_element(each) for each in root.iter(kind)]


def _is_xml(letter: str) -> bool:
    return letter >= " " or letter in "\t\n\r"


def _element(element: ET.Element) -> Any:
    return {child.tag: _element(child) for child in element} if len(element) else (element.text or "")


def blocks(output: bytes) -> Iterator[tuple[str, Json]]:
    """Names and tables of `Queue: NAME` and lines of `    key = value`, which go on after a tab."""
    name = ""
    facts: Json = {}
    for line in output.decode(errors="replace").replace("\n\t", "").splitlines():
        if head := HEAD.fullmatch(line):
            if name:
                yield name, facts
            name, facts = head[1], {}
        elif pair := PAIR.fullmatch(line):
            outer, dot, inner = pair[1].partition(".")
            if dot:
                facts.setdefault(outer, {})[inner] = pair[2]
            else:
                facts[outer] = pair[2]
    if name:
        yield name, facts
