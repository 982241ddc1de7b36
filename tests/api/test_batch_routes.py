"""A batch over HTTP: its parts, its items so far, and what the task's own view says of them."""

import json
import uuid

import pytest
from batches import at_work, finish, split
from hall_client import Customer, problem_of

NOBODYS = str(uuid.UUID(int=7))
NDJSON = {"Accept": "application/x-ndjson"}


def test_a_task_says_how_its_items_and_parts_stand(customer: Customer) -> None:
    batch = split(customer, 3, 2)
    finish(at_work(batch.parts[0]), 0, failed=(2,))

    task = customer.get(f"/tasks/{batch.task_id}").json()

    assert task["items"] == {"total": 5, "ok": 1, "failed": 1}
    assert task["children"] == {"total": 2, "open": 2}
    assert task["status"] == "WAITING"
    assert customer.get("/tasks").json()["tasks"][0]["items"] == task["items"]


def test_a_task_that_is_no_batch_has_neither(customer: Customer) -> None:
    task = customer.get(f"/tasks/{customer.queued()}").json()

    assert (task["items"], task["children"], task["parent_id"]) == (None, None, None)


def test_the_etag_changes_with_each_finished_item(customer: Customer) -> None:
    batch = split(customer, 10_000)
    claim = at_work(batch.parts[0])
    tags = set()
    for position in range(4):
        finish(claim, position)
        tags.add(customer.get(f"/tasks/{batch.task_id}").headers["etag"])

    assert len(tags) == 4


def test_the_parts_are_listed_in_the_order_of_their_items(customer: Customer) -> None:
    batch = split(customer, 3, 2)
    finish(at_work(batch.parts[1]), 3)

    parts = customer.get(f"/tasks/{batch.task_id}/children").json()

    first, second = parts["children"]
    assert (first["task_id"], first["first_item"], first["status"]) == (str(batch.parts[0]), 0, "QUEUED")
    assert second["items"] == {"total": 2, "ok": 1, "failed": 0}
    assert (second["status"], second["first_item"]) == ("PROCESSING", 3)
    assert second["progress"] > 0
    assert parts["next"] is None


def test_parts_come_page_by_page_each_once(customer: Customer) -> None:
    batch = split(customer, 1, 1, 1, 1, 1)
    seen, cursor = [], None
    while True:
        page = customer.get(
            f"/tasks/{batch.task_id}/children", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
        )
        seen += [one["task_id"] for one in page.json()["children"]]
        cursor = page.json()["next"]
        if cursor is None:
            break

    assert seen == [str(part) for part in batch.parts]


def test_a_part_names_its_whole(customer: Customer) -> None:
    batch = split(customer, 1)

    assert customer.get(f"/tasks/{batch.parts[0]}").json()["parent_id"] == batch.task_id


def test_items_are_told_in_the_order_of_submission_while_it_runs(customer: Customer) -> None:
    batch = split(customer, 3, 3)
    finish(at_work(batch.parts[1]), 5, 3)
    finish(at_work(batch.parts[0]), 0, failed=(1,))

    found = customer.get(f"/tasks/{batch.task_id}/items").json()["items"]

    assert [item["position"] for item in found] == [0, 1, 3, 5]
    assert found[0] == {
        "custom_id": "item-0", "position": 0, "ok": True, "error": None, "answer": {"content": "answer 0"},
    }  # fmt: skip
    assert found[1]["error"] == {"code": "MODEL_REFUSED", "message": "It was refused."}
    assert (found[1]["ok"], found[1]["answer"]) == (False, None)


@pytest.mark.parametrize(("status", "positions"), [("ok", [0, 3]), ("failed", [1, 2])])
def test_only_those_that_went_well_or_failed(customer: Customer, status: str, positions: list[int]) -> None:
    batch = split(customer, 4)
    finish(at_work(batch.parts[0]), 0, 3, failed=(1, 2))

    found = customer.get(f"/tasks/{batch.task_id}/items", params={"status": status}).json()["items"]

    assert [item["position"] for item in found] == positions


def test_items_come_page_by_page(customer: Customer) -> None:
    batch = split(customer, 5)
    finish(at_work(batch.parts[0]), 0, 1, 2, 3, 4)

    first = customer.get(f"/tasks/{batch.task_id}/items", params={"limit": 3}).json()
    rest = customer.get(f"/tasks/{batch.task_id}/items", params={"limit": 3, "cursor": first["next"]}).json()

    assert [item["position"] for item in first["items"] + rest["items"]] == [0, 1, 2, 3, 4]
    assert rest["next"] is None


def test_all_so_far_can_be_downloaded_a_line_each(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    from api import batch_routes

    monkeypatch.setattr(batch_routes, "READ_AT_ONCE", 2)
    batch = split(customer, 5)
    finish(at_work(batch.parts[0]), 0, 1, 4, failed=(2,))

    answer = customer.get(f"/tasks/{batch.task_id}/items", headers=NDJSON)

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [line["position"] for line in lines] == [0, 1, 2, 4]
    assert lines[0] == {"custom_id": "item-0", "position": 0, "ok": True, "error": None, "content": "answer 0"}


def test_a_part_shows_its_own_items_only(customer: Customer) -> None:
    batch = split(customer, 2, 2)
    finish(at_work(batch.parts[0]), 0, 1)
    finish(at_work(batch.parts[1]), 2, 3)

    for part, positions in zip(batch.parts, ([0, 1], [2, 3]), strict=True):
        found = customer.get(f"/tasks/{part}/items").json()["items"]
        assert [item["position"] for item in found] == positions


def test_a_batch_without_a_finished_item_has_none(customer: Customer) -> None:
    batch = split(customer, 2)

    assert customer.get(f"/tasks/{batch.task_id}/items").json() == {"items": [], "next": None}
    assert customer.get(f"/tasks/{batch.task_id}/items", headers=NDJSON).content == b""


@pytest.mark.parametrize("what", ["children", "items"])
def test_another_customers_batch_is_none(customer: Customer, stranger: Customer, what: str) -> None:
    batch = split(customer, 2)
    for task_id in (batch.task_id, batch.parts[0], NOBODYS):
        assert problem_of(stranger.get(f"/tasks/{task_id}/{what}"), 404)["error_code"] == "TASK_NOT_FOUND"


@pytest.mark.parametrize("what", ["children", "items"])
@pytest.mark.parametrize("cursor", ["nonsense", "WzFd" * 5, "Wy0xXQ", "WzFlMjBd", "WzEsIngiXQ", "Wzk5OTk5OTk5OTk5XQ"])
def test_a_cursor_that_is_none_of_ours_is_refused(customer: Customer, what: str, cursor: str) -> None:
    batch = split(customer, 2)

    answer = customer.get(f"/tasks/{batch.task_id}/{what}", params={"cursor": cursor})

    assert problem_of(answer, 422)["error_code"] == "BAD_REQUEST"
