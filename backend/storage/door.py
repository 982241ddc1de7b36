"""The door to the files: any S3. No other room knows boto3, which is loaded when the door first needs it."""

import hashlib
from collections.abc import Collection, Mapping
from os.path import commonprefix
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from backend.errors import UnreadableFile
from backend.storage.faults import CHANGED, NOT_FOUND, status_of
from backend.storage.links import Links
from backend.storage.listing import Listing
from backend.storage.objects import ObjectInfo, StoredObject
from backend.storage.parts import Parts

if TYPE_CHECKING:
    from botocore.response import StreamingBody

_CHUNK = 1 << 20
_FEW = 4  # a listing brings up to 1,000 objects


class Storage(Listing, Parts, Links):
    """One bucket. Methods raise botocore's errors; `backend.verdicts` knows what they mean."""

    def head(self, key: str) -> ObjectInfo | None:
        """What the store knows of an object, or None where there is none."""
        try:
            found = self._client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if status_of(error) == NOT_FOUND:
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
            if status_of(error) == CHANGED:
                raise UnreadableFile("The file was replaced after the task was submitted.") from error
            raise
