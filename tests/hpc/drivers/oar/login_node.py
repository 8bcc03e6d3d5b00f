"""A login node whose commands answer what an OAR 2.5.9 once did, or what a test tells."""

import pathlib
import re

from hpc.drivers import LONGEST_ANSWER, Answer, Shell

ANSWERS = pathlib.Path(__file__).with_name("answers")
STATES = Answer(0, b'{"127.0.0.11": {"1": "Alive"}}', "")


class LoginNode(Shell):
    login = "fsalice"

    def __init__(self, **answers: Answer | Exception) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.given: list[bytes] = []
        self._answers = answers

    def run(
        self, *command: str, given: bytes = b"", timeout: float | None = None, most: int = LONGEST_ANSWER
    ) -> Answer:
        self.asked.append(command)
        self.given.append(given)
        name = command[0].rpartition("/")[2]
        answer = self._answers.get(name) or recorded(name, command)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def last(self, name: str) -> tuple[str, ...]:
        return next(command for command in reversed(self.asked) if command[0] == name)


def recorded(name: str, command: tuple[str, ...]) -> Answer:
    if name == "sh":
        return Answer(0, b"/home/fsalice\n", "")
    if name == "oarsub":
        return Answer(0, b"[ADMISSION RULE] Modify resource description with type constraints\nOAR_JOB_ID=12\n", "")
    if name == "oarnodes" and "--state" in command:
        return STATES
    if name == "oarstat" and "--version" in command:
        return Answer(0, b"OAR version : 2.5.9 (Canicule)\n", "")
    if name == "oarstat" and any(re.search("job_id IN|array_id =|^--sql=.state IN", part) for part in command):
        return Answer(0, (ANSWERS / "all.json").read_bytes(), "")
    files = {"oarstat": "live.json", "oarnodes": "nodes.json", "oarnotify": "queues.txt"}
    return Answer(0, (ANSWERS / files[name]).read_bytes() if name in files else b"", "")
