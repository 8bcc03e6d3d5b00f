"""What the commands of Grid Engine write: XML that may be none, and text.

Names stand in the XML of some versions as they are, so that one of them can make it invalid; then what is between the
tags of a line is escaped. `qstat -j` says in XML, with exit code 0, that the qmaster did not answer.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from cloudmesh.errors import Busy
from cloudmesh.types import Json
from hpc.drivers.gridengine import failures

LINE = re.compile(r"^(?P<begin>[ \t]*<(?P<tag>\w+)(?: [^>\n]*)?>)(?P<text>.*)(?P<end></(?P=tag)>[ \t]*)$", re.MULTILINE)
BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)")
CONTROLS = {code: " " for code in range(32) if chr(code) not in "\t\n\r"}
FAILED, UNKNOWN = "comunication_error", "unknown_jobs"  # its own spelling
RULER = re.compile(r"^={20,}\s*$", re.MULTILINE)
PAIR = re.compile(r"^(\S+)[ \t]+(.*?)[ \t]*$", re.MULTILINE)
CONTINUED = re.compile(r"\\\n\s*")


def tree(output: bytes, *roots: str) -> ET.Element:
    """A document that is one of these; raises what it says where it says a failure, Busy where it is none of them."""
    text = output.decode(errors="replace").translate(CONTROLS)
    begin = text.find("?>") + 2 if "<?xml" in text[:1000] else 0
    try:
        found = _parsed(text[begin:].strip())
    except ET.ParseError as error:
        raise Busy(
            "Grid Engine did not answer in its XML: the answer broke off, or a profile of the login node talks."
        ) from error
    if found.tag == FAILED:
        raise failures.failure(found.findtext("AN_text") or "", code=found.findtext("AN_status") or "")
    if found.tag not in roots:
        raise Busy(f"Grid Engine answered something else than was asked: {found.tag[:60]}.")
    return found


def _parsed(text: str) -> ET.Element:
    """There is no DTD in it: what is before the first element was left out."""
    try:
        return ET.fromstring(text)  # noqa: S314
    except ET.ParseError:
        return ET.fromstring(LINE.sub(_escaped, text))  # noqa: S314


def _escaped(line: re.Match[str]) -> str:
    text = BARE.sub("&amp;", line["text"]).replace("<", "&lt;").replace(">", "&gt;")
    return line["begin"] + text + line["end"]


def table(element: ET.Element, *left_out: str) -> Json:
    """The children of an element; those that come several times are lists, those with a name are tables."""
    found: Json = {}
    for child in element:
        if child.tag in left_out:
            continue
        value = table(child, *left_out) if len(child) else (child.text or "").strip()
        if name := child.get("name"):
            found.setdefault(child.tag, {})[name] = value
        elif child.tag in found:
            before = found[child.tag]
            found[child.tag] = [*(before if isinstance(before, list) else [before]), value]
        else:
            found[child.tag] = value
    return found


def blocks(output: bytes) -> Iterator[dict[str, str]]:
    """The records of `qacct -j`, with a ruler before each."""
    for block in RULER.split(output.decode(errors="replace")):
        if record := dict(PAIR.findall(block)):
            yield record


def configurations(output: bytes, first: str) -> Iterator[dict[str, str]]:
    """What `qconf` shows of several things, each of which begins with the name `first`."""
    found: dict[str, str] = {}
    for name, value in PAIR.findall(CONTINUED.sub("", output.decode(errors="replace"))):
        if name == first and found:
            yield found
            found = {}
        found[name] = value
    if found:
        yield found
