"""The way to an EC2 endpoint: botocore signs and reads, the guarded connection of the portal carries.

Nothing comes from the environment, neither profiles nor proxies nor endpoints: only the credential counts.
"""

import functools
import io
import os
import ssl
from collections.abc import Mapping
from typing import Any

from cloudmesh.errors import Rejected
from cloudmesh.wire import guarded_pools
from clouds.drivers import Site
from clouds.drivers.ec2.failures import translated
from clouds.drivers.ec2.reading import Reader

LONGEST_ANSWER = 256 * 1024 * 1024  # bytes; a thousand servers are about 4 MiB
PERHAPS_LATER = (408, 429)  # the 4xx that say nothing about the request


def connect(credential: Mapping[str, str], site: Site) -> Any:
    """A client for EC2, which sends each request once; raises Rejected where endpoint or region are no names."""
    from botocore.config import Config
    from botocore.session import Session

    session = Session(session_vars=_nothing_from_the_environment())
    session.register_component("data_loader", _models())
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    key, secret = credential["access_key_id"], credential["secret_access_key"]
    with translated():
        client = session.create_client(
            "ec2",
            region_name=credential.get("region") or "us-east-1",
            endpoint_url=credential.get("endpoint_url") or None,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(retries={"total_max_attempts": 1}, ignore_configured_endpoint_urls=True),
        )
    client.meta.events.register("before-send.ec2", Carrier(site, credential.get("ca_bundle", "")).carry)
    client.meta.events.register("before-parse.ec2", Reader().read)
    return client


@functools.cache
def _models() -> Any:
    """The descriptions of AWS's services; reading EC2's takes 0.2 s, so all accounts share one reader."""
    from botocore.loaders import Loader

    return Loader()


def _nothing_from_the_environment() -> dict[str, tuple[None, None, Any, Any]]:
    from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as VARIABLES

    return {
        name: (None, None, os.devnull if name in ("config_file", "credentials_file") else default, convert)
        for name, (_, _, default, convert) in VARIABLES.items()
    }


class Carrier:
    """Carries signed requests over guarded connections: no proxy, no redirect, no second try."""

    def __init__(self, site: Site, ca_bundle: str) -> None:
        import urllib3

        self.pools = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=site.timeout, read=site.timeout),
            ssl_context=_trust(ca_bundle),
        )
        self.pools.pool_classes_by_scheme = guarded_pools(site.guard)

    def carry(self, request: Any, **_: object) -> Any:
        """Answer botocore's `before-send`, so that it opens no connection of its own."""
        import urllib3
        from botocore.awsrequest import AWSResponse

        with self.pools.request(
            request.method,
            request.url,
            body=request.body,
            headers=request.headers,
            retries=False,
            redirect=False,
            preload_content=False,
        ) as answer:
            body = answer.read(LONGEST_ANSWER + 1)
        _check(request.url, answer.status, answer.headers.get("Location", ""), body)
        whole = urllib3.HTTPResponse(io.BytesIO(body), status=answer.status, preload_content=False)
        return AWSResponse(request.url, answer.status, answer.headers, whole)


def _trust(ca_bundle: str) -> ssl.SSLContext:
    from botocore.httpsession import get_cert_path

    if not ca_bundle:
        return ssl.create_default_context(cafile=get_cert_path(True))
    try:
        return ssl.create_default_context(cadata=ca_bundle)
    except (ssl.SSLError, ValueError) as error:
        raise Rejected(
            "The CA bundle holds no certificate in PEM format (-----BEGIN CERTIFICATE-----): paste the certificate "
            "of the authority that signed the endpoint's.",
            field="ca_bundle",
        ) from error


def _check(url: str, status: int, location: str, body: bytes) -> None:
    """Refuse what no EC2 endpoint answers, so that a wrong URL is said at once and not tried for ever."""
    if 300 <= status < 400:
        raise Rejected(f"{url} is not the EC2 endpoint itself, it sends on to {location}: give that URL.", code=status)
    if 400 <= status < 500 and status not in PERHAPS_LATER and b"<Error" not in body:
        raise Rejected(f"{url} does not speak EC2 (HTTP {status}): check the endpoint URL with its path.", code=status)
    if len(body) > LONGEST_ANSWER:
        raise Rejected(f"{url} answers with more than {LONGEST_ANSWER >> 20} MiB: it does not speak EC2.")
