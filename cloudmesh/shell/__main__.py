"""Where `cm` starts. The version is told before anything is imported."""

import sys

from cloudmesh import __version__


def run() -> None:
    """End the process with the exit code of what `cm` was asked to do."""
    if sys.argv[1:] == ["--version"]:
        print(f"cm {__version__}")
        return
    from cloudmesh.shell.main import main

    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
