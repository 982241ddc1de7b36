import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from hall_client import CSV, Customer, problem_of

from api import input_routes, streamed_upload
from api.arrivals import Wanted
from backend.errors import BadRequest
from backend.main import create_app
from backend.storage.door import Storage
from db import task_store
from db.database import transaction
from transformers.tool import PRIMARY

BIG = b"a,b\n" + b"1,2\n" * 100_000


def folder_of(customer: Customer, task_id: str) -> str:
    return f"users/{customer.id}/tasks/{task_id}/"


def keys_of(customer: Customer, task_id: str) -> list[str]:
    return [found.key for found in customer.hall.storage.list(folder_of(customer, task_id))]


def open_uploads(customer: Customer, task_id: str) -> list[str]:
    return [found.key for found in customer.hall.storage.list_unfinished_uploads(folder_of(customer, task_id))]


def inputs_of(customer: Customer, task_id: str) -> dict[str, Any]:
    with transaction() as session:
        return task_store.get(session, uuid.UUID(task_id), customer.id).inputs


def put(
    customer: Customer,
    task_id: str,
    body: bytes | AsyncIterator[bytes] = CSV,
    name: str = "data.csv",
    role: str = PRIMARY,
) -> httpx.Response:
    return customer.send("PUT", f"/tasks/{task_id}/inputs/{role}", params={"filename": name}, content=body)


async def trickling(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def test_a_file_can_be_sent_to_us_and_processed(customer: Customer) -> None:
    task_id = customer.create()

    answer = put(customer, task_id)

    assert answer.status_code == 200, answer.text
    assert answer.json() == {"role": "primary", "filename": "data.csv", "size": len(CSV), "format": "csv"}
    key = f"{folder_of(customer, task_id)}inputs/primary/data.csv"
    assert customer.hall.storage.get_bytes(key) == CSV
    assert customer.process(task_id).status_code == 202


def test_what_curl_says_of_any_body_is_no_form(customer: Customer) -> None:
    task_id = customer.create()
    asked = {"params": {"filename": "data.csv"}, "content": CSV}

    customer.send(
        "PUT",
        f"/tasks/{task_id}/inputs/primary",
        headers={"content-type": "application/x-www-form-urlencoded"},
        **asked,
    )

    assert customer.hall.storage.get_bytes(f"{folder_of(customer, task_id)}inputs/primary/data.csv") == CSV


def test_a_large_file_goes_to_the_store_by_parts(customer: Customer, roomy: None) -> None:
    task_id, chunk = customer.create(), b"1,2\n" * 16_000

    answer = put(customer, task_id, trickling(b"a,b\n", *[chunk] * 180))

    assert answer.json()["size"] == 4 + 180 * len(chunk) > 2 * streamed_upload.PART_BYTES
    key = f"{folder_of(customer, task_id)}inputs/primary/data.csv"
    assert customer.hall.storage.get_bytes(key) == b"a,b\n" + chunk * 180
    found = customer.hall.storage.head(key)
    assert found is not None
    assert found.etag.endswith("-3")
    assert open_uploads(customer, task_id) == []


def test_the_content_decides_on_the_format_and_the_name_on_what_is_let_in(customer: Customer) -> None:
    task_id = customer.create()

    assert put(customer, task_id, "a,b\n1,ä\n".encode("utf-16"), "DATA.CSV").json()["format"] == "csv"
    assert problem_of(put(customer, task_id, b"x", "data.docx"), 415)["error_code"] == "UNSUPPORTED_FORMAT"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"%PDF-1.7 \n", "'data.csv' looks like a PDF document, not like a table."),
        (b"\x89PNG\r\n\x1a\n", "'data.csv' looks like a PNG image, not like a table."),
        (b"\x1f\x8b\x08", "'data.csv' looks like a gzip archive; unpack it first, not like a table."),
    ],
)
def test_what_is_no_table_is_refused_at_once_and_leaves_nothing(customer: Customer, body: bytes, words: str) -> None:
    task_id = customer.create()

    problem = problem_of(put(customer, task_id, body + b"\0" * 300), 415)

    assert (problem["error_code"], problem["detail"]) == ("UNSUPPORTED_FORMAT", words)
    assert keys_of(customer, task_id) == []
    assert inputs_of(customer, task_id) == {}


def test_an_empty_file_is_refused(customer: Customer) -> None:
    task_id = customer.create()

    for body in (b"", b"\n \n"):
        assert problem_of(put(customer, task_id, body), 422)["error_code"] == "UNREADABLE_FILE"
    assert keys_of(customer, task_id) == []


def test_a_file_that_says_it_is_too_large_is_refused_unread(customer: Customer) -> None:
    task_id = customer.create()

    problem = problem_of(put(customer, task_id, BIG), 413)

    assert problem["context"] == {"role": "primary", "filename": "data.csv", "size": len(BIG), "max_bytes": 1000}


def test_a_file_that_grows_too_large_is_stopped_and_leaves_nothing(customer: Customer, roomy: None) -> None:
    task_id, read = customer.create(), 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 100_000
            yield b"1,2\n" * 25_000

    problem = problem_of(put(customer, task_id, endless()), 413)

    assert problem["error_code"] == "FILE_TOO_LARGE"
    assert read < 13 * 2**20
    assert keys_of(customer, task_id) == []
    assert open_uploads(customer, task_id) == []


def test_a_file_replaces_an_earlier_one_of_its_role(customer: Customer) -> None:
    task_id = customer.create()
    customer.upload(task_id, filename="announced.csv")
    put(customer, task_id, name="first.csv")

    put(customer, task_id, b"a\n9\n", name="second.csv")

    assert [file["filename"] for file in inputs_of(customer, task_id)["primary"]] == ["second.csv"]
    assert customer.process(task_id).status_code == 202
    assert inputs_of(customer, task_id)["primary"][0]["size"] == 4


def test_parameters_and_several_roles_can_be_sent(customer: Customer) -> None:
    task_id = customer.create()

    put(customer, task_id)
    put(customer, task_id, role="baseline", name="old.csv")
    sent = put(customer, task_id, b'{"rater": {"top": 2}}', "parameters.json", "parameters")

    assert sent.json()["format"] == "json"
    assert customer.process(task_id).status_code == 202
    assert set(inputs_of(customer, task_id)) == {"primary", "baseline"}


def test_a_role_that_is_none_and_a_file_without_a_name_are_refused(customer: Customer) -> None:
    task_id = customer.create()

    assert problem_of(put(customer, task_id, role="secondary"), 422)["context"]["role"] == "secondary"
    problem_of(customer.send("PUT", f"/tasks/{task_id}/inputs/primary", content=CSV), 422)


def test_a_form_is_no_file(customer: Customer) -> None:
    task_id = customer.create()

    path = f"/tasks/{task_id}/inputs/primary?filename=a.csv"
    problem = problem_of(customer.send("PUT", path, files={"file": ("a.csv", CSV)}), 422)

    assert "not a form" in problem["detail"]


def test_a_submitted_task_takes_no_file(customer: Customer) -> None:
    task_id = customer.queued()

    assert problem_of(put(customer, task_id, b"a\n9\n"), 409)["error_code"] == "INVALID_TASK_STATE"
    assert customer.hall.storage.get_bytes(keys_of(customer, task_id)[0]) == CSV


def test_another_customers_task_is_none(customer: Customer, stranger: Customer) -> None:
    assert problem_of(put(stranger, customer.create()), 404)["error_code"] == "TASK_NOT_FOUND"


def during(monkeypatch: pytest.MonkeyPatch, happening: Callable[[], object]) -> None:
    """Let something happen between the file's arrival in the store and the row's."""
    keep = input_routes.keep

    def after(storage: Storage, wanted: Wanted, size: int) -> None:
        happening()
        keep(storage, wanted, size)

    monkeypatch.setattr(input_routes, "keep", after)


def test_a_file_that_comes_after_the_end_of_its_task_is_not_kept(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = customer.create()

    def cancel() -> None:
        with transaction() as session:
            task_store.cancel(session, uuid.UUID(task_id), customer.id)

    during(monkeypatch, cancel)

    assert problem_of(put(customer, task_id), 409)["error_code"] == "INVALID_TASK_STATE"
    assert keys_of(customer, task_id) == []


def test_a_file_that_comes_after_the_deletion_of_its_task_is_not_kept(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from db import deletion

    task_id = customer.create()

    def delete() -> None:
        with transaction() as session:
            deletion.delete(session, uuid.UUID(task_id), customer.id)

    during(monkeypatch, delete)

    assert problem_of(put(customer, task_id), 404)["error_code"] == "TASK_NOT_FOUND"
    assert keys_of(customer, task_id) == []


async def broken_off(customer: Customer, task_id: str, chunks: list[bytes]) -> list[dict[str, Any]]:
    """What the app says to a customer who hangs up in the middle."""
    from api.dependencies import file_store

    app = create_app()
    app.dependency_overrides[file_store] = lambda: customer.hall.storage
    coming = iter(
        [*({"type": "http.request", "body": c, "more_body": True} for c in chunks), {"type": "http.disconnect"}]
    )
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(coming)

    async def send(message: Any) -> None:
        said.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in customer.headers.items()]
    scope = {
        "type": "http", "method": "PUT", "path": f"/tasks/{task_id}/inputs/primary", "query_string": b"filename=a.csv",
        "headers": headers, "http_version": "1.1", "scheme": "http", "root_path": "", "server": ("hall", 80),
    }  # fmt: skip
    await app(scope, receive, send)  # type: ignore[arg-type]
    return said


def test_a_customer_who_hangs_up_leaves_nothing(customer: Customer, roomy: None) -> None:
    task_id = customer.create()

    asyncio.run(broken_off(customer, task_id, [b"a,b\n1,2\n"] + [b"1,2\n" * 16_000] * 100))

    assert keys_of(customer, task_id) == []
    assert open_uploads(customer, task_id) == []
    assert inputs_of(customer, task_id) == {}


def test_a_customer_who_falls_silent_is_not_waited_for(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_upload, "SILENCE_SECONDS", 0.05)
    task_id = customer.create()

    async def stalling() -> AsyncIterator[bytes]:
        yield b"a,b\n"
        await asyncio.sleep(30)

    problem = problem_of(put(customer, task_id, stalling()), 422)

    assert "Nothing came" in problem["detail"]
    assert keys_of(customer, task_id) == []


async def told(*chunks: bytes) -> list[bytes]:
    return [chunk async for chunk in streamed_upload.lively(trickling(*chunks))]


def a_clock(monkeypatch: pytest.MonkeyPatch, *ticks: float) -> None:
    """Two for each chunk: when it was asked for, and when it came."""
    remaining = iter(ticks)
    monkeypatch.setattr(streamed_upload, "monotonic", lambda: next(remaining))


def test_a_file_that_comes_by_drops_holds_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    a_clock(monkeypatch, 0, 59, 59, 118)
    with pytest.raises(BadRequest, match="too slowly"):
        asyncio.run(told(b"a", b"b"))


def test_a_slow_line_is_not_too_slow_and_a_slow_store_is_not_the_customers(monkeypatch: pytest.MonkeyPatch) -> None:
    second = b"x" * streamed_upload.LEAST_RATE
    a_clock(monkeypatch, 0, 59, 1000, 1050, 2000, 2010, 3000)
    assert len(asyncio.run(told(b"a", second * 49, second * 10))) == 3


def test_a_store_that_does_not_answer_is_said_to_be_unavailable(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, roomy: None
) -> None:
    from botocore.exceptions import EndpointConnectionError

    def fail(*_asked: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://10.1.2.3")

    task_id = customer.create()
    monkeypatch.setattr(Storage, "put_part", fail)
    several = trickling(*[b"1,2\n" * 20_000] * 100)
    assert problem_of(put(customer, task_id, several), 503)["error_code"] == "STORAGE_UNAVAILABLE"
    assert open_uploads(customer, task_id) == []


def test_an_upload_that_somebody_ended_is_a_conflict(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, roomy: None
) -> None:
    def gone(**_asked: object) -> None:
        raise ClientError({"Error": {"Code": "NoSuchUpload"}}, "CompleteMultipartUpload")

    monkeypatch.setattr(customer.hall.storage._client, "complete_multipart_upload", gone)
    several = trickling(*[b"1,2\n" * 20_000] * 100)

    assert problem_of(put(customer, customer.create(), several), 409)["error_code"] == "CONFLICT"


def test_two_files_for_one_role_at_one_moment_leave_one_that_can_be_processed(customer: Customer) -> None:
    task_id = customer.create()
    asked = [
        ("PUT", f"/tasks/{task_id}/inputs/primary?filename=data.csv", {"content": body, "headers": customer.headers})
        for body in (b"a\n1\n", b"a\n22\n", b"a\n333\n")
    ]

    answers = customer.hall.together(*asked)

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert customer.process(task_id).status_code == 202


def test_one_customer_takes_no_more_than_a_share_of_the_places(
    customer: Customer, stranger: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamed_upload, "OF_ONE_CUSTOMER", 2)
    begun = streamed_upload.StreamedUpload.finish

    async def slowly(upload: streamed_upload.StreamedUpload) -> None:
        await asyncio.sleep(0.3)
        await begun(upload)

    monkeypatch.setattr(streamed_upload.StreamedUpload, "finish", slowly)
    asked = [
        ("PUT", f"/tasks/{who.create()}/inputs/primary?filename=a.csv", {"content": CSV, "headers": who.headers})
        for who in (customer, customer, customer, stranger)
    ]

    *own, others = customer.hall.together(*asked)

    assert sorted(answer.status_code for answer in own) == [200, 200, 429]
    refused = next(answer for answer in own if answer.status_code == 429)
    assert problem_of(refused, 429)["error_code"] == "TOO_MANY_UPLOADS"
    assert int(refused.headers["retry-after"]) > 0
    assert others.status_code == 200
    assert put(customer, customer.create()).status_code == 200, "the places are free again"


def test_a_process_takes_so_many_at_once(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_upload, "BODIES_AT_ONCE", 0)

    problem_of(put(customer, customer.create()), 429)
