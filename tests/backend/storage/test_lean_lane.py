"""Both lanes to the store mean the same, however it answers; and the lean one is lean."""

import base64
import hashlib
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from scripted_store import Reply, refusal, scripted_store

from backend.errors import UnreadableFile
from backend.ports import free_port
from backend.settings import Settings
from backend.storage.door import Storage
from backend.storage.lean_lane import Declined, LeanLane
from backend.storage.place import find_place
from backend.verdicts import verdict_for

OURS, HICCUP = "INTERNAL_ERROR", "STORAGE_UNAVAILABLE"
KNOWN = {"ETag": '"x"', "Last-Modified": "Mon, 02 Jan 2023 00:00:00 GMT"}
SPOILT = KNOWN | {"x-amz-checksum-crc32": base64.b64encode(zlib.crc32(b"sent").to_bytes(4, "big")).decode()}
CALLS: dict[str, Callable[[Storage, Path], object]] = {
    "put": lambda storage, _: storage.put_bytes("a b.json", b"{}", "application/json"),
    "put a file": lambda storage, folder: storage.put_file("a", written(folder), "text/csv"),
    "get": lambda storage, _: storage.get_bytes("a"),
    "download": lambda storage, folder: storage.download("a", folder / "a", "x"),
    "read": lambda storage, _: storage.read("a", 0, 10, "x"),
    "head": lambda storage, _: storage.head("a"),
}


def written(folder: Path) -> Path:
    (folder / "sent").write_bytes(b"sent")
    return folder / "sent"


def door(url: str, **changes: object) -> Storage:
    given = {"s3_endpoint_url": url, "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    return Storage(Settings(_env_file=None, **(given | changes)))  # type: ignore[arg-type]


@pytest.fixture(params=["lean", "boto3"])
def lane(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both, one after the other; boto3's tries follow each other at once."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
    if request.param == "boto3":
        monkeypatch.setattr(LeanLane, "open", decline)
    return str(request.param)


def decline(_: LeanLane) -> None:
    raise Declined


@pytest.mark.usefixtures("lane")
@pytest.mark.parametrize("name", ["put", "get", "head"])
@pytest.mark.parametrize(
    ("status", "code", "said"),
    [(403, "AccessDenied", OURS), (503, "SlowDown", HICCUP), (500, "InternalError", HICCUP)],
)
def test_a_refusal_is_judged_the_same(name: str, status: int, code: str, said: str, tmp_path: Path) -> None:
    with scripted_store(refusal(status, code)) as store, pytest.raises(ClientError) as caught:
        CALLS[name](door(store.url), tmp_path)
    assert verdict_for(caught.value).error_code == said


@pytest.mark.usefixtures("lane")
@pytest.mark.parametrize(("code", "said"), [("XAmzContentSHA256Mismatch", OURS), ("RequestTimeout", HICCUP)])
def test_a_refused_file_says_why(code: str, said: str, tmp_path: Path) -> None:
    with scripted_store(refusal(400, code)) as store, pytest.raises(ClientError) as caught:
        CALLS["put a file"](door(store.url), tmp_path)
    assert verdict_for(caught.value).error_code == said


@pytest.mark.usefixtures("lane")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_hiccup_is_asked_again(call: Callable[[Storage, Path], object], tmp_path: Path) -> None:
    plain = Reply(206 if call is CALLS["read"] else 200, b"", KNOWN)
    with scripted_store(refusal(500, "InternalError"), plain) as store:
        call(door(store.url), tmp_path)
    assert len(store.requests) == 2


@pytest.mark.usefixtures("lane")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_store_that_is_away_is_a_hiccup(call: Callable[[Storage, Path], object], tmp_path: Path) -> None:
    with pytest.raises(Exception) as caught:
        call(door(f"http://127.0.0.1:{free_port()}"), tmp_path)
    assert verdict_for(caught.value).error_code == HICCUP


@pytest.mark.usefixtures("lane")
def test_what_is_not_there_is_our_bug_where_it_is_read_and_none_where_it_is_looked_for(tmp_path: Path) -> None:
    with scripted_store(refusal(404, "NoSuchKey")) as store:
        assert door(store.url).head("a") is None
        for name in ("get", "download", "read"):
            with pytest.raises(ClientError) as caught:
                CALLS[name](door(store.url), tmp_path)
            assert verdict_for(caught.value).error_code == OURS


@pytest.mark.usefixtures("lane")
@pytest.mark.parametrize("name", ["download", "read"])
def test_an_object_that_was_replaced_is_not_read(name: str, tmp_path: Path) -> None:
    with scripted_store(refusal(412, "PreconditionFailed")) as store, pytest.raises(UnreadableFile):
        CALLS[name](door(store.url), tmp_path)


@pytest.mark.usefixtures("lane")
@pytest.mark.parametrize("reply", [Reply(200, b"half", KNOWN, announced=8), Reply(200, b"spoilt", SPOILT)])
@pytest.mark.parametrize("name", ["get", "download"])
def test_a_body_that_is_cut_or_spoilt_is_a_hiccup_and_leaves_no_file(name: str, reply: Reply, tmp_path: Path) -> None:
    with scripted_store(reply) as store, pytest.raises(Exception) as caught:
        CALLS[name](door(store.url), tmp_path)
    assert verdict_for(caught.value).error_code == HICCUP
    assert list(tmp_path.iterdir()) == []


def test_a_put_is_one_request_that_says_what_it_sends_and_opens_no_boto3() -> None:
    with scripted_store(Reply()) as store:
        storage = door(store.url)
        storage.put_bytes("users/1/a b+ü.json", b"{}", "application/json")
    [request] = store.requests
    assert (request.method, request.path) == ("PUT", "/agensium/users/1/a%20b%2B%C3%BC.json")
    assert (request.body, request.headers["Content-Type"]) == (b"{}", "application/json")
    assert request.headers["X-Amz-Content-SHA256"] == hashlib.sha256(b"{}").hexdigest()
    assert request.headers["x-amz-checksum-crc32"] == base64.b64encode(zlib.crc32(b"{}").to_bytes(4, "big")).decode()
    assert "Expect" not in request.headers
    assert "_client" not in vars(storage)


def test_the_signature_names_what_boto3s_would(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_store(Reply(200, b"{}", KNOWN)) as store:
        door(store.url, s3_region="eu-north-1").get_bytes("a")
        monkeypatch.setattr(LeanLane, "open", decline)
        door(store.url, s3_region="eu-north-1").get_bytes("a")
    lean, boto3s = (request.headers["Authorization"].split("SignedHeaders=") for request in store.requests)
    assert lean[0] == boto3s[0]
    assert set(boto3s[1].split(",")[0].split(";")) - {"amz-sdk-invocation-id", "amz-sdk-request"} <= set(
        lean[1].split(",")[0].split(";")
    )


def test_a_bucket_in_another_region_is_found_by_boto3_and_left_to_it() -> None:
    moved = refusal(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-north-1"})
    with scripted_store(moved, moved, Reply(200, b"{}", KNOWN)) as store:
        storage = door(store.url)
        assert [storage.get_bytes("a"), storage.get_bytes("a")] == [b"{}", b"{}"]
    assert "/eu-north-1/s3/" in store.requests[2].headers["Authorization"]
    assert len(store.requests) == 4


def test_a_forks_child_opens_connections_of_its_own() -> None:
    lean = door("http://127.0.0.1:1")._lean
    place, pool = lean.open()
    assert lean.open()[1] is pool
    lean._opened = (0, place, pool)  # as the parent left it
    assert lean.open()[1] is not pool


@pytest.mark.parametrize(
    "changes",
    [
        {"s3_endpoint_url": None, "s3_region": "eu-central-1"},
        {"s3_endpoint_url": None, "s3_region": "cn-north-1"},
        {"s3_endpoint_url": None, "s3_bucket": "with.dots", "s3_region": "eu-central-1"},
        {"s3_endpoint_url": "https://minio.example.org:9000/within/"},
    ],
    ids=["AWS", "China", "dots", "own"],
)
def test_the_lean_lane_goes_where_boto3_goes(changes: dict[str, object]) -> None:
    storage = door("", **changes)
    place = find_place(storage._settings)
    assert place is not None
    assert f"{place.url}/a%20b.csv" == asked_by_boto3(storage, "a b.csv")


def asked_by_boto3(storage: Storage, key: str) -> str:
    """The URL that a GET of it would go to."""
    asked: list[str] = []

    def note(request: Any, **_: Any) -> AWSResponse:
        asked.append(request.url)
        return AWSResponse(request.url, 200, {}, io.BytesIO())

    storage._client.meta.events.register("before-send.s3.GetObject", note)
    storage._client.get_object(Bucket=storage.bucket, Key=key)
    return asked[0]


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "AWS_ENDPOINT_URL_S3"])
def test_what_the_machine_says_of_the_way_is_for_boto3(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert find_place(door("", s3_endpoint_url=None)._settings) is None
