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

#: A line of JSON that is right, as OpenPBS breaks its lines; and any of its lines with a value.
RIGHT = re.compile(
    r'\s*(?:"(?:[^"\\]|\\["\\/bfnrt])*":\s*)?'
    r'(?:"(?:[^"\\]|\\["\\/bfnrt])*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|[{[]|(?=[\]}]))?[\]}]*,?\s*'
)
VALUE = re.compile(r'\s*(?:"(?P<key>.*?)":\s*)?(?P<value>".*"|[^",{}\[\]]+)(?P<comma>,?)\s*')
ESCAPED = re.compile(r'\\(["\\/,\'])')
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
HEAD = re.compile(r"(?:Queue|Server|Job Id):\s*(\S+)\s*")
PAIR = re.compile(r" {4}(\S+) = (.*)")


def document(output: bytes) -> Json:
    """What `-F json` writes.

    OpenPBS up to 22.05 writes values into it as they are: quotes and backslashes in names, numbers such as 007, and
    nan (openpbs issues 1255 and 2541). Each stands on a line of its own; those that are wrong are put right.
    Raises Busy where it is no JSON then either.
    """
    text = output.decode(errors="replace")
    try:
        found = _loaded(text)
    except ValueError:
        found = _mended(text)
    if not isinstance(found, dict):
        raise Busy("PBS did not answer in its JSON: the answer broke off, or a profile of the login node talks.")
    return found


def _loaded(text: str) -> Any:
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str, strict=False)


def _mended(text: str) -> Any:
    lines = (line if RIGHT.fullmatch(line) else VALUE.sub(_right, line, count=1) for line in text.split("\n"))
    try:
        return _loaded("\n".join(lines))
    except ValueError:
        return None


def _right(found: re.Match[str]) -> str:
    """A line with its value as a text of JSON."""
    value = found["value"]
    text = ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value.strip()
    key = "" if found["key"] is None else f"{json.dumps(found['key'])}:"
    return f"{key}{json.dumps(text)}{found['comma']}"


def elements(output: bytes, kind: str) -> list[Json]:
    """What is under `<Data>` in XML of Torque, each `<Job>` or `<Node>` a table; no answer at all is none of them.

    Raises Busy where it is no XML.
    """
    text = output.decode(errors="replace").strip()
    begin = text.find("<Data")
    if begin < 0 and not text.removeprefix('<?xml version="1.0"?>').strip():
        return []
    try:
        root = ET.fromstring(NOT_XML.sub("", text[begin:]))  # noqa: S314  # without a DTD: it begins at <Data
    except ET.ParseError as error:
        raise Busy(
            "PBS did not answer in its XML: the answer broke off, or a profile of the login node talks."
        ) from error
    return [_element(each) for each in root.iter(kind)]


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
