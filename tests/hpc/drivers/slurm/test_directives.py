"""What scripts of Slurm ask for themselves."""

from typing import Any

import pytest

from hpc.drivers.slurm import directives


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("--job-name=train --partition=long", {"name": "train", "queue": "long"}),
        ("-N 2 -n8 -c 4", {"nodes": 2, "tasks": 8, "cores": 4}),
        ("--nodes 2-4 --exclusive", {}),
        ("--mem=4G --gres=gpu:a100:2", {"memory": 4096, "gpus": 2}),
        ("--gpus-per-node=2", {"gpus": 2}),
        ("--account fg82 -q short", {"account": "fg82", "qos": "short"}),
        ("-a 1-10%2", {"array": "1-10%2"}),
        ("--exclusive -t 90", {"walltime": 5400}),
        ("--time=1:30:00", {"walltime": 5400}),
        ("--time=1-12", {"walltime": 129600}),
        ("--time=1-12:30", {"walltime": 131400}),
        ("--time=2:30", {"walltime": 150}),
        ("--time=UNLIMITED", {}),
        ("--comment='a # b' # -t 5", {}),
        ("--comment='not closed", {}),
    ],
)
def test_what_a_script_asks_for_itself(line: str, asked: dict[str, Any]) -> None:
    assert directives.read(f"#!/bin/sh\n# first\n#SBATCH {line}\n\nhostname\n#SBATCH -p later") == asked


def test_the_last_of_several_counts() -> None:
    assert directives.read("#SBATCH -p one\n#SBATCHED -p no\n#SBATCH -p two") == {"queue": "two"}
