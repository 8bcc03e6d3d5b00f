"""A login node whose commands answer what a Slurm 22.05 once did, or what a test tells."""

import pathlib

from hpc.drivers import LONGEST_ANSWER, Answer, Shell
from hpc.drivers.slurm import fields

ANSWERS = pathlib.Path(__file__).with_name("answers")
END = "<END>"  # in recorded rows, for what ends a value
USUAL = {
    "sinfo": Answer(0, b"slurm 22.05.8\n", ""),
    "sbatch": Answer(0, b"12\n", ""),
    "scancel": Answer(0, b"", ""),
}


class LoginNode(Shell):
    login = "fsalice"

    def __init__(self, **answers: Answer | Exception) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.given: list[bytes] = []
        self.timeouts: list[float | None] = []
        self._answers = answers

    def run(
        self, *command: str, given: bytes = b"", timeout: float | None = None, most: int = LONGEST_ANSWER
    ) -> Answer:
        self.asked.append(command)
        self.given.append(given)
        self.timeouts.append(timeout)
        name = next(part for part in command[1:] if "=" not in part).rpartition("/")[2]
        answer = self._answers.get(name) or USUAL.get(name) or recorded(name, command)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def options(self) -> list[str]:
        """Of the last command, without what stands before it."""
        return [part for part in self.asked[-1] if part.startswith("-")]


def recorded(name: str, command: tuple[str, ...]) -> Answer:
    files = {"squeue": "squeue.json" if "--json" in command else "squeue.txt", "sacct": "sacct.txt"}
    text = (ANSWERS / files.get(name, f"{command[-1]}s.txt")).read_bytes()
    for option, _, value in (part.partition("=") for part in command):
        if option == "--delimiter":
            return Answer(0, text.replace(END.encode(), value.encode()), "")
        if option == "--Format":
            return Answer(0, chosen(text.decode(), value).encode(), "")
    return Answer(0, text, "")


def chosen(rows: str, layout: str) -> str:
    """The columns of a layout, which all end alike."""
    names = list(fields.JOB_COLUMNS.values())
    asked = [each.split(":0") for each in layout.split(",")]
    cells = rows.split(END)[:-1]
    table = [cells[begin : begin + len(names)] for begin in range(0, len(cells), len(names))]
    named = [dict(zip(names, [row[0].strip(), *row[1:]], strict=True)) for row in table]
    return "".join("".join(row[column] + end for column, end in asked) + "\n" for row in named)
