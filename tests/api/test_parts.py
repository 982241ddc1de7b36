"""Large files: announced, sent by parts to the store itself, put together."""

import uuid
from typing import IO, Any

import httpx
import pytest
from hall_client import NO_CERTIFICATES, Customer, problem_of

from api import parts, upload_routes
from backend.settings import get_settings
from db import deletion, task_store
from db.database import transaction
from transformers.tool import InputRole

MIB = 2**20
HEADER = b"a,b\n"


@pytest.fixture(autouse=True)
def _above_five(roomy: None, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file above 5 MiB comes by parts of 5 MiB, the least that S3 takes."""
    monkeypatch.setenv("UPLOAD_PARTS_ABOVE", str(5 * MIB))
    monkeypatch.setattr(parts, "LEAST_PART", 5 * MIB)
    get_settings.cache_clear()


def table_of(size: int) -> bytes:
    return (HEADER + b"1,2\n" * (size // 4))[:size]


def announced(customer: Customer, task_id: str, size: int = 11 * MIB, **headers: str) -> dict[str, Any]:
    files = {"files": {"primary": {"filename": "data.csv", "content_type": "text/csv", "size": size}}}
    answer = customer.post(f"/tasks/{task_id}/upload-urls", files, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["uploads"]["primary"]


def sent(link: dict[str, Any], body: bytes, *numbers: int) -> list[dict[str, Any]]:
    """PUT these parts, or all of them; what `complete` wants to know of them."""
    step, done = link["part_bytes"], []
    for part in link["parts"]:
        if not numbers or part["number"] in numbers:
            piece = body[(part["number"] - 1) * step :][: part["size"]]
            answer = httpx.put(part["url"], content=piece, verify=NO_CERTIFICATES)
            assert answer.status_code == 200, answer.text
            done.append({"number": part["number"], "etag": answer.headers["etag"]})
    return done


def complete(customer: Customer, task_id: str, *done: dict[str, Any]) -> httpx.Response:
    return customer.post(f"/tasks/{task_id}/uploads/primary/complete", {"parts": list(done)})


def row_inputs(customer: Customer, task_id: str) -> dict[str, Any]:
    with transaction() as session:
        return task_store.get(session, uuid.UUID(task_id), customer.id).inputs


def open_uploads(customer: Customer, task_id: str) -> list[str]:
    found = customer.hall.storage.list_unfinished_uploads(f"users/{customer.id}/tasks/{task_id}/")
    return [upload.upload_id for upload in found]


def test_a_large_file_gets_a_link_for_each_part(customer: Customer) -> None:
    link = announced(customer, customer.create())

    assert set(link) == {"method", "part_bytes", "parts", "max_bytes", "expires_at", "key"}
    assert (link["method"], link["part_bytes"], link["max_bytes"]) == ("MULTIPART", 5 * MIB, 12 * MIB)
    assert [(part["number"], part["size"]) for part in link["parts"]] == [(1, 5 * MIB), (2, 5 * MIB), (3, MIB)]
    assert all("content-length" in part["url"] for part in link["parts"]), "the length is signed"


def test_its_parts_are_put_together_and_processed(customer: Customer) -> None:
    task_id, body = customer.create(), table_of(11 * MIB)
    link = announced(customer, task_id)

    answer = complete(customer, task_id, *sent(link, body))

    assert answer.status_code == 200, answer.text
    assert answer.json() == {"role": "primary", "filename": "data.csv", "size": 11 * MIB, "format": "csv"}
    assert customer.hall.storage.get_bytes(link["key"]) == body
    assert customer.process(task_id).status_code == 202
    assert set(row_inputs(customer, task_id)["primary"][0]) == {"filename", "key", "content_type", "size", "etag"}


def test_what_the_store_answered_need_not_be_repeated(customer: Customer) -> None:
    task_id = customer.create()
    sent(announced(customer, task_id), table_of(11 * MIB))

    assert complete(customer, task_id).status_code == 200


def test_completing_twice_answers_alike(customer: Customer) -> None:
    task_id = customer.create()
    done = sent(announced(customer, task_id), table_of(11 * MIB))

    first, second = complete(customer, task_id, *done), complete(customer, task_id, *done)

    assert first.json() == second.json()


def test_a_completion_whose_row_was_not_written_is_done_again(customer: Customer) -> None:
    task_id = customer.create()
    sent(announced(customer, task_id), table_of(11 * MIB))
    before = row_inputs(customer, task_id)
    first = complete(customer, task_id)
    with transaction() as session:
        task = task_store.get(session, uuid.UUID(task_id), customer.id, lock=True)
        task_store.plan_inputs(session, task, before)

    assert complete(customer, task_id).json() == first.json()
    assert customer.process(task_id).status_code == 202


def test_missing_parts_are_named(customer: Customer) -> None:
    task_id = customer.create()
    sent(announced(customer, task_id), table_of(11 * MIB), 2)

    problem = problem_of(complete(customer, task_id), 422)

    assert (problem["error_code"], problem["context"]["parts"]) == ("MISSING_INPUT_ROLE", [1, 3])


def test_a_part_that_is_another_than_named_is_refused(customer: Customer) -> None:
    task_id = customer.create()
    one, *others = sent(announced(customer, task_id), table_of(11 * MIB))

    problem = problem_of(complete(customer, task_id, one | {"etag": "0" * 32}, *others), 422)

    assert problem["context"]["parts"] == [1]


def test_a_file_that_is_not_put_together_is_not_processed(customer: Customer) -> None:
    task_id = customer.create()
    customer.upload(task_id)  # an earlier file of the same name is not the one that was announced last
    sent(announced(customer, task_id), table_of(11 * MIB))

    problem = problem_of(customer.process(task_id), 422)

    assert problem["error_code"] == "MISSING_INPUT_ROLE"
    assert "parts" in problem["detail"]


def test_parts_that_make_no_table_are_refused_and_go(customer: Customer) -> None:
    task_id = customer.create()
    link = announced(customer, task_id)
    sent(link, b"%PDF-1.7" + bytes(11 * MIB))

    problem = problem_of(complete(customer, task_id), 415)

    assert problem["detail"].startswith("'data.csv' looks like a PDF document")
    assert customer.hall.storage.head(link["key"]) is None


def test_a_role_announced_again_ends_the_upload_before(customer: Customer) -> None:
    task_id = customer.create()
    first = announced(customer, task_id)
    sent(first, table_of(11 * MIB), 1)

    second = announced(customer, task_id)

    assert len(open_uploads(customer, task_id)) == 1
    sent(second, table_of(11 * MIB))
    assert complete(customer, task_id).status_code == 200
    assert open_uploads(customer, task_id) == []


def test_a_smaller_file_ends_the_upload_before(customer: Customer) -> None:
    announced(customer, task_id := customer.create())
    customer.upload(task_id)
    assert open_uploads(customer, task_id) == []

    announced(customer, task_id)
    customer.send("PUT", f"/tasks/{task_id}/inputs/primary?filename=data.csv", content=b"a\n1\n")
    assert open_uploads(customer, task_id) == []
    assert customer.process(task_id).status_code == 202


def test_with_one_key_an_upload_is_gone_on_with(customer: Customer) -> None:
    task_id, body = customer.create(), table_of(11 * MIB)
    sent(announced(customer, task_id, **{"Idempotency-Key": "k"}), body, 1)

    again = announced(customer, task_id, **{"Idempotency-Key": "k"})

    assert len(open_uploads(customer, task_id)) == 1
    sent(again, body, 2, 3)
    assert complete(customer, task_id).status_code == 200


def test_announcements_at_one_moment_leave_one_upload(customer: Customer) -> None:
    task_id = customer.create()
    files = {"files": {"primary": {"filename": "data.csv", "size": 11 * MIB}}}
    asked = ("POST", f"/tasks/{task_id}/upload-urls", {"json": files, "headers": customer.headers})

    answers = customer.hall.together(asked, asked, asked)

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert open_uploads(customer, task_id) == [row_inputs(customer, task_id)["primary"][0]["upload_id"]]


def test_an_announcement_that_is_refused_leaves_no_upload(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = customer.create()
    begin = customer.hall.storage.begin_upload

    def cancel_meanwhile(*asked: Any, **options: Any) -> Any:
        with transaction() as session:
            task_store.cancel(session, uuid.UUID(task_id), customer.id)
        return begin(*asked, **options)

    monkeypatch.setattr(customer.hall.storage, "begin_upload", cancel_meanwhile)
    files = {"files": {"primary": {"filename": "data.csv", "size": 11 * MIB}}}

    problem_of(customer.post(f"/tasks/{task_id}/upload-urls", files), 409)
    assert open_uploads(customer, task_id) == []


def test_a_role_that_is_refused_leaves_no_upload_of_the_one_before_it(customer: Customer) -> None:
    task_id = customer.create()
    files = {
        "primary": {"filename": "data.csv", "size": 11 * MIB},
        "baseline": {"filename": "data.parquet", "size": 5},
    }

    problem_of(customer.post(f"/tasks/{task_id}/upload-urls", {"files": files}), 415)

    assert open_uploads(customer, task_id) == []


def test_a_file_that_took_its_place_while_it_was_judged_stays(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = customer.create()
    customer.upload(task_id)
    storage = customer.hall.storage
    look_into = upload_routes.look_into

    def send_anew(role: InputRole, filename: str, file: IO[bytes]) -> str:
        (found,) = storage.list(f"users/{customer.id}/tasks/{task_id}/")
        storage.put_bytes(found.key, b"a,b\n9,9\n", "text/csv")
        return look_into(role, filename, file)

    monkeypatch.setattr(upload_routes, "look_into", send_anew)

    assert problem_of(complete(customer, task_id), 409)["error_code"] == "CONFLICT"
    monkeypatch.undo()
    assert [found.size for found in storage.list(f"users/{customer.id}/tasks/{task_id}/")] == [8]


def test_nothing_announced_cannot_be_completed(customer: Customer, stranger: Customer) -> None:
    task_id = customer.create()

    assert problem_of(complete(customer, task_id), 422)["error_code"] == "MISSING_INPUT_ROLE"
    assert problem_of(complete(stranger, task_id), 404)["error_code"] == "TASK_NOT_FOUND"
    with transaction() as session:
        deletion.delete(session, uuid.UUID(task_id), customer.id)
    problem_of(complete(customer, task_id), 404)


@pytest.mark.parametrize(
    ("size", "step"),
    [(101 * MIB, 16 * MIB), (1000 * MIB, 16 * MIB), (40_000 * MIB, 40 * MIB), (40_001 * MIB, 41 * MIB)],
)
def test_no_file_has_more_than_a_thousand_parts(monkeypatch: pytest.MonkeyPatch, size: int, step: int) -> None:
    monkeypatch.undo()
    assert parts.part_bytes(size) == step
