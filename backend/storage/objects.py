"""What the store has, as values: objects, and uploads by parts that are not objects yet."""

from dataclasses import dataclass
from datetime import datetime


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
