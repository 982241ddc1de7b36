"""The door to the files: any S3. The only room that knows boto3, which is loaded when the door is first used.

Keys (CATALOGUE §5): `users/{user}/tasks/{task}/inputs/{role}/{filename}`, `…/steps/{epoch}/{step}/…`,
`…/outputs/{epoch}/…`. What a worker writes carries its epoch, so a zombie can only write beside the truth.
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from backend.errors import UnreadableFile
from backend.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

StorageError = (BotoCoreError, ClientError)  # what a door's method may raise, for rooms that know no botocore
_CHUNK = 1 << 20
_NOT_FOUND = 404
_CHANGED = 412
_DELETE_LIMIT = 1000  # keys in one DeleteObjects call


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that we wrote: its size in bytes and the SHA-256 of what was sent, in hex."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as the store sees it."""

    key: str
    size: int
    etag: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class UnfinishedUpload:
    """A multipart upload that nobody completed or aborted: its parts are stored, and listed nowhere else."""

    key: str
    upload_id: str
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class UploadLink:
    """A presigned POST form: the store refuses a body over `max_bytes` (so does the submit, by HEAD)."""

    url: str
    fields: dict[str, str]
    max_bytes: int
    key: str


def task_prefix(user_id: int, task_id: uuid.UUID) -> str:
    return f"users/{user_id}/tasks/{task_id}/"


def input_key(user_id: int, task_id: uuid.UUID, role: str, filename: str) -> str:
    return f"{task_prefix(user_id, task_id)}inputs/{role}/{filename}"


def step_key(user_id: int, task_id: uuid.UUID, epoch: int, step: str, name: str) -> str:
    return f"{task_prefix(user_id, task_id)}steps/{epoch}/{step}/{name}"


def output_key(user_id: int, task_id: uuid.UUID, epoch: int, name: str) -> str:
    return f"{task_prefix(user_id, task_id)}outputs/{epoch}/{name}"


class Storage:
    """One bucket. Methods raise botocore's errors; `backend.verdicts` knows what they mean."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.bucket = settings.s3_bucket

    @cached_property
    def _client(self) -> "S3Client":
        return self._connect(self._settings.s3_endpoint_url)

    @cached_property
    def _signer(self) -> "S3Client":
        return self._connect(self._settings.s3_public_endpoint_url or self._settings.s3_endpoint_url)

    def _connect(self, endpoint: str | None) -> "S3Client":
        import boto3
        from botocore.config import Config

        settings = self._settings
        key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
        return boto3.session.Session().client(
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

    def ensure_bucket(self) -> None:
        """Make the bucket where it is missing; for development and tests."""
        try:
            self._client.head_bucket(Bucket=self.bucket)
        except ClientError as error:
            if _status(error) != _NOT_FOUND:
                raise
            self._client.create_bucket(Bucket=self.bucket)

    def check(self) -> None:
        """Raise unless the bucket answers."""
        self._client.head_bucket(Bucket=self.bucket)

    def head(self, key: str) -> ObjectInfo | None:
        """What the store knows of an object, or None where there is none."""
        try:
            found = self._client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if _status(error) == _NOT_FOUND:
                return None
            raise
        return ObjectInfo(key, found["ContentLength"], found["ETag"].strip('"'), found["LastModified"])

    def put_bytes(self, key: str, body: bytes, content_type: str) -> StoredObject:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)
        return StoredObject(key, len(body), hashlib.sha256(body).hexdigest())

    def put_file(self, key: str, path: Path, content_type: str) -> StoredObject:
        """Send a file, in parts where it is large."""
        from boto3.exceptions import S3UploadFailedError

        with path.open("rb") as body:
            digest = hashlib.file_digest(body, "sha256").hexdigest()
        try:
            self._client.upload_file(str(path), self.bucket, key, ExtraArgs={"ContentType": content_type})
        except S3UploadFailedError as error:  # wraps what says whether it was refused for good or may go well later
            raise error.__context__ or error from None
        return StoredObject(key, path.stat().st_size, digest)

    def get_bytes(self, key: str) -> bytes:
        return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def download(self, key: str, path: Path, etag: str | None = None) -> int:
        """Bring an object to local disk; its size. A half-written file never stands under its final name.

        Raises:
            UnreadableFile: the object is no longer the one with this ETag.
        """
        wanted = {"IfMatch": etag} if etag else {}
        try:
            body = self._client.get_object(Bucket=self.bucket, Key=key, **wanted)["Body"]  # type: ignore[arg-type]
        except ClientError as error:
            if _status(error) == _CHANGED:
                raise UnreadableFile("The file was replaced after the task was submitted.") from error
            raise
        part = path.with_name(f"{path.name}.part")
        try:
            with body, part.open("wb") as file:
                for chunk in body.iter_chunks(_CHUNK):
                    file.write(chunk)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path.stat().st_size

    def upload_link(self, key: str, content_type: str, max_bytes: int) -> UploadLink:
        post = self._signer.generate_presigned_post(
            self.bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[["content-length-range", 1, max_bytes], {"Content-Type": content_type}],
            ExpiresIn=self._settings.upload_link_seconds,
        )
        return UploadLink(post["url"], post["fields"], max_bytes, key)

    def download_link(self, key: str, filename: str) -> str:
        """A GET link that saves under `filename`."""
        return self._signer.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": key,
                "ResponseContentDisposition": _saved_as(filename),
            },
            ExpiresIn=self._settings.download_link_seconds,
        )

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object under a prefix, however many pages."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for found in page.get("Contents", ()):
                yield ObjectInfo(found["Key"], found["Size"], found["ETag"].strip('"'), found["LastModified"])

    def list_unfinished_uploads(self, prefix: str) -> Iterator[UnfinishedUpload]:
        """Every multipart upload under a prefix that is not completed."""
        for page in self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix):
            for found in page.get("Uploads", ()):
                yield UnfinishedUpload(found["Key"], found["UploadId"], found["Initiated"])

    def abort_upload(self, upload: UnfinishedUpload) -> None:
        """Free the parts; one that has ended meanwhile does not matter."""
        try:
            self._client.abort_multipart_upload(Bucket=self.bucket, Key=upload.key, UploadId=upload.upload_id)
        except ClientError as error:
            if _status(error) != _NOT_FOUND:
                raise

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, however many; those that are not there do not matter."""
        wanted = iter(keys)
        while some := [{"Key": key} for key in islice(wanted, _DELETE_LIMIT)]:
            answer = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": some, "Quiet": True})  # type: ignore[typeddict-item]
            if refused := answer.get("Errors"):  # the store answers 200 all the same
                sentence = f"{refused[0]['Key']} and {len(refused) - 1} more"
                raise ClientError({"Error": {"Code": refused[0]["Code"], "Message": sentence}}, "DeleteObjects")


def _saved_as(filename: str) -> str:
    """Content-Disposition after RFC 6266: ASCII for old clients, and the true name, which S3 refuses unquoted."""
    plain = "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "_" for letter in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _status(error: ClientError) -> Any:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
