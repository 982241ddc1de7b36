"""The door to the files: any S3. The only room that knows boto3, which is loaded when the door is first used.

Keys (CATALOGUE §5): `users/{user}/tasks/{task}/inputs/{role}/{filename}`, `…/steps/{epoch}/{step}/…`,
`…/outputs/{epoch}/…`. What a worker writes carries its epoch, so a zombie can only write beside the truth.
"""

import hashlib
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from itertools import islice
from os.path import commonprefix
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from backend.errors import Conflict, UnreadableFile
from backend.settings import Settings

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

StorageError = (BotoCoreError, ClientError)  # what a door's method may raise, for rooms that know no botocore
_CHUNK = 1 << 20
_NOT_FOUND = 404
_CHANGED = 412
_FEW = 4  # a listing brings up to 1,000 objects
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
class OpenUpload:
    """A multipart upload that is neither completed nor aborted: its parts are stored, and no object shows them."""

    key: str
    upload_id: str


@dataclass(frozen=True, slots=True)
class UnfinishedUpload(OpenUpload):
    """One that the store told of."""

    begun_at: datetime


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """A part as the store has it; numbered from 1. `crc32` is in base64, of a part that we sent ourselves."""

    number: int
    etag: str
    size: int
    crc32: str | None = None


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
        public = self._settings.s3_public_endpoint_url
        return self._connect(public) if public else self._client

    def _connect(self, endpoint: str | None) -> "S3Client":
        import boto3
        from botocore.config import Config
        from botocore.session import Session

        settings = self._settings
        key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
        session = Session()  # its own: sessions are not for several threads
        session.register_component("data_loader", _descriptions())
        return boto3.session.Session(botocore_session=session).client(
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

    def heads(self, keys: Collection[str]) -> Mapping[str, ObjectInfo | None]:
        """What the store knows of several objects of one folder: many are listed, not asked for one by one."""
        if len(keys) <= _FEW:
            return {key: self.head(key) for key in keys}
        found = {one.key: one for one in self.list(commonprefix(list(keys)))}  # noqa: RUF071 (a key is no path)
        return {key: found.get(key) for key in keys}

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
        body = self._open(key, etag)
        part = path.with_name(f"{path.name}.part")
        try:
            with body, part.open("wb") as file:
                for chunk in body.iter_chunks(_CHUNK):
                    file.write(chunk)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path.stat().st_size

    def read(self, key: str, start: int, length: int, etag: str | None = None) -> bytes:
        """A piece of an object; at its end, less. Raises UnreadableFile as `download` does."""
        with self._open(key, etag, Range=f"bytes={start}-{start + length - 1}") as body:
            return body.read()

    def _open(self, key: str, etag: str | None, **asked: str) -> "StreamingBody":
        if etag:
            asked["IfMatch"] = etag
        try:
            return self._client.get_object(Bucket=self.bucket, Key=key, **asked)["Body"]  # type: ignore[arg-type]
        except ClientError as error:
            if _status(error) == _CHANGED:
                raise UnreadableFile("The file was replaced after the task was submitted.") from error
            raise

    def begin_upload(self, key: str, content_type: str, *, by_links: bool = False) -> OpenUpload:
        """An object that will come by parts, ours or those of `part_link`; nothing shows until `finish_upload`."""
        # boto3 sends a CRC-32 with each part, and S3 wants to know beforehand whether there will be any.
        checked: Any = {} if by_links else {"ChecksumAlgorithm": "CRC32"}
        begun = self._client.create_multipart_upload(Bucket=self.bucket, Key=key, ContentType=content_type, **checked)
        return OpenUpload(key, begun["UploadId"])

    def put_part(self, upload: OpenUpload, number: int, body: bytes | bytearray) -> UploadedPart:
        """Raises Conflict: the upload was ended meanwhile."""
        with _still_open():
            put = self._client.upload_part(**self._of(upload), PartNumber=number, Body=cast("bytes", body))
        return UploadedPart(number, put["ETag"].strip('"'), len(body), put.get("ChecksumCRC32"))

    def parts_of(self, upload: OpenUpload) -> Sequence[UploadedPart]:
        """What has come of it, in order. Raises Conflict: the upload was ended meanwhile."""
        with _still_open():
            pages = list(self._client.get_paginator("list_parts").paginate(**self._of(upload)))
        return [
            UploadedPart(part["PartNumber"], part["ETag"].strip('"'), part["Size"])
            for page in pages
            for part in page.get("Parts", ())
        ]

    def finish_upload(self, upload: OpenUpload, parts: Sequence[UploadedPart]) -> None:
        """The parts are one object from here on. Raises Conflict: the upload was ended meanwhile."""
        named = [
            {"PartNumber": part.number, "ETag": part.etag} | ({"ChecksumCRC32": part.crc32} if part.crc32 else {})
            for part in parts
        ]
        with _still_open():
            self._client.complete_multipart_upload(**self._of(upload), MultipartUpload={"Parts": named})  # type: ignore[typeddict-item]

    def part_link(self, upload: OpenUpload, number: int, size: int) -> str:
        """A PUT link for one part. Its length is signed: the store refuses a body of another."""
        return self._signer.generate_presigned_url(
            "upload_part",
            Params={**self._of(upload), "PartNumber": number, "ContentLength": size},
            ExpiresIn=self._settings.upload_link_seconds,
        )

    def _of(self, upload: OpenUpload) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": upload.key, "UploadId": upload.upload_id}

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
                "ResponseContentDisposition": saved_as(filename),
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

    def abort_upload(self, upload: OpenUpload) -> None:
        """Free the parts; one that has ended meanwhile does not matter."""
        try:
            self._client.abort_multipart_upload(**self._of(upload))
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


@contextmanager
def _still_open() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "NoSuchUpload":
            raise Conflict("The upload was ended meanwhile. Announce the file again and send it anew.") from error
        raise


def saved_as(filename: str) -> str:
    """Content-Disposition after RFC 6266: ASCII for old clients, and the true name, which S3 refuses unquoted."""
    plain = "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "_" for letter in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


@cache
def _descriptions() -> Any:
    """What botocore knows of its services, megabytes of JSON: read once a process, for each door that is opened."""
    from botocore.loaders import create_loader

    return create_loader()


def _status(error: ClientError) -> Any:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
