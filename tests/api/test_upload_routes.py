import re
import uuid
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import httpx
import pytest
from hall_client import CSV, Customer, problem_of

from api import upload_routes
from db import task_store
from db.database import transaction

SOME_FILE = {"filename": "a.csv", "content_type": "text/csv", "size": 5}
TRICKY_NAMES = [
    *("../../../etc/data.csv", "/etc/data.csv", "C:\\data.csv", "..\\data.csv", "....//data.csv", "a/../../b/data.csv"),
    *(
        "%2e%2e%2fdata.csv",
        "..%00.csv",
        "..\uff0f..\uff0fdata.csv",
        "\u2025/data.csv",
        "a\r\nkey: b.csv",
        "?.csv",
        "..csv",
    ),
    *(".data.csv", "daten für alle.csv", "x" * 190 + ".csv", "CON.csv"),
]


def uploads_of(answer: httpx.Response) -> dict[str, dict[str, object]]:
    assert answer.status_code == 200, answer.text
    return answer.json()["uploads"]


def test_an_announced_file_gets_a_form_that_takes_it(customer: Customer) -> None:
    task_id = customer.create()

    upload = uploads_of(customer.announce(task_id))["primary"]

    key = f"users/{customer.id}/tasks/{task_id}/inputs/primary/data.csv"
    assert (upload["method"], upload["max_bytes"], upload["key"]) == ("POST", 1000, key)
    assert set(upload) == {"method", "url", "fields", "max_bytes", "expires_at", "key"}
    assert customer.hall.upload(upload, "data.csv", CSV).status_code == 204
    found = customer.hall.storage.head(key)
    assert found is not None
    assert found.size == len(CSV)


def test_a_form_is_good_for_a_quarter_of_an_hour(customer: Customer) -> None:
    upload = uploads_of(customer.announce(customer.create()))["primary"]

    lives = datetime.fromisoformat(str(upload["expires_at"])) - datetime.now(UTC)
    assert timedelta(minutes=14) < lives <= timedelta(minutes=15)


def test_no_file_name_leaves_its_folder(customer: Customer) -> None:
    task_id = customer.create()
    folder = f"users/{customer.id}/tasks/{task_id}/inputs/primary/"

    for name in TRICKY_NAMES:
        announced = uploads_of(customer.announce(task_id, filename=name))["primary"]["key"]
        sent = customer.send("PUT", f"/tasks/{task_id}/inputs/primary", params={"filename": name}, content=CSV)
        assert re.fullmatch(re.escape(folder) + r"[^/\\.%][^/\\%]{0,160}\.csv", str(announced))
        assert announced == folder + sent.json()["filename"]
        assert customer.hall.storage.get_bytes(str(announced)) == CSV


def test_several_roles_are_announced_at_once_and_one_by_one(customer: Customer) -> None:
    task_id = customer.create()
    file = {"filename": "a.csv", "size": 5}

    both = uploads_of(customer.post(f"/tasks/{task_id}/upload-urls", {"files": {"primary": file, "baseline": file}}))
    one = uploads_of(customer.announce(task_id, "parameters", "parameters.json"))

    assert set(both) == {"primary", "baseline"}
    assert set(one) == {"parameters"}
    for role in ("primary", "baseline"):
        customer.upload(task_id, role)
    customer.upload(task_id, "parameters", "parameters.json", b"{}")
    assert customer.process(task_id).status_code == 202


def test_two_roles_announced_at_one_moment_are_both_remembered(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = customer.create()
    plan = upload_routes._plan

    def slowly(*asked: Any) -> upload_routes.Plan:
        Event().wait(0.2)  # both have asked for the row by now
        return plan(*asked)

    monkeypatch.setattr(upload_routes, "_plan", slowly)
    asked = [
        ("POST", f"/tasks/{task_id}/upload-urls", {"json": {"files": {role: SOME_FILE}}, "headers": customer.headers})
        for role in ("primary", "baseline")
    ]
    answers = customer.hall.together(*asked)
    monkeypatch.undo()

    assert [answer.status_code for answer in answers] == [200, 200]
    with transaction() as session:
        assert set(task_store.get(session, uuid.UUID(task_id), customer.id).inputs) == {"primary", "baseline"}


def test_a_role_announced_again_is_replaced(customer: Customer) -> None:
    task_id = customer.create()
    customer.announce(task_id, filename="never-sent.csv")

    customer.upload(task_id, filename="data.csv")

    assert customer.process(task_id).status_code == 202


def test_a_role_that_the_tool_does_not_have_is_refused_with_those_it_has(customer: Customer) -> None:
    problem = problem_of(customer.announce(customer.create(), role="secondary"), 422)

    assert problem["error_code"] == "BAD_REQUEST"
    assert problem["context"] == {"role": "secondary", "roles": ["primary", "baseline", "parameters"]}


def test_a_format_that_the_role_does_not_take_is_refused_with_those_it_takes(customer: Customer) -> None:
    problem = problem_of(customer.announce(customer.create(), "baseline", "data.parquet"), 415)

    assert problem["error_code"] == "UNSUPPORTED_FORMAT"
    assert problem["context"] == {"role": "baseline", "filename": "data.parquet", "formats": ["csv"]}


def test_an_extension_in_capitals_is_the_same_format(customer: Customer) -> None:
    task_id = customer.create()
    customer.upload(task_id, filename="DATA.CSV")

    assert customer.process(task_id).status_code == 202


def test_a_file_that_says_it_is_too_large_is_refused_at_once(customer: Customer) -> None:
    problem = problem_of(customer.announce(customer.create(), size=1001), 413)

    assert problem["error_code"] == "FILE_TOO_LARGE"
    assert problem["context"] == {"role": "primary", "filename": "data.csv", "size": 1001, "max_bytes": 1000}


def test_an_empty_file_is_refused_in_a_customers_words(customer: Customer) -> None:
    empty = {"files": {"primary": {"filename": "a.csv", "size": 0}}}
    problem = problem_of(customer.post(f"/tasks/{customer.create()}/upload-urls", empty), 422)
    assert (problem["error_code"], problem["detail"]) == ("UNREADABLE_FILE", "'a.csv' is empty.")


def test_a_file_that_is_not_announced_properly_is_refused(customer: Customer) -> None:
    task_id = customer.create()
    sound = {"filename": "a.csv", "size": 1}
    for file in (
        {"filename": "a.csv"}, {"size": 1}, sound | {"size": -1}, sound | {"size": "many"},
        sound | {"content_type": "text/csv\r\nX: y"}, sound | {"filename": ""}, sound | {"filename": "a\0.csv"},
        sound | {"filename": "x" * 201}, sound | {"role": "primary"},
    ):  # fmt: skip
        problem = problem_of(customer.post(f"/tasks/{task_id}/upload-urls", {"files": {"primary": file}}), 422)
        assert problem["error_code"] == "BAD_REQUEST", file


def test_no_files_at_all_are_refused(customer: Customer) -> None:
    problem_of(customer.post(f"/tasks/{customer.create()}/upload-urls", {"files": {}}), 422)


def test_a_submitted_task_takes_no_more_files(customer: Customer) -> None:
    task_id = customer.queued()

    assert problem_of(customer.announce(task_id), 409)["error_code"] == "INVALID_TASK_STATE"


def test_the_same_announcement_with_one_key_gets_new_signatures_for_the_same_keys(customer: Customer) -> None:
    task_id = customer.create()
    files = {"files": {"primary": {"filename": "data.csv", "size": 5}}}

    def announce() -> dict[str, dict[str, object]]:
        key = {"Idempotency-Key": "one"}
        return uploads_of(customer.post(f"/tasks/{task_id}/upload-urls", files, headers=key))

    first, second = announce()["primary"], announce()["primary"]

    assert first["key"] == second["key"]
    assert str(first["expires_at"]) < str(second["expires_at"])


def test_no_link_is_kept_with_the_key(customer: Customer) -> None:
    from db.database import transaction
    from db.models import IdempotencyKey

    task_id = customer.create()
    files = {"files": {"primary": {"filename": "data.csv", "size": 5}}}
    customer.post(f"/tasks/{task_id}/upload-urls", files, headers={"Idempotency-Key": "one"})

    with transaction() as session:
        kept = str(session.query(IdempotencyKey).one().response)
    assert "data.csv" in kept
    assert "ignature" not in kept
    assert "policy" not in kept
