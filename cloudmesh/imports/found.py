"""What is found in files, before anybody knows what a portal makes of it."""

import dataclasses
from collections.abc import Iterable, Mapping

UNSET = frozenset({"", "tbd", "none", "null", "changeme", "change_me"})
BLANK = "\ue000"  # stands where a template would put something


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draft:
    """A cloud as a file tells of it, in the file's own spelling."""

    name: str
    kind: str = ""  # openstack, ec2, azure, …; empty where the file does not say
    said: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    label: str = ""
    version: str = ""
    is_idle: bool = False  # the file says that it is not in use

    def filled(self, other: "Draft") -> "Draft":
        """With what another file says of the same cloud, where this one says nothing."""
        return dataclasses.replace(
            self,
            kind=self.kind or other.kind,
            said={**other.said, **self.said},
            label=self.label or other.label,
            version=self.version or other.version,
            is_idle=self.is_idle and other.is_idle,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Key:
    """A public key, or the path of the file that holds it."""

    name: str
    text: str = ""
    path: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Default:
    """A value to be taken where nothing is said; on one cloud, or on all."""

    key: str
    value: str
    cloud: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Left:
    """Something that is not imported, and why."""

    name: str
    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """All that files hold."""

    clouds: tuple[Draft, ...] = ()
    keys: tuple[Key, ...] = ()
    defaults: tuple[Default, ...] = ()
    left: tuple[Left, ...] = ()


def joined(found: Iterable[Found]) -> Found:
    """What several files hold together: each cloud, key and default once, what the first says before the others."""
    parts = list(found)
    clouds: dict[str, Draft] = {}
    for draft in (draft for part in parts for draft in part.clouds):
        clouds[draft.name] = clouds[draft.name].filled(draft) if draft.name in clouds else draft
    keys = {key.text or key.path: key for part in reversed(parts) for key in reversed(part.keys)}
    defaults = {(each.key, each.cloud): each for part in reversed(parts) for each in reversed(part.defaults)}
    left = {each.name: each for part in parts for each in part.left}
    return Found(
        clouds=tuple(clouds.values()),
        keys=tuple(reversed(keys.values())),
        defaults=tuple(reversed(defaults.values())),
        left=tuple(left.values()),
    )


def is_given(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower() not in UNSET and BLANK not in value
