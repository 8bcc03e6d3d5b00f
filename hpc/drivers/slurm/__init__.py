"""Slurm, over a login node's commands or slurmrestd.

`driver` what the portal asks · `commands` and `rest` the two ways, `way` what they share, `carrier` the connections ·
`fields` what versions call the same things, `values` how they write them, `words` states and reasons in plain words ·
`records` and `accounting` the translation · `failures` what goes wrong.
"""

from hpc.drivers.slurm.driver import Slurm

__all__ = ["Slurm"]
