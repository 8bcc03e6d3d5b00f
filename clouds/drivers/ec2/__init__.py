"""Amazon's EC2, and every cloud that answers like it, such as Eucalyptus.

`connection` the way there · `failures` what goes wrong · `reading` the answers · `records` the translation ·
`images`, `keys`, `placement`, `addresses` and `volumes` what is beside a server · `driver` what the portal asks.
"""

from clouds.drivers.ec2.driver import Ec2

__all__ = ["Ec2"]
