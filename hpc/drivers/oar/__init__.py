"""OAR 2.5, over a login node's commands.

`driver` what the portal asks · `commands` how it is said · `options` a wish as oarsub takes it · `records` the
translation of what comes back, `words` states and reasons in plain words · `failures` what goes wrong.
"""

from hpc.drivers.oar.driver import Oar

__all__ = ["Oar"]
