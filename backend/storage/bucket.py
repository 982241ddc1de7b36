"""One bucket and boto3's way to it, which is opened when it is first needed: it takes 0.4 s of CPU."""

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from backend.settings import Settings
from backend.storage import encryption
from backend.storage.faults import NOT_FOUND, status_of
from backend.storage.measured import measure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Bucket:
    """What the rest of the room builds upon."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.bucket = settings.s3_bucket
        self._encryption: dict[str, Any] = encryption.arguments(settings)

    @cached_property
    def _client(self) -> "S3Client":
        return open_client(self._settings, self._settings.s3_endpoint_url)

    @cached_property
    def _signer(self) -> "S3Client":
        public = self._settings.s3_public_endpoint_url
        return open_client(self._settings, public) if public else self._client

    def ensure_bucket(self) -> None:
        """Make the bucket where it is missing."""
        try:
            self._client.head_bucket(Bucket=self.bucket)
        except ClientError as error:
            if status_of(error) != NOT_FOUND:
                raise
            self._client.create_bucket(Bucket=self.bucket, **_where(self._settings.s3_region))

    def check(self) -> None:
        """Raise unless the bucket answers."""
        self._client.head_bucket(Bucket=self.bucket)


def _where(region: str) -> dict[str, Any]:
    """AWS wants every region named but its first, which it refuses to hear."""
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def open_client(settings: Settings, endpoint: str | None) -> "S3Client":
    import boto3
    from botocore.config import Config
    from botocore.session import Session

    key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
    session = Session()  # its own: sessions are not for several threads
    session.register_component("data_loader", descriptions())
    client = boto3.session.Session(botocore_session=session).client(
        "s3",
        endpoint_url=endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=key.get_secret_value() if key else None,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=Config(
            signature_version="s3v4",
            connect_timeout=3,
            read_timeout=20,
            retries={"mode": "standard", "max_attempts": 3},
            max_pool_connections=20,
            s3={"addressing_style": "path" if endpoint else "auto"},
        ),
    )
    measure(client)
    return client


@cache
def descriptions() -> Any:
    """What botocore knows of its services, megabytes of JSON: read once a process, for each door that is opened."""
    from botocore.loaders import create_loader

    return create_loader()
