"""Which version this is, of the portal and of `cm` alike, and which others it understands."""

__version__ = "1.0.0.dev0"
API = 1  # the level of the REST API; what is new and `cm` needs it makes a new level
OLDEST_API = 1  # the oldest level of a portal that this `cm` works with, and of a `cm` that this portal works with
VERSIONS = f"{__version__}; api={API}; oldest={OLDEST_API}"  # what a portal says of itself in each answer
