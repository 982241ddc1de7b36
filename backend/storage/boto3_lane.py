"""The same calls through boto3, which tries again, finds a bucket in another region and says what went wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from backend.storage.faults import NOT_FOUND, status_of
from backend.storage.objects import ObjectInfo
from backend.storage.streams import OpenObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def put(
    client: "S3Client", bucket: str, key: str, body: bytes, content_type: str, *, encryption: Mapping[str, Any]
) -> None:
    client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, **encryption)


def get(client: "S3Client", bucket: str, key: str, etag: str | None, piece: str | None) -> OpenObject:
    from botocore.httpchecksum import StreamingChecksumBody

    asked: dict[str, Any] = {"Range": piece} if piece else {}
    if etag:
        asked["IfMatch"] = etag
    found = client.get_object(Bucket=bucket, Key=key, **asked)
    proven = isinstance(found["Body"], StreamingChecksumBody)
    return OpenObject(found["Body"], found.get("ContentLength", 0), found.get("ETag", "").strip('"'), proven)


def head(client: "S3Client", bucket: str, key: str) -> ObjectInfo | None:
    """None where there is no such object."""
    try:
        found = client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if status_of(error) == NOT_FOUND:
            return None
        raise
    return ObjectInfo(key, found["ContentLength"], found["ETag"].strip('"'), found["LastModified"])


def put_in_parts(
    client: "S3Client", bucket: str, key: str, path: Path, content_type: str, *, encryption: Mapping[str, Any]
) -> None:
    """Ten parts of 8 MiB at once, as boto3 has it, each read from the file as it is sent."""
    from boto3.exceptions import S3UploadFailedError

    try:
        client.upload_file(str(path), bucket, key, ExtraArgs={"ContentType": content_type, **encryption})
    except S3UploadFailedError as error:  # wraps what says whether it was refused for good or may go well later
        raise error.__context__ or error from None
