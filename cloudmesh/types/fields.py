"""What a driver declares that forms, help and the API derive from."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One credential or endpoint field that a driver needs.

    `type` is one of text, password, url, choice, file, boolean; forms, help and the API derive from it.
    A `secret` is encrypted at rest and never shown again; a `url` passes the endpoint guard.
    """

    name: str
    label: str
    type: str = "text"
    help: str = ""
    required: bool = True
    secret: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
