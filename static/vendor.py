"""Fetch what the pages load from others, by exact version and hash; `--check` only compares files with the list.

    python static/vendor.py            # npm pack each package, verify, write static/vendor/ and its HASHES
    python static/vendor.py --check    # no network: is static/vendor/ what HASHES says?

Needs npm, but only to change a version: the result is checked in. `sha256sum -c HASHES` reads the same list.
"""

import base64
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator

VENDOR = pathlib.Path(__file__).parent / "vendor"
HASHES = VENDOR / "HASHES"

PACKAGES = {  # name: (version, npm integrity, {member of the package: file under vendor/})
    "@tabler/core": (
        "1.6.1",
        "sha512-lgmR9gcxRp5JlLxcmRi9Rz85JrEvH6Bz71KnlcPVSa97wtwQNjgSs3g3fxwbAlulHyRMghhIV04QUuW3pqDsIg==",
        {"dist/css/tabler.min.css": "tabler.min.css", "dist/js/tabler.min.js": "tabler.min.js"},
    ),
    "htmx.org": (
        "2.0.11",
        "sha512-Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
        {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "htmx.LICENSE"},
    ),
    "uplot": (
        "1.6.32",
        "sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==",
        {
            "dist/uPlot.iife.min.js": "uPlot.iife.min.js",
            "dist/uPlot.min.css": "uPlot.min.css",
            "LICENSE": "uPlot.LICENSE",
        },
    ),
    "@tabler/icons": (
        "3.51.0",
        "sha512-0pinvPZz7YeX+OSfxuEAbnEPWbocVXW5iU8h5lh41pYG8sZuQfpWECC980lxOT0clGIcNGn8xsBr+zKaRGdA/g==",
        {"LICENSE": "tabler.LICENSE"},
    ),
}
ICONS = [  # those that the templates and portal/templatetags use
    "activity", "adjustments-horizontal", "archive", "archive-off", "ban", "bell", "chart-bar", "check",
    "checks", "chevron-down", "chevron-left", "chevron-right", "cloud", "copy", "cpu", "database", "disc",
    "dots-vertical", "download", "file-code", "folder", "key", "layout-dashboard", "list-check", "logout",
    "menu-2", "moon", "network", "pencil", "player-pause", "player-play", "player-stop", "plug", "plug-off",
    "plus", "power", "refresh", "repeat", "rotate-clockwise", "ruler-2", "search", "server", "shield",
    "stack-2", "sun", "terminal-2", "trash", "user", "webhook", "world", "x", "zzz",
]  # fmt: skip
SPRITE = "icons.svg"


def main() -> int:
    if sys.argv[1:] != ["--check"]:
        with tempfile.TemporaryDirectory() as folder:
            files = dict(fetched(pathlib.Path(folder)))
        for name, content in files.items():
            (VENDOR / name).write_bytes(content)
        HASHES.write_text("".join(f"{sha256(content)}  {name}\n" for name, content in sorted(files.items())))
    wrong = list(differences())
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def fetched(folder: pathlib.Path) -> Iterator[tuple[str, bytes]]:
    """The files of all packages, and the sprite of the icons in use."""
    for name, (version, integrity, members) in PACKAGES.items():
        package = read_package(name, version, integrity, folder)
        for member, target in members.items():
            yield target, without_map(package[member])
        if name == "@tabler/icons":
            yield SPRITE, sprite(package)


def read_package(name: str, version: str, integrity: str, folder: pathlib.Path) -> dict[str, bytes]:
    command = ["npm", "pack", f"{name}@{version}", "--json", "--ignore-scripts", "--pack-destination", str(folder)]
    packed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603
    archive = folder / packed[0]["filename"]
    got = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if got != integrity:
        raise SystemExit(f"{name} {version} is not what was pinned: {got}. Do not use it before you know why.")
    with tarfile.open(archive) as tar:
        files = [(member, tar.extractfile(member)) for member in tar if member.isfile()]
        return {member.name.removeprefix("package/"): stream.read() for member, stream in files if stream}


def without_map(content: bytes) -> bytes:
    """Source maps are not shipped, and Django's manifest storage insists on files that are named."""
    return re.sub(rb"\n(//|/\*)# sourceMappingURL=\S+( \*/)?\s*$", b"\n", content)


def sprite(package: dict[str, bytes]) -> bytes:
    """One SVG with a symbol for each icon; stroke and size come from the page's own style sheet."""
    symbols = [symbol(name, package[f"icons/outline/{name}.svg"].decode()) for name in ICONS]
    lines = ['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""]
    return "\n".join(lines).encode()


def symbol(name: str, svg: str) -> str:
    shapes = [shape for shape in re.findall(r"<(?!/?svg)[^>]+/>", svg) if 'd="M0 0h24v24H0z"' not in shape]
    return f'<symbol id="{name}" viewBox="0 0 24 24">{"".join(shapes)}</symbol>'


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def differences() -> Iterator[str]:
    """What is missing, changed or not listed under vendor/."""
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in HASHES.read_text().splitlines())}
    present = {path.name: sha256(path.read_bytes()) for path in VENDOR.iterdir() if path != HASHES}
    for name in sorted(listed.keys() | present.keys()):
        if listed.get(name) != present.get(name):
            yield f"static/vendor/{name} is not what HASHES lists."


if __name__ == "__main__":
    sys.exit(main())
