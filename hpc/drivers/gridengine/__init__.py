"""Grid Engine over a login node's commands: Son of Grid Engine 8.1 and those that kept its words.

`driver` what the portal asks · `commands` how it is asked, `options` a wish as qsub takes it · `answers` its XML and
text, `values` what is in them, `words` states and reasons in plain words · `jobs`, `accounting` and `machines` the
translation · `failures` what goes wrong.
"""

from hpc.drivers.gridengine.driver import GridEngine

__all__ = ["GridEngine"]
