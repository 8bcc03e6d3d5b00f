"""Where `cm` starts and ends. The version is told before anything is imported."""

import os
import sys

from cloudmesh import __version__


def run() -> None:
    """End the process with the exit code of what `cm` was asked to do."""
    if sys.argv[1:] == ["--version"]:
        print(f"cm {__version__}")
        return
    from cloudmesh.shell.main import main

    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # without Python's tidying up, a sixth of the time of a short command


if __name__ == "__main__":
    run()
