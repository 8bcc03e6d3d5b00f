"""A simulated cloud: sandbox, training ground, load test and test bench.

`catalogue` what a world begins with · `world` its file · `servers`, `volumes`, `keys`, `network`, `console` what it
does · `faults` what goes wrong · `gate` its door · `driver` and `storage` the translation · `control` and the command
`python -m clouds.drivers.simulator` what its owner can change behind the portal's back.
"""

from clouds.drivers.simulator.driver import Simulator

__all__ = ["Simulator"]
