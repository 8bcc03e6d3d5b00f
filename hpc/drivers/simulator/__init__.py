"""A simulated scheduler: sandbox, training ground, load test and test bench.

`catalogue` what a world begins with · `world` its file · `script` what a job would do · `numbers` those of arrays ·
`jobs` what people do to them · `schedule` who runs where and when · `crowd` everybody else · `storage` their files ·
`faults` what goes wrong · `gate` its door · `driver` the translation · `control` what its owner can change behind the
portal's back.
"""

from hpc.drivers.simulator.driver import Simulator

__all__ = ["Simulator"]
