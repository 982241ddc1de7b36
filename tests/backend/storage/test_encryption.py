"""With S3_KMS_KEY_ID each object is encrypted with that key, whichever way it came; the store tells of it."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.settings import get_settings
from backend.storage import door, encryption
from backend.storage.door import Storage
from backend.storage.encryption import ALGORITHM
from backend.storage.lean_lane import Declined, LeanLane

KEY = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"


def by_part_links(storage: Storage, _: Path) -> None:
    upload = storage.begin_upload("a", "text/csv", by_links=True)
    httpx.put(storage.part_link(upload, 1, 4), content=b"sent").raise_for_status()
    storage.finish_upload(upload, storage.parts_of(upload))


def by_parts(storage: Storage, _: Path) -> None:
    upload = storage.begin_upload("a", "text/csv")
    storage.finish_upload(upload, [storage.put_part(upload, 1, b"sent")])


def as_file(storage: Storage, folder: Path) -> None:
    (folder / "sent").write_bytes(b"sent")
    storage.put_file("a", folder / "sent", "text/csv")


WAYS: dict[str, Callable[[Storage, Path], None]] = {
    "bytes": lambda storage, _: storage.put_bytes("a", b"sent", "text/csv") and None, "a file": as_file,
    "our parts": by_parts, "a customer's parts": by_part_links,
}  # fmt: skip


def with_key(storage: Storage, key: str) -> Storage:
    """The same bucket, through a door that was told of a key."""
    assert storage.bucket == get_settings().s3_bucket
    return Storage(get_settings().model_copy(update={"s3_kms_key_id": key}))


def kept(storage: Storage) -> tuple[Any, Any]:
    found = storage._client.head_object(Bucket=storage.bucket, Key="a")
    return found.get("ServerSideEncryption"), found.get("SSEKMSKeyId")


@pytest.mark.parametrize("way", WAYS)
def test_whatever_way_an_object_comes_it_is_encrypted_with_the_key(
    storage_bucket: Storage, way: str, tmp_path: Path
) -> None:
    WAYS[way](with_key(storage_bucket, KEY), tmp_path)
    assert kept(storage_bucket) == ("aws:kms", KEY)
    assert storage_bucket.get_bytes("a") == b"sent"


@pytest.mark.parametrize("way", ["bytes", "a file"])
def test_the_lane_of_boto3_says_the_same_key(
    storage_bucket: Storage, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decline(*_: Any) -> None:
        raise Declined

    monkeypatch.setattr(LeanLane, "open", decline)
    monkeypatch.setattr(door, "_IN_PARTS", 1 if way == "a file" else door._IN_PARTS)
    WAYS[way](with_key(storage_bucket, KEY), tmp_path)
    assert kept(storage_bucket) == ("aws:kms", KEY)


def test_a_customers_form_sends_the_key_and_its_policy_demands_it(storage_bucket: Storage) -> None:
    """moto takes a form's file and passes over these fields (as over its policy: PITFALLS 44)."""
    fields = with_key(storage_bucket, KEY).upload_link("a", "text/csv", 10).fields
    said = {ALGORITHM: "aws:kms", encryption.KEY: KEY}
    assert said.items() <= fields.items()
    conditions = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    assert all({name: value} in conditions for name, value in said.items())


def test_without_a_key_the_store_is_told_nothing(storage_bucket: Storage) -> None:
    storage_bucket.put_bytes("a", b"sent", "text/csv")
    assert kept(storage_bucket)[1] is None
    assert ALGORITHM not in storage_bucket.upload_link("a", "text/csv", 10).fields
