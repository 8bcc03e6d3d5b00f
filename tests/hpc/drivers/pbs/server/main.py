"""The commands of PBS, as they answer: `main.py qstat -f -F json`, with PBS_CONTRACT_DIR for its state."""

import os
import pathlib
import sys

import control
import openpbs
import submission
import torque
from failure import Failure
from world import SERVER, World

AWAY = {
    False: "Connection refused\n{0}: cannot connect to server {1} (errno=111)",
    True: "{0}: cannot connect to server {1} (errno=111) Connection refused",
}


def main() -> int:
    command, arguments = pathlib.Path(sys.argv[1]).name, sys.argv[2:]
    place = pathlib.Path(os.environ["PBS_CONTRACT_DIR"])
    try:
        answered = answer(World(place), command, arguments)
    except Failure as failed:
        answered = "", f"{failed.said}\n", failed.code
    output, said, code = answered if isinstance(answered, tuple) else (answered, "", 0)
    sys.stdout.buffer.write(output.encode(errors="surrogateescape"))
    sys.stderr.write(said)
    return code


def answer(world: World, command: str, arguments: list[str]) -> str | tuple[str, str, int]:
    product = torque if world.is_torque else openpbs
    if world.is_away:
        raise Failure(AWAY[world.is_torque].format(command, SERVER), 111 if world.is_torque else 255)
    if command == "qsub":
        return submission.qsub(world.place, arguments)
    if command in ("qdel", "qhold", "qrls"):
        return control.main(world.place, command, arguments)
    return getattr(product, command)(world.place, arguments)


if __name__ == "__main__":
    sys.exit(main())
