"""OpenPBS and PBS Professional, and Torque, over a login node's commands.

`driver` what the portal asks · `commands` how it is said, `openpbs` and `torque` what only one of them says ·
`options` a wish as qsub takes it · `fields` what they call the same things, `values` how they write them, `answers`
their documents, `words` states and reasons in plain words · `jobs` and `machines` the translation · `failures` what
goes wrong.
"""

from hpc.drivers.pbs.driver import Pbs

__all__ = ["Pbs"]
