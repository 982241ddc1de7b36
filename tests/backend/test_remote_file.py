import io
import random
import zipfile
from typing import Any

import pytest

from backend import remote_file
from backend.errors import UnreadableFile
from backend.remote_file import opened
from backend.storage.door import Storage
from backend.storage.objects import ObjectInfo

BODY = random.Random(7).randbytes(300_000)


def stored(storage: Storage, body: bytes = BODY) -> ObjectInfo:
    storage.put_bytes("file", body, "text/csv")
    found = storage.head("file")
    assert found is not None
    return found


@pytest.fixture
def reads(storage_bucket: Storage, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What is asked of the store."""
    asked: list[tuple[int, int]] = []
    read = Storage.read

    def noted(storage: Storage, key: str, start: int, length: int, etag: Any = None) -> bytes:
        asked.append((start, length))
        return read(storage, key, start, length, etag)

    monkeypatch.setattr(Storage, "read", noted)
    return asked


def test_it_reads_as_a_local_file_does(storage_bucket: Storage) -> None:
    remote, local = opened(storage_bucket, stored(storage_bucket)), io.BytesIO(BODY)
    chance = random.Random(3)
    for _ in range(20):
        at, length = chance.randrange(320_000), chance.choice([0, 1, 100, 9_000, 70_000])
        assert remote.seek(at) == local.seek(at)
        assert remote.read(length) == local.read(length)
    remote.seek(-10, io.SEEK_END)
    assert remote.read() == BODY[-10:]


def test_a_head_and_a_tail_cost_two_reads(storage_bucket: Storage, reads: list[tuple[int, int]]) -> None:
    file = opened(storage_bucket, stored(storage_bucket))

    file.read(4)
    file.read(1000)
    file.seek(-22, io.SEEK_END)
    file.read()
    file.seek(-5_000, io.SEEK_END)
    file.read(100)

    assert reads == [(0, remote_file.WINDOW), (300_000 - remote_file.WINDOW, remote_file.WINDOW)]


def test_an_archives_directory_is_one_read_whatever_is_in_it(
    storage_bucket: Storage, reads: list[tuple[int, int]]
) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as written:
        written.writestr("xl/workbook.xml", BODY)
    with zipfile.ZipFile(opened(storage_bucket, stored(storage_bucket, body.getvalue()))) as archive:
        assert archive.namelist() == ["xl/workbook.xml"]
    assert len(reads) == 1


def test_an_empty_object_is_an_empty_file(storage_bucket: Storage) -> None:
    assert opened(storage_bucket, stored(storage_bucket, b"")).read(10) == b""


def test_an_object_that_was_replaced_meanwhile_is_not_read_on(storage_bucket: Storage) -> None:
    file = opened(storage_bucket, stored(storage_bucket))
    storage_bucket.put_bytes("file", b"another", "text/csv")
    with pytest.raises(UnreadableFile, match="replaced"):
        file.read(10)
