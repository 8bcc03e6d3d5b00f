"""usage: python -m benchmarks [NAME]    one benchmark, or all of them, which also writes RESULTS.md"""

import datetime
import importlib
import os
import pathlib
import platform
import subprocess
import sys

from benchmarks.stage import stage

NAMES = ("sync", "jobs", "lists", "boot", "shell", "fanout")
RESULTS = pathlib.Path(__file__).with_name("RESULTS.md")
HEAD = "| what | measured | bound | ratio | goal | met |\n|---|---|---|---|---|---|"


def one(name: str) -> None:
    """Run a benchmark on a stage of its own; its modules need Django, hence the late import."""
    with stage():
        for row in importlib.import_module(f"benchmarks.{name}").main():
            print(row, flush=True)


def everything() -> None:
    """Run all, each in a process of its own, and write down what they print."""
    rows = []
    print(HEAD, flush=True)
    for name in NAMES:
        with subprocess.Popen([sys.executable, "-m", "benchmarks", name], stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                rows.append(line.strip())
        if process.returncode:
            raise SystemExit(f"benchmarks.{name} failed")
    RESULTS.write_text("\n".join([*_about(), HEAD, *(row for row in rows if row.startswith("|")), ""]))


def _about() -> list[str]:
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return [
        "# Results",
        "",
        f"Written by `make bench` on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}: {os.cpu_count()} cores of {cpu}, "
        f"{system}; everything on this one machine.",
        "A ratio is the median of ours over the median of its bound, measured in turns in the same run.",
        "",
    ]


if __name__ == "__main__":
    one(sys.argv[1]) if len(sys.argv) > 1 else everything()
