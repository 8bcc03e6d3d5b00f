"""A login node whose commands answer what a Grid Engine 8.1.9 once did, or what a test tells."""

import pathlib

from hpc.drivers import LONGEST_ANSWER, Answer, Shell

ANSWERS = pathlib.Path(__file__).with_name("answers")
FILES = {
    ("qstat", "-help"): "version.txt",
    ("qstat", "-j"): "details.xml",
    ("qstat", "prs"): "listed.xml",
    ("qstat", "prsz"): "listed-all.xml",
    ("qhost", "-xml"): "hosts.xml",
    ("qconf", "-sq"): "queues.txt",
    ("qconf", "-sql"): "queue-names.txt",
    ("qconf", "-sconf"): "configuration.txt",
    ("qacct", "-j"): "accounting.txt",
}
COMMANDS = ("qstat", "qhost", "qconf", "qacct", "qsub", "qdel", "qhold", "qrls")


class LoginNode(Shell):
    login = "fsalice"

    def __init__(self, **answers: Answer | Exception) -> None:
        """Answers by the name of a command, or with an option of it: `qstat_j`."""
        self.asked: list[tuple[str, ...]] = []
        self.given: list[bytes] = []
        self._answers = answers

    def run(
        self, *command: str, given: bytes = b"", timeout: float | None = None, most: int = LONGEST_ANSWER
    ) -> Answer:
        whole = next(index for index, part in enumerate(command) if part.rpartition("/")[2] in COMMANDS)
        name, options = command[whole].rpartition("/")[2], command[whole + 1 :]
        self.asked.append((name, *options))
        self.given.append(given)
        special = next(
            (f"{name}_{part.strip('-')}" for part in options if f"{name}_{part.strip('-')}" in self._answers), ""
        )
        answer = self._answers.get(special) or self._answers.get(name) or recorded(name, options)
        if isinstance(answer, Exception):
            raise answer
        return answer


def recorded(name: str, options: tuple[str, ...]) -> Answer:
    file = next((FILES[name, option] for option in options if (name, option) in FILES), "")
    if not file:
        return Answer(0, b"12\n" if name == "qsub" else b"", "")
    return Answer(0, (ANSWERS / file).read_bytes(), "")
