"""What EC2, botocore and the network call a failure, in the words of `cloudmesh.errors`."""

import contextlib
import ssl
from collections.abc import Iterator
from typing import Any

from cloudmesh.errors import Busy, DriverError, Full, Gone, Refused, Rejected, Unreachable

CODES: dict[str, type[DriverError]] = {
    "AuthFailure": Refused,
    "ExpiredToken": Refused,
    "IncompleteSignature": Refused,
    "InvalidAccessKeyId": Refused,
    "InvalidClientTokenId": Refused,
    "MissingAuthenticationToken": Refused,
    "OptInRequired": Refused,
    "SignatureDoesNotMatch": Refused,
    "UnrecognizedClientException": Refused,
    "InvalidAddress.NotFound": Gone,
    "InvalidAllocationID.NotFound": Gone,
    "InvalidAMIID.Malformed": Gone,
    "InvalidAMIID.NotFound": Gone,
    "InvalidAMIID.Unavailable": Gone,
    "InvalidAssociationID.NotFound": Gone,
    "InvalidGroup.NotFound": Gone,
    "InvalidGroupId.Malformed": Gone,
    "InvalidID": Gone,  # what CreateTags says of a server that is not there
    "InvalidInstanceID.Malformed": Gone,
    "InvalidInstanceID.NotFound": Gone,
    "InvalidVolume.NotFound": Gone,
    "InvalidVolumeID.Malformed": Gone,
    "InternalError": Busy,
    "InternalFailure": Busy,
    "RequestLimitExceeded": Busy,
    "RequestThrottled": Busy,
    "ServerInternal": Busy,
    "ServiceUnavailable": Busy,
    "Throttling": Busy,
    "ThrottlingException": Busy,
    "Unavailable": Busy,
}
FULL = ("LimitExceeded", "QuotaExceeded", "CapacityExceeded")  # VcpuLimitExceeded, AddressLimitExceeded, …
SHORT = "Insufficient"  # InsufficientInstanceCapacity, InsufficientFreeAddressesInSubnet, …
LATER = (408, 429)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Around each request and its reading; whatever botocore or urllib3 raise leaves as a DriverError.

    An answer without what it must have is garbage, not an empty list: nothing shall vanish for it.
    """
    import urllib3.exceptions as wire
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _answered(error) from error
    except (wire.NameResolutionError, wire.NewConnectionError, wire.ConnectTimeoutError) as error:
        raise Unreachable(f"No connection to the EC2 endpoint: {_without_object(error)}.") from error
    except wire.SSLError as error:
        raise _distrusted(error) from error
    except (wire.LocationValueError, BotoCoreError, ValueError) as error:
        raise Rejected(str(error)) from error
    except wire.TimeoutError as error:
        raise Busy("The EC2 endpoint did not answer in time.") from error
    except (wire.HTTPError, ResponseParserError) as error:
        raise Busy(f"The EC2 endpoint broke off or did not answer in its language: {str(error)[:300]}") from error
    except KeyError as error:
        raise Busy(f"The EC2 endpoint answered without {error}, which EC2 never leaves out.") from error


@contextlib.contextmanager
def tolerated(*codes: str) -> Iterator[None]:
    """Like `translated`, but for these codes of EC2, which end the block and are no failure."""
    try:
        with translated():
            yield
    except DriverError as error:
        if error.facts.get("code") not in codes:
            raise


def _answered(error: Any) -> DriverError:
    code = error.response["Error"].get("Code", "")
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    words = f"{error.response['Error'].get('Message') or 'EC2 gave no reason'} ({code})"
    return _kind(code, status)(words, code=code)


def _kind(code: str, status: int) -> type[DriverError]:
    if code in CODES:
        return CODES[code]
    if code.startswith(SHORT) or code.endswith(FULL):
        return Full
    return Busy if status >= 500 or status in LATER else Rejected


def _distrusted(error: Exception) -> DriverError:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args):
        return Rejected(
            f"The certificate of the EC2 endpoint is not trusted: {error}. If it is signed by an authority of its own, "
            "give that authority's certificate as CA bundle.",
            field="ca_bundle",
        )
    return Unreachable(f"No secure connection to the EC2 endpoint: {error}.")


def _without_object(error: Exception) -> str:
    """urllib3 begins its sentences with the repr of a connection."""
    return str(error).rpartition(">: ")[2]
