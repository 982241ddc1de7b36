"""A role that takes several files: announced, sent, looked at and submitted."""

import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hall_client import Customer, TrialParameters, never_run, problem_of

from api import upload_routes
from backend.storage.door import Storage
from db import task_store
from db.database import transaction
from transformers import catalog, input_plan
from transformers.routing import transformer
from transformers.tool import Agent, InputRole, Step, Tool

ROLE = "documents"
READER = Agent("reader", "Reader", "For trial.", TrialParameters, never_run, roles=(ROLE,))
SHELF = Tool(
    id="shelf",
    name="Shelf",
    description="Takes many files.",
    roles=(InputRole(ROLE, ("txt", "md", "pdf", "docx"), max_bytes=1000, required=True, is_table=False, many=True),),
    steps=(Step(READER, price=5),),
)


@pytest.fixture(autouse=True)
def _shelf(_trial_tool: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(catalog, "TRANSFORMERS", (*catalog.TRANSFORMERS, transformer(SHELF)))
    catalog.transformers.cache_clear()
    yield
    catalog.transformers.cache_clear()


def announce(customer: Customer, task_id: str, *names: str, **headers: str) -> httpx.Response:
    files = [{"filename": name, "size": 4} for name in names]
    return customer.post(f"/tasks/{task_id}/upload-urls", {"files": {ROLE: files}}, headers=headers)


def shelf(customer: Customer) -> str:
    return customer.create(tool_id="shelf")


def sent(customer: Customer, task_id: str, **bodies: bytes) -> None:
    links = announce(customer, task_id, *(f"{name}.txt" for name in bodies)).json()["uploads"][ROLE]
    for link, (name, body) in zip(links, bodies.items(), strict=True):
        assert customer.hall.upload(link, f"{name}.txt", body).status_code == 204


def put(customer: Customer, task_id: str, name: str, body: bytes = b"text") -> httpx.Response:
    return customer.send("PUT", f"/tasks/{task_id}/inputs/{ROLE}", params={"filename": name}, content=body)


def names_of(customer: Customer, task_id: str) -> list[str]:
    with transaction() as session:
        inputs: dict[str, Any] = task_store.get(session, uuid.UUID(task_id), customer.id).inputs
    return [file["filename"] for file in inputs.get(ROLE, ())]


def test_each_file_gets_a_form_and_a_key_of_its_own_in_the_order_of_the_request(customer: Customer) -> None:
    task_id = shelf(customer)

    links = announce(customer, task_id, "b.txt", "a.md").json()["uploads"][ROLE]

    folder = f"users/{customer.id}/tasks/{task_id}/inputs/{ROLE}"
    assert [link["key"] for link in links] == [f"{folder}/b.txt", f"{folder}/a.md"]
    assert {link["method"] for link in links} == {"POST"}


def test_one_file_for_such_a_role_is_answered_as_a_list_too(customer: Customer) -> None:
    file = {"files": {ROLE: {"filename": "a.txt", "size": 4}}}

    answer = customer.post(f"/tasks/{shelf(customer)}/upload-urls", file)

    assert [link["method"] for link in answer.json()["uploads"][ROLE]] == ["POST"]


def test_new_names_are_added_and_the_same_names_replaced(customer: Customer) -> None:
    task_id = shelf(customer)
    announce(customer, task_id, "a.txt", "b.txt")

    announce(customer, task_id, "c.txt", "a.txt")

    assert names_of(customer, task_id) == ["a.txt", "b.txt", "c.txt"]


def test_files_sent_to_us_are_added_one_by_one(customer: Customer) -> None:
    task_id = shelf(customer)

    for name in ("a.txt", "b.txt", "a.txt"):
        assert put(customer, task_id, name).status_code == 200

    assert names_of(customer, task_id) == ["a.txt", "b.txt"]


def test_all_of_them_are_submitted(customer: Customer) -> None:
    task_id = shelf(customer)
    sent(customer, task_id, **{f"file-{number}": b"text" for number in range(12)})

    assert customer.process(task_id).status_code == 202

    assert names_of(customer, task_id) == [f"file-{number}.txt" for number in range(12)]


def test_many_files_are_asked_for_by_a_listing(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id, asked = shelf(customer), []
    sent(customer, task_id, **{f"file-{number}": b"text" for number in range(6)})
    monkeypatch.setattr(Storage, "head", lambda _self, key: asked.append(key))

    assert customer.process(task_id).status_code == 202
    assert asked == []


def test_the_one_that_did_not_arrive_is_named(customer: Customer) -> None:
    task_id = shelf(customer)
    sent(customer, task_id, **{f"file-{number}": b"text" for number in range(6)})
    announce(customer, task_id, "late.txt")

    problem = problem_of(customer.process(task_id), 422)

    assert problem["error_code"] == "MISSING_INPUT_ROLE"
    assert problem["context"] == {"role": ROLE, "filename": "late.txt"}


def test_the_one_that_is_something_else_is_named(customer: Customer) -> None:
    task_id = shelf(customer)
    sent(
        customer,
        task_id,
        **{f"file-{number}": b"text" for number in range(5)},
        picture=b"\x89PNG\r\n\x1a\n" + b"\0" * 99,
    )

    problem = problem_of(customer.process(task_id), 415)

    assert problem["detail"] == "'picture.txt' looks like a PNG image, not like a text."


def test_a_document_that_is_no_plain_text_is_what_its_name_says(customer: Customer) -> None:
    task_id = shelf(customer)

    assert put(customer, task_id, "a.pdf", b"%PDF-1.7\n" + bytes(200)).json()["format"] == "pdf"
    assert put(customer, task_id, "a.docx", b"PK\x03\x04" + bytes(200)).json()["format"] == "docx"
    problem = problem_of(put(customer, task_id, "b.pdf", b"plain text"), 422)
    assert problem["detail"] == "'b.pdf' is called .pdf, but its content is something else."


def test_two_files_of_one_name_are_refused(customer: Customer) -> None:
    problem = problem_of(announce(customer, shelf(customer), "a.txt", "folder/a.txt"), 422)

    assert problem["context"] == {"role": ROLE, "filename": "a.txt"}


def test_a_list_for_a_role_that_takes_one_is_refused(customer: Customer) -> None:
    files = [{"filename": name, "size": 4} for name in ("a.csv", "b.csv")]

    problem = problem_of(customer.post(f"/tasks/{customer.create()}/upload-urls", {"files": {"primary": files}}), 422)

    assert problem["detail"] == "The role 'primary' takes one file."


def test_there_is_a_most(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_plan, "MOST_FILES", 3)
    task_id = shelf(customer)
    announce(customer, task_id, "a.txt", "b.txt", "c.txt")

    assert problem_of(announce(customer, task_id, "d.txt"), 422)["context"] == {"role": ROLE, "most": 3}
    assert problem_of(put(customer, task_id, "d.txt"), 422)["error_code"] == "BAD_REQUEST"
    assert announce(customer, task_id, "c.txt").status_code == 200


def test_the_same_list_with_one_key_gets_new_signatures_for_the_same_keys(customer: Customer) -> None:
    task_id = shelf(customer)

    first, second = (
        announce(customer, task_id, "a.txt", "b.txt", **{"Idempotency-Key": "one"}).json()["uploads"][ROLE]
        for _time in range(2)
    )

    assert [link["key"] for link in first] == [link["key"] for link in second]
    assert first[0]["expires_at"] < second[0]["expires_at"]


def test_a_large_file_among_several_is_put_together_by_its_name(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        upload_routes, "get_settings", lambda: SimpleNamespace(upload_parts_above=3, upload_link_seconds=9)
    )
    task_id = shelf(customer)
    links = announce(customer, task_id, "a.txt", "b.txt").json()["uploads"][ROLE]
    assert [link["method"] for link in links] == ["MULTIPART", "MULTIPART"]
    for link in links:
        httpx.put(link["parts"][0]["url"], content=b"text", trust_env=False).raise_for_status()

    complete = f"/tasks/{task_id}/uploads/{ROLE}/complete"
    assert "name one" in problem_of(customer.post(complete, {}), 422)["detail"]
    for name in ("a.txt", "b.txt"):
        answer = customer.post(complete, {}, params={"filename": name})
        assert answer.json() == {"role": ROLE, "filename": name, "size": 4, "format": "txt"}
    assert customer.process(task_id).status_code == 202
