"""The door to the files: any S3. No other room knows boto3, which is loaded when the door first needs it.

What each task asks for goes by the lean lane, and through boto3 where that declines; the rest is boto3's.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from functools import wraps
from os.path import commonprefix
from pathlib import Path
from typing import ParamSpec, TypeVar

from botocore.exceptions import ClientError

from backend import traces
from backend.errors import UnreadableFile
from backend.settings import Settings
from backend.storage import boto3_lane
from backend.storage.faults import CHANGED, StorageError, status_of
from backend.storage.lean_lane import Declined, LeanLane
from backend.storage.links import Links
from backend.storage.listing import Listing
from backend.storage.objects import ObjectInfo, StoredObject
from backend.storage.parts import Parts
from backend.storage.streams import OpenObject, write

_IN_PARTS = 8 << 20  # bytes, from which boto3 sends a file in parts, side by side; a smaller one is read at once
_FEW = 4  # a listing brings up to 1,000 objects


Given = ParamSpec("Given")
Found = TypeVar("Found")


def _traced(operation: str) -> Callable[[Callable[Given, Found]], Callable[Given, Found]]:
    """A span with the name of S3's operation. The key is not in it: it ends in a customer's name for a file."""

    def decorated(call: Callable[Given, Found]) -> Callable[Given, Found]:
        @wraps(call)
        def within(*given: Given.args, **named: Given.kwargs) -> Found:
            with traces.door(f"S3 {operation}", rpc__system="aws-api", rpc__method=operation):
                return call(*given, **named)

        return within

    return decorated


class Storage(Listing, Parts, Links):
    """One bucket. Methods raise botocore's errors; `backend.verdicts` knows what they mean."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._lean = LeanLane(settings)

    def warm_up(self) -> None:
        """Read what the first call would have to: 0.1 s of CPU. Nothing is asked of the store, and nothing raised."""
        with suppress(*StorageError):  # whoever asks first will hear of it
            try:
                self._lean.open()
            except Declined:
                _ = self._client

    @_traced("HeadObject")
    def head(self, key: str) -> ObjectInfo | None:
        """What the store knows of an object, or None where there is none."""
        try:
            return self._lean.head(key)
        except Declined:
            return boto3_lane.head(self._client, self.bucket, key)

    def heads(self, keys: Collection[str]) -> Mapping[str, ObjectInfo | None]:
        """What the store knows of several objects of one folder: many are listed, not asked for one by one."""
        if len(keys) <= _FEW:
            return {key: self.head(key) for key in keys}
        found = {one.key: one for one in self.list(commonprefix(list(keys)))}  # noqa: RUF071 (a key is no path)
        return {key: found.get(key) for key in keys}

    @_traced("PutObject")
    def put_bytes(self, key: str, body: bytes, content_type: str) -> StoredObject:
        return self._put(key, body, content_type)

    @_traced("PutObject")
    def put_file(self, key: str, path: Path, content_type: str) -> StoredObject:
        """Send a file, in parts where it is large."""
        if path.stat().st_size < _IN_PARTS:
            return self._put(key, path.read_bytes(), content_type)
        with path.open("rb") as body:
            digest = hashlib.file_digest(body, "sha256").hexdigest()
        boto3_lane.put_in_parts(self._client, self.bucket, key, path, content_type, encryption=self._encryption)
        return StoredObject(key, path.stat().st_size, digest)

    @_traced("GetObject")
    def get_bytes(self, key: str) -> bytes:
        with closing(self._open(key).body) as body:
            return body.read()

    @_traced("GetObject")
    def download(self, key: str, path: Path, etag: str | None = None) -> int:
        """Bring an object to local disk; its size. A half-written file never stands under its final name.

        Raises:
            UnreadableFile: the object is no longer the one with this ETag.
        """
        found = self._open(key, etag)
        part = path.with_name(f"{path.name}.part")
        try:
            write(found, part, lambda start, length: self._open(key, found.etag, _range(start, length)))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path.stat().st_size

    @_traced("GetObject")
    def read(self, key: str, start: int, length: int, etag: str | None = None) -> bytes:
        """A piece of an object; at its end, less. Raises UnreadableFile as `download` does."""
        with closing(self._open(key, etag, _range(start, length)).body) as body:
            return body.read()

    def _put(self, key: str, body: bytes, content_type: str) -> StoredObject:
        try:
            self._lean.put(key, body, content_type)
        except Declined:
            boto3_lane.put(self._client, self.bucket, key, body, content_type, encryption=self._encryption)
        return StoredObject(key, len(body), hashlib.sha256(body).hexdigest())

    def _open(self, key: str, etag: str | None = None, piece: str | None = None) -> OpenObject:
        try:
            return self._lean.get(key, etag, piece)
        except Declined:
            return self._open_by_boto3(key, etag, piece)

    def _open_by_boto3(self, key: str, etag: str | None, piece: str | None) -> OpenObject:
        try:
            return boto3_lane.get(self._client, self.bucket, key, etag, piece)
        except ClientError as error:
            if status_of(error) == CHANGED:
                raise UnreadableFile("The file was replaced after the task was submitted.") from error
            raise


def _range(start: int, length: int) -> str:
    return f"bytes={start}-{start + length - 1}"
