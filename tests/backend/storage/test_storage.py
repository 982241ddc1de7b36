import base64
import hashlib
import json
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore.stub import Stubber

from backend.errors import Conflict, UnreadableFile
from backend.settings import Settings, get_settings
from backend.storage import listing, streams
from backend.storage.door import Storage
from backend.storage.faults import StorageError
from backend.storage.keys import input_key, output_key, step_key, task_prefix
from backend.storage.lean_lane import LeanLane
from backend.storage.objects import OpenUpload
from backend.verdicts import verdict_for

TASK = uuid.UUID("12345678-1234-4234-8234-123456789abc")


def test_a_file_comes_back_as_it_was_sent(storage_bucket: Storage, tmp_path: Path) -> None:
    sent, received = tmp_path / "sent.csv", tmp_path / "received.csv"
    sent.write_bytes(b"\x00\xff" * 70_000)
    stored = storage_bucket.put_file("users/1/a.csv", sent, "text/csv")
    assert (stored.key, stored.size) == ("users/1/a.csv", 140_000)
    assert stored.sha256 == hashlib.sha256(sent.read_bytes()).hexdigest()
    assert storage_bucket.download("users/1/a.csv", received) == 140_000
    assert received.read_bytes() == sent.read_bytes()


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What is large is small, for once; the ranges that are asked for."""
    monkeypatch.setattr(streams, "LARGE", 10)
    monkeypatch.setattr(streams, "PIECE", 4)
    asked: list[str | None] = []
    get = LeanLane.get

    def noted(lane: LeanLane, key: str, etag: str | None = None, piece: str | None = None) -> streams.OpenObject:
        asked.append(piece)
        return get(lane, key, etag, piece)

    monkeypatch.setattr(LeanLane, "get", noted)
    return asked


def by_parts(storage: Storage, key: str, body: bytes) -> None:
    """As a customer's large file comes: the store keeps no checksum of the whole."""
    upload = storage.begin_upload(key, "text/csv", by_links=True)
    httpx.put(storage.part_link(upload, 1, len(body)), content=body).raise_for_status()
    storage.finish_upload(upload, storage.parts_of(upload))


def test_a_large_object_is_fetched_in_pieces(
    storage_bucket: Storage, small_pieces: list[str | None], tmp_path: Path
) -> None:
    by_parts(storage_bucket, "big.csv", b"0123456789abcd")
    assert storage_bucket.download("big.csv", tmp_path / "big.csv") == 14
    assert (tmp_path / "big.csv").read_bytes() == b"0123456789abcd"
    assert set(small_pieces) == {None, "bytes=0-3", "bytes=4-7", "bytes=8-11", "bytes=12-13"}


@pytest.mark.usefixtures("small_pieces")
def test_a_large_object_that_is_replaced_while_it_is_fetched_leaves_no_file(
    storage_bucket: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    by_parts(storage_bucket, "big.csv", b"0123456789abcd")
    write_piece = streams._write_piece

    def replaced(*asked: Any) -> None:
        by_parts(storage_bucket, "big.csv", b"dcba9876543210")
        write_piece(*asked)

    monkeypatch.setattr(streams, "_write_piece", replaced)
    with pytest.raises(UnreadableFile, match="replaced"):
        storage_bucket.download("big.csv", tmp_path / "big.csv")
    assert list(tmp_path.iterdir()) == []


def test_what_the_store_can_prove_is_fetched_in_order(
    storage_bucket: Storage, small_pieces: list[str | None], tmp_path: Path
) -> None:
    storage_bucket.put_bytes("big.csv", b"0123456789abcd", "text/csv")
    storage_bucket.download("big.csv", tmp_path / "big.csv")
    assert small_pieces == [None]


def test_bytes_come_back_as_they_were_sent(storage_bucket: Storage) -> None:
    stored = storage_bucket.put_bytes("a.json", b"{}", "application/json")
    assert (stored.size, stored.sha256) == (2, hashlib.sha256(b"{}").hexdigest())
    assert storage_bucket.get_bytes("a.json") == b"{}"


def test_a_piece_of_an_object_is_read_without_the_rest(storage_bucket: Storage) -> None:
    storage_bucket.put_bytes("a.csv", b"0123456789", "text/csv")
    assert storage_bucket.read("a.csv", 2, 3) == b"234"
    assert storage_bucket.read("a.csv", 8, 100) == b"89"


def test_an_upload_by_parts_shows_nothing_until_it_is_finished(storage_bucket: Storage) -> None:
    upload = storage_bucket.begin_upload("big.csv", "text/csv")
    sent = [storage_bucket.put_part(upload, 1, bytearray(5 * 2**20)), storage_bucket.put_part(upload, 2, b"end")]
    assert storage_bucket.head("big.csv") is None
    assert [(part.number, part.etag, part.size) for part in storage_bucket.parts_of(upload)] == [
        (part.number, part.etag, part.size) for part in sent
    ]
    storage_bucket.finish_upload(upload, sent)
    assert storage_bucket.get_bytes("big.csv") == bytes(5 * 2**20) + b"end"
    assert list(storage_bucket.list_unfinished_uploads("")) == []


def test_a_part_sent_by_a_link_belongs_to_its_upload(storage_bucket: Storage) -> None:
    upload = storage_bucket.begin_upload("big.csv", "text/csv", by_links=True)
    httpx.put(storage_bucket.part_link(upload, 1, 3), content=b"abc").raise_for_status()
    storage_bucket.finish_upload(upload, storage_bucket.parts_of(upload))
    assert storage_bucket.get_bytes("big.csv") == b"abc"


def test_a_link_to_a_part_is_good_for_its_length_only(storage_bucket: Storage) -> None:
    link = storage_bucket.part_link(OpenUpload("big.csv", "some-upload"), 3, 5)
    asked = parse_qs(urlsplit(link).query)
    assert asked["X-Amz-SignedHeaders"] == ["content-length;host"]
    assert (asked["partNumber"], asked["uploadId"]) == (["3"], ["some-upload"])


@pytest.mark.parametrize("step", ["upload_part", "list_parts", "complete_multipart_upload"])
def test_an_upload_that_was_ended_meanwhile_is_a_conflict(storage_bucket: Storage, step: str) -> None:
    upload = OpenUpload("big.csv", "ended")
    steps: dict[str, Callable[[], object]] = {
        "upload_part": lambda: storage_bucket.put_part(upload, 1, b"x"),
        "list_parts": lambda: storage_bucket.parts_of(upload),
        "complete_multipart_upload": lambda: storage_bucket.finish_upload(upload, []),
    }
    with Stubber(storage_bucket._client) as store:
        store.add_client_error(step, "NoSuchUpload", http_status_code=404)
        with pytest.raises(Conflict):
            steps[step]()


def test_head_tells_what_the_store_knows(storage_bucket: Storage) -> None:
    storage_bucket.put_bytes("a.json", b"{}", "application/json")
    found = storage_bucket.head("a.json")
    assert found is not None
    assert (found.key, found.size, found.etag) == ("a.json", 2, hashlib.md5(b"{}").hexdigest())  # noqa: S324 (S3's own)
    assert found.modified_at.tzinfo is not None


def test_head_of_a_key_that_is_not_there_is_none(storage_bucket: Storage) -> None:
    assert storage_bucket.head("not-there") is None


def test_a_missing_object_raises_our_bug_not_a_hiccup(storage_bucket: Storage) -> None:
    with pytest.raises(StorageError) as caught:
        storage_bucket.get_bytes("not-there")
    assert verdict_for(caught.value).error_code == "INTERNAL_ERROR"


def test_an_object_that_was_replaced_is_not_taken_for_the_one_submitted(
    storage_bucket: Storage, tmp_path: Path
) -> None:
    storage_bucket.put_bytes("a.csv", b"old", "text/csv")
    submitted = storage_bucket.head("a.csv")
    assert submitted is not None
    assert storage_bucket.download("a.csv", tmp_path / "a.csv", submitted.etag) == 3
    storage_bucket.put_bytes("a.csv", b"new!", "text/csv")
    with pytest.raises(UnreadableFile, match="replaced"):
        storage_bucket.download("a.csv", tmp_path / "b.csv", submitted.etag)


def test_the_list_goes_on_over_every_page(storage_bucket: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        storage_bucket.put_bytes(f"steps/{number}", b"x", "text/plain")
    storage_bucket.put_bytes("elsewhere", b"x", "text/plain")
    pages = turning_pages_of(2, storage_bucket, monkeypatch)
    assert [found.key for found in storage_bucket.list("steps/")] == [f"steps/{number}" for number in range(5)]
    assert len(pages) == 3


def turning_pages_of(size: int, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """S3 gives 1,000 keys a page; a real store takes seconds to fill one."""
    pages: list[object] = []
    listed = storage._client.list_objects_v2

    def list_page(**asked: Any) -> Any:
        pages.append(asked)
        return listed(**asked, MaxKeys=size)

    monkeypatch.setattr(storage._client, "list_objects_v2", list_page)
    return pages


def test_delete_takes_as_many_calls_as_it_needs(storage_bucket: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "DELETE_LIMIT", 2)
    keys = [f"outputs/{number}" for number in range(5)]
    for key in keys:
        storage_bucket.put_bytes(key, b"x", "text/plain")
    storage_bucket.delete(iter([*keys[:4], "not-there"]))
    assert [found.key for found in storage_bucket.list("")] == [keys[4]]


def test_delete_of_nothing_asks_nothing(storage_bucket: Storage) -> None:
    with Stubber(storage_bucket._client):  # which would refuse any call
        storage_bucket.delete([])


def test_a_key_that_could_not_be_deleted_is_not_passed_over(storage_bucket: Storage) -> None:
    refused = {"Errors": [{"Key": "a", "Code": "InternalError", "Message": "We encountered an internal error."}]}
    with Stubber(storage_bucket._client) as store:
        store.add_response("delete_objects", refused)
        with pytest.raises(StorageError) as caught:
            storage_bucket.delete(["a"])
    assert verdict_for(caught.value).error_code == "STORAGE_UNAVAILABLE"


def test_a_customer_uploads_with_the_form_as_it_is_given(storage_bucket: Storage) -> None:
    link = storage_bucket.upload_link("users/1/inputs/a.csv", "text/csv", max_bytes=100)
    answer = httpx.post(link.url, data=link.fields, files={"file": ("a.csv", b"a,b\n1,2\n", "text/csv")})
    assert answer.status_code in {200, 201, 204}, answer.text
    assert storage_bucket.get_bytes("users/1/inputs/a.csv") == b"a,b\n1,2\n"


def test_the_form_is_signed_for_one_key_one_type_and_one_size(storage_bucket: Storage) -> None:
    link = storage_bucket.upload_link("users/1/a.csv", "text/csv", max_bytes=100)
    conditions = json.loads(base64.b64decode(link.fields["policy"]))["conditions"]
    assert (link.key, link.max_bytes) == ("users/1/a.csv", 100)
    for condition in (["content-length-range", 1, 100], {"Content-Type": "text/csv"}, {"key": "users/1/a.csv"}):
        assert condition in conditions


@pytest.mark.parametrize(
    ("filename", "plain", "true"),
    [
        ("report.html", "report.html", "report.html"),
        ('my "best" data\\.csv', "my _best_ data_.csv", "my%20%22best%22%20data%5C.csv"),
        ("Größe – 数据.csv", "Gr__e _ __.csv", "Gr%C3%B6%C3%9Fe%20%E2%80%93%20%E6%95%B0%E6%8D%AE.csv"),
        ("a\r\nSet-Cookie: b", "a__Set-Cookie: b", "a%0D%0ASet-Cookie%3A%20b"),
    ],
)
def test_a_download_saves_under_the_name_whatever_it_holds(
    storage_bucket: Storage, filename: str, plain: str, true: str
) -> None:
    storage_bucket.put_bytes("outputs/1/x", b"the report", "text/html")
    answer = httpx.get(storage_bucket.download_link("outputs/1/x", filename))
    assert answer.content == b"the report"
    assert answer.headers["content-disposition"] == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{true}"


def test_links_name_the_public_address_and_end_in_time() -> None:
    settings = Settings(
        _env_file=None,
        s3_endpoint_url="http://storage.internal:9000",
        s3_public_endpoint_url="https://files.example.com",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        download_link_seconds=120,
    )
    link = urlsplit(Storage(settings).download_link("outputs/1/x", "x.csv"))
    assert (link.scheme, link.netloc, link.path) == ("https", "files.example.com", "/agensium/outputs/1/x")
    assert parse_qs(link.query)["X-Amz-Expires"] == ["120"]
    assert Storage(settings).upload_link("a", "text/csv", 1).url.startswith("https://files.example.com/")


def test_check_raises_while_the_bucket_is_not_there(storage_bucket: Storage) -> None:
    storage_bucket.check()
    with pytest.raises(StorageError):
        Storage(get_settings().model_copy(update={"s3_bucket": "never-made"})).check()


def test_ensuring_a_bucket_twice_keeps_what_is_in_it(storage_bucket: Storage) -> None:
    storage_bucket.put_bytes("kept", b"x", "text/plain")
    storage_bucket.ensure_bucket()
    assert storage_bucket.get_bytes("kept") == b"x"


@contextmanager
def a_store_that_breaks_off(announced: int, sent: bytes) -> Iterator[str]:
    """An HTTP server that promises `announced` bytes and hangs up after `sent`; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=break_off, args=(server, announced, sent))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def break_off(server: socket.socket, announced: int, sent: bytes) -> None:
    head = f'HTTP/1.1 200 OK\r\nContent-Length: {announced}\r\nETag: "x"\r\nConnection: close\r\n\r\n'.encode()
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            asked = connection.recv(65_536)
            connection.sendall(head if asked.startswith(b"HEAD") else head + sent)


@pytest.fixture
def broken_store() -> Iterator[Storage]:
    with a_store_that_breaks_off(announced=100, sent=b"only half") as url:
        yield Storage(Settings(_env_file=None, s3_endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b"))


def test_a_truncated_download_raises_and_leaves_no_file(broken_store: Storage, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        broken_store.download("a.csv", tmp_path / "a.csv")
    assert verdict_for(caught.value).error_code == "STORAGE_UNAVAILABLE"
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_object_is_never_half_read(broken_store: Storage) -> None:
    with pytest.raises(StorageError) as caught:
        broken_store.get_bytes("a.json")
    assert verdict_for(caught.value).error_code == "STORAGE_UNAVAILABLE"


def test_every_key_of_a_task_lies_under_the_tasks_own_prefix() -> None:
    assert task_prefix(7, TASK) == f"users/7/tasks/{TASK}/"
    assert input_key(7, TASK, "primary", "a b.csv") == f"users/7/tasks/{TASK}/inputs/primary/a b.csv"
    assert step_key(7, TASK, 3, "score-risk", "result.json") == f"users/7/tasks/{TASK}/steps/3/score-risk/result.json"
    assert output_key(7, TASK, 3, "report.json") == f"users/7/tasks/{TASK}/outputs/3/report.json"
