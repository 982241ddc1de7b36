"""Where the bucket answers and who asks: found once a process, by botocore's own rules and where boto3 looks.

Opening boto3's client reads megabytes of descriptions besides: 0.4 s of CPU and 20 MB of memory, this a quarter.
"""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backend.settings import Settings
from backend.storage.bucket import descriptions

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from botocore.session import Session

_ADDRESSES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")  # of another store, in the environment


@dataclass(frozen=True, slots=True)
class Place:
    """`url` stands before each key, and `path` is what follows the host in it.

    `region` is what a signature names, `authorities` the file that proves the host.
    """

    url: str
    path: str
    region: str
    authorities: str | None
    credentials: "Credentials"


def find_place(settings: Settings) -> Place | None:
    """None where it is for boto3 alone: a proxy, no credentials, or a way that this machine's own files describe."""
    from botocore.httpsession import get_cert_path
    from botocore.session import Session
    from botocore.utils import get_environ_proxies

    session = Session()
    session.register_component("data_loader", descriptions())
    credentials = _credentials(session, settings)
    endpoint = None if _configured_elsewhere(session, settings) else _endpoint(session, settings)
    if credentials is None or endpoint is None or get_environ_proxies(endpoint.url):
        return None
    signature = endpoint.properties["authSchemes"][0]
    if (signature["name"], signature["signingName"]) != ("sigv4", "s3"):
        return None
    authorities = session.get_config_variable("ca_bundle") or get_cert_path(True)  # noqa: FBT003 (botocore's own)
    url = endpoint.url.rstrip("/")
    return Place(url, urlsplit(url).path, signature["signingRegion"], authorities, credentials)


def _credentials(session: "Session", settings: Settings) -> "Credentials | None":
    from botocore.credentials import Credentials

    key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
    if key and secret:
        return Credentials(key.get_secret_value(), secret.get_secret_value())
    return None if key or secret else session.get_credentials()


def _configured_elsewhere(session: "Session", settings: Settings) -> bool:
    """What else may say how to reach S3; boto3 knows all its words."""
    profile = session.get_scoped_config()
    if profile.get("s3"):
        return True
    named = any(os.environ.get(name) for name in _ADDRESSES) or {"endpoint_url", "services"} & profile.keys()
    return bool(named and settings.s3_endpoint_url is None)


def _endpoint(session: "Session", settings: Settings) -> Any:
    """As the ruleset of S3 says: `url` up to the bucket, and in `properties` how it wants to be signed."""
    from botocore.endpoint_provider import EndpointProvider

    loader = descriptions()
    rules = EndpointProvider(loader.load_service_model("s3", "endpoint-rule-set-1"), loader.load_data("partitions"))
    asked: dict[str, Any] = {
        "Bucket": settings.s3_bucket,
        "Region": settings.s3_region,
        "ForcePathStyle": settings.s3_endpoint_url is not None,
        "UseFIPS": bool(session.get_config_variable("use_fips_endpoint")),
        "UseDualStack": bool(session.get_config_variable("use_dualstack_endpoint")),
        "Accelerate": False,
        "UseGlobalEndpoint": False,
        "DisableMultiRegionAccessPoints": False,
    }
    if settings.s3_endpoint_url is not None:
        asked["Endpoint"] = settings.s3_endpoint_url
    return rules.resolve_endpoint(**asked)
