"""What a script would do: it is never run, it is read line by line, and what it would write is played.

`echo` (also `>&2`), `sleep`, `hostname`, `date`, `pwd`, `whoami`, `nproc`, `true`, `false` and `exit` are known, and
the usual variables and those that are set; comments and directives are passed over. Any other command writes
`(simulated)` and itself.
"""

import dataclasses
import datetime
import re
import shlex
from collections.abc import Callable, Iterator, Mapping

LONGEST = 2**20  # bytes of a script
MOST_STEPS = 10_000
MOST_OUTPUT = 2**20  # bytes
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
SEPARATORS = frozenset({";", "&&", "&", ";;"})


@dataclasses.dataclass(frozen=True)
class Scene:
    """Where and as whom a script plays."""

    variables: Mapping[str, str]
    started: float  # the time
    speed: float = 1.0


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing that happens, `after` so many virtual seconds from the start."""

    after: float
    text: str = ""
    is_error: bool = False


@dataclasses.dataclass(frozen=True)
class Play:
    steps: tuple[Step, ...]
    seconds: float  # all together
    code: int

    def written(self, elapsed: float, *, output: bool = True, error: bool = True) -> bytes:
        """What is in its files after so many virtual seconds."""
        chosen = (s.text for s in self.steps if s.after <= elapsed and (error if s.is_error else output))
        return "".join(chosen).encode(errors="replace")[:MOST_OUTPUT]


def play(script: str, scene: Scene) -> Play:
    """All that a script would do."""
    steps: list[Step] = []
    seconds, code, variables = 0.1, 0, dict(scene.variables)
    for words in _commands(script):
        if len(steps) >= MOST_STEPS:
            break
        is_error, words = _redirected(words)
        arguments = [_filled(word, variables) for word in words]
        if assigned := _assigned(arguments):
            variables |= assigned
            continue
        name = arguments[0] if arguments else ""
        if name == "exit":
            code = int(arguments[1]) % 256 if arguments[1:] and arguments[1].isdigit() else code
            break
        seconds += _pause(arguments)
        code = 1 if name == "false" else 0
        text = _text(arguments, scene, seconds)
        if text is not None:
            steps.append(Step(seconds, f"{text}\n", is_error))
    return Play(tuple(steps), seconds, code)


def _commands(script: str) -> Iterator[list[str]]:
    for line in script.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words: list[str] = []
        for word in _words(line):
            if word in SEPARATORS:
                yield from [words] if words else []
                words = []
            else:
                words.append(word)
        if words:
            yield words


def _words(line: str) -> list[str]:
    reader = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
    reader.whitespace_split, reader.commenters = True, "#"
    try:
        return list(reader)
    except ValueError:  # an open quote
        return line.split()


def _redirected(words: list[str]) -> tuple[bool, list[str]]:
    """Whether it writes to standard error, and the words without that."""
    if words[-2:] == [">&", "2"]:
        return True, words[:-2]
    return False, words


def _filled(word: str, variables: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: variables.get(found[1] or found[2], ""), word)


def _assigned(arguments: list[str]) -> dict[str, str]:
    """What `export A=1 B=2` or `A=1` sets."""
    found = [ASSIGNMENT.fullmatch(word) for word in arguments[arguments[:1] == ["export"] :]]
    return {each[1]: each[2] for each in found if each} if all(found) else {}


def _pause(arguments: list[str]) -> float:
    if arguments[:1] != ["sleep"] or len(arguments) != 2:
        return 0.0
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhd]?)", arguments[1])
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]] if found else 0.0


def _text(arguments: list[str], scene: Scene, seconds: float) -> str | None:
    name, *rest = arguments or [""]
    if name in SILENT:
        return None
    return SPEAKING[name](rest, scene, seconds) if name in SPEAKING else f"(simulated) {' '.join(arguments)}"


def _date(rest: list[str], scene: Scene, seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(scene.started + seconds / scene.speed, datetime.UTC)
    return moment.strftime("%a %b %d %H:%M:%S UTC %Y")


SILENT = frozenset({"", "sleep", "true", "false", ":", "set", "cd", "module"})
SPEAKING: Mapping[str, Callable[[list[str], Scene, float], str]] = {
    "echo": lambda rest, scene, seconds: " ".join(rest),
    "hostname": lambda rest, scene, seconds: scene.variables.get("HOSTNAME", ""),
    "date": _date,
    "pwd": lambda rest, scene, seconds: scene.variables.get("PWD", ""),
    "whoami": lambda rest, scene, seconds: scene.variables.get("USER", ""),
    "nproc": lambda rest, scene, seconds: scene.variables.get("CORES", ""),
}
