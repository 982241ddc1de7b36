import json
import uuid

import pytest
from hall_client import CSV, Customer, new_customer, problem_of

from backend.storage.door import Storage
from db import events, paces, task_store
from db.database import transaction
from db.models import AgentPace, Task
from tests.round_trips import on_linux, trips_of


def row_of(customer: Customer, task_id: str) -> Task:
    with transaction() as session:
        return task_store.get(session, uuid.UUID(task_id), customer.id)


def kinds_of(customer: Customer) -> list[str]:
    return [entry["kind"] for entry in customer.get("/credits/entries").json()["entries"]]


def test_a_submitted_task_is_queued_with_its_celery_id_and_its_credits_held(customer: Customer) -> None:
    task_id = customer.ready()

    answer = customer.process(task_id)

    row = row_of(customer, task_id)
    assert answer.status_code == 202
    assert answer.json() == {
        "status": "queued",
        "task_id": task_id,
        "celery_task_id": str(row.celery_task_id),
        "message": "The task is queued; 55 credits are held for 2 agents.",
    }
    assert row.status == "QUEUED"
    assert customer.balance() == 445


@on_linux
def test_a_submit_is_three_round_trips_and_with_a_key_it_is_eleven(customer: Customer) -> None:
    """Who asks, the task, and the submit itself."""
    paces.lately()
    task, other = customer.ready(), customer.ready()
    assert len(trips_of(lambda: customer.process(task))) == 3
    assert len(trips_of(lambda: customer.process(other, Idempotency_Key="once"))) == 11


@on_linux
def test_a_look_at_a_task_that_is_known_already_is_one_round_trip(customer: Customer) -> None:
    task_id = customer.create()
    etag = customer.get(f"/tasks/{task_id}").headers["ETag"]
    assert len(trips_of(lambda: customer.get(f"/tasks/{task_id}", headers={"If-None-Match": etag}))) == 1


def test_a_submit_fixes_agents_prices_files_and_cost_on_the_row(customer: Customer) -> None:
    task_id = customer.queued()

    row = row_of(customer, task_id)

    found = customer.hall.storage.head(f"users/{customer.id}/tasks/{task_id}/inputs/primary/data.csv")
    assert found is not None
    assert row.agents == ["counter", "rater"]
    assert row.prices == {"counter": 30, "rater": 25}
    assert row.cost == 2.0
    assert row.inputs == {
        "primary": [
            {"filename": "data.csv", "key": found.key, "content_type": "text/csv", "size": len(CSV), "etag": found.etag}
        ]
    }


def test_the_cost_is_what_the_agents_usually_take(customer: Customer) -> None:
    history = AgentPace(
        agent_id="counter", seconds_per_mebibyte=90.0, median_seconds_per_mebibyte=6.5, samples=paces.ENOUGH_SAMPLES
    )
    with transaction() as session:
        session.add(history)

    assert row_of(customer, customer.queued()).cost == 7.5


def test_a_submit_is_an_event_and_wakes_the_conductors(customer: Customer) -> None:
    from db.wakeups import Listener

    task_id = customer.ready()
    listener = Listener()
    customer.process(task_id)
    woken = listener.wait(5)
    listener.close()

    with transaction() as session:
        told = events.after(session, uuid.UUID(task_id), 0)
    assert woken
    assert [(event.seq, event.kind) for event in told] == [(1, "created"), (2, "queued")]


def test_the_broker_may_be_down(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.settings import get_settings

    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    get_settings.cache_clear()

    assert customer.process(customer.ready()).status_code == 202


def test_all_agents_means_those_whose_files_are_there(customer: Customer) -> None:
    with_both = customer.ready()
    customer.upload(with_both, "baseline")

    customer.process(with_both)

    assert row_of(customer, with_both).agents == ["counter", "comparer", "rater"]
    assert customer.balance() == 405


def test_a_chosen_agent_whose_file_is_missing_is_refused(customer: Customer) -> None:
    task_id = customer.ready(agents=["comparer"])

    problem = problem_of(customer.process(task_id), 422)

    assert problem["error_code"] == "MISSING_INPUT_ROLE"
    assert problem["context"] == {"role": "baseline", "agent": "comparer"}
    assert kinds_of(customer) == ["GRANT"]


def test_chosen_agents_run_in_the_tools_order(customer: Customer) -> None:
    task_id = customer.queued(agents=["rater", "counter"])

    assert row_of(customer, task_id).agents == ["counter", "rater"]


def test_a_task_without_any_file_is_refused(customer: Customer) -> None:
    problem = problem_of(customer.process(customer.create()), 422)

    assert problem["error_code"] == "NO_INPUT_FILES"


def test_a_task_without_its_required_role_is_refused(customer: Customer) -> None:
    task_id = customer.create()
    customer.upload(task_id, "baseline")

    problem = problem_of(customer.process(task_id), 422)

    assert (problem["error_code"], problem["context"]["role"]) == ("MISSING_INPUT_ROLE", "primary")


def test_parameters_alone_are_no_data(customer: Customer) -> None:
    task_id = customer.create()
    customer.upload(task_id, "parameters", "parameters.json", b"{}")

    assert problem_of(customer.process(task_id), 422)["error_code"] == "NO_INPUT_FILES"


def test_a_file_that_was_announced_and_never_sent_is_missed(customer: Customer) -> None:
    task_id = customer.ready()
    customer.announce(task_id, "baseline")

    problem = problem_of(customer.process(task_id), 422)

    assert problem["error_code"] == "MISSING_INPUT_ROLE"
    assert problem["context"] == {"role": "baseline", "filename": "data.csv"}


def test_a_file_larger_than_it_said_is_refused_by_its_real_size(customer: Customer) -> None:
    task_id = customer.create()
    customer.announce(task_id, size=10)
    key = f"users/{customer.id}/tasks/{task_id}/inputs/primary/data.csv"
    customer.hall.storage.put_bytes(key, b"x" * 1001, "text/csv")

    problem = problem_of(customer.process(task_id), 413)

    assert problem["error_code"] == "FILE_TOO_LARGE"
    assert problem["context"]["size"] == 1001
    assert row_of(customer, task_id).status == "CREATED"
    assert customer.balance() == 500


@pytest.mark.parametrize(
    ("name", "body", "status", "words"),
    [
        ("data.csv", b"%PDF-1.7", 415, "'data.csv' looks like a PDF document, not like a table."),
        ("data.parquet", b"PAR1" + bytes(100), 422, "The Parquet file is damaged or incomplete."),
        ("data.csv", b"\n\n", 422, "'data.csv' is empty: there is no text and no table in it."),
        ("data.parquet", b'{"a": 1}', 415, "'data.parquet' is JSON; here one of these is needed: csv, parquet."),
    ],
)
def test_what_no_agent_will_read_is_refused_before_it_is_queued(
    customer: Customer, name: str, body: bytes, status: int, words: str
) -> None:
    task_id = customer.create()
    customer.upload(task_id, filename=name, body=body)

    problem = problem_of(customer.process(task_id), status)

    assert problem["detail"] == words
    assert (problem["context"]["role"], problem["context"]["filename"]) == ("primary", name)
    assert kinds_of(customer) == ["GRANT"]
    customer.upload(task_id)
    assert customer.process(task_id).status_code == 202


def test_a_name_that_lies_about_what_intake_can_read_is_no_hindrance(customer: Customer) -> None:
    task_id = customer.create()
    customer.upload(task_id, filename="data.parquet", body=CSV)

    assert customer.process(task_id).status_code == 202


def test_an_uploaded_parameters_file_lies_under_the_tasks_own(customer: Customer) -> None:
    task_id = customer.ready(parameters={"rater": {"top": 7}})
    uploaded = {"rater": {"top": 2, "label": "mine"}, "counter": {"top": 4}}
    customer.upload(task_id, "parameters", "parameters.json", json.dumps(uploaded).encode())

    customer.process(task_id)

    row = row_of(customer, task_id)
    assert row.parameters == {"rater": {"top": 7, "label": "mine"}, "counter": {"top": 4}}
    assert set(row.inputs) == {"primary"}


def test_a_parameters_file_that_is_no_good_is_refused_by_name_and_can_be_sent_again(customer: Customer) -> None:
    task_id = customer.ready()
    customer.upload(task_id, "parameters", "parameters.json", b'{"rater": {"top": 99}}')

    problem = problem_of(customer.process(task_id), 422)

    assert (problem["error_code"], problem["context"]) == ("BAD_PARAMETERS", {"agent": "rater", "field": "top"})
    assert kinds_of(customer) == ["GRANT"]
    customer.upload(task_id, "parameters", "parameters.json", b'{"rater": {"top": 9}}')
    assert customer.process(task_id).status_code == 202


def test_a_parameters_file_over_a_mebibyte_is_refused_unread(customer: Customer) -> None:
    task_id = customer.ready()
    customer.announce(task_id, "parameters", "parameters.json")
    key = f"users/{customer.id}/tasks/{task_id}/inputs/parameters/parameters.json"
    customer.hall.storage.put_bytes(key, b" " * (2**20 + 1), "application/json")

    assert problem_of(customer.process(task_id), 413)["context"]["role"] == "parameters"


def test_too_few_credits_hold_nothing_and_say_how_many_are_missing(customer: Customer) -> None:
    poor = new_customer(customer.hall, balance=54)
    task_id = poor.ready()

    problem = problem_of(poor.process(task_id), 402)

    assert problem["error_code"] == "INSUFFICIENT_CREDITS"
    assert problem["context"] == {"available": 54, "required": 55, "shortfall": 1}
    assert kinds_of(poor) == ["GRANT"]
    assert row_of(poor, task_id).status == "CREATED"


def test_a_task_that_was_too_dear_can_be_submitted_after_a_grant(customer: Customer, admin: Customer) -> None:
    poor = new_customer(customer.hall, balance=54)
    task_id = poor.ready()
    problem_of(poor.process(task_id, Idempotency_Key="k"), 402)

    admin.post("/admin/credits/grant", {"user_id": poor.id, "amount": 1})

    assert poor.process(task_id, Idempotency_Key="k").status_code == 202
    assert poor.balance() == 0


def test_a_task_is_submitted_once(customer: Customer) -> None:
    task_id = customer.queued()

    problem = problem_of(customer.process(task_id), 409)

    assert (problem["error_code"], problem["context"]) == ("INVALID_TASK_STATE", {"status": "QUEUED"})
    assert customer.balance() == 445


def test_two_submits_at_one_moment_hold_once(customer: Customer) -> None:
    task_id = customer.ready()
    asked = ("POST", f"/tasks/{task_id}/process", {"headers": customer.headers})

    answers = customer.hall.together(asked, asked, asked)

    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
    assert kinds_of(customer) == ["HOLD", "HOLD", "GRANT"]


def test_two_submits_with_one_key_at_one_moment_hold_once(customer: Customer) -> None:
    task_id = customer.ready()
    headers = {**customer.headers, "Idempotency-Key": "k"}
    asked = ("POST", f"/tasks/{task_id}/process", {"headers": headers})

    answers = customer.hall.together(asked, asked, asked)

    assert all(answer.status_code in {202, 409} for answer in answers)
    assert {a.json()["error_code"] for a in answers if a.status_code == 409} <= {
        "REQUEST_IN_FLIGHT",
        "INVALID_TASK_STATE",
    }
    assert customer.balance() == 445
    assert customer.process(task_id, Idempotency_Key="k").status_code == 202


def test_a_replayed_submit_gives_the_same_answer(customer: Customer) -> None:
    task_id = customer.ready()

    answers = [customer.process(task_id, Idempotency_Key="k") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert customer.balance() == 445


def test_a_replay_asks_the_file_store_nothing(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = customer.ready()
    customer.process(task_id, Idempotency_Key="k")
    monkeypatch.setattr(Storage, "head", None)

    assert customer.process(task_id, Idempotency_Key="k").status_code == 202


def test_one_key_for_two_tasks_is_a_mismatch(customer: Customer) -> None:
    first, second = customer.ready(), customer.ready()
    customer.process(first, Idempotency_Key="k")

    problem = problem_of(customer.process(second, Idempotency_Key="k"), 422)

    assert problem["error_code"] == "IDEMPOTENCY_MISMATCH"
    assert row_of(customer, second).status == "CREATED"


def test_one_key_of_two_customers_is_two_keys(customer: Customer, stranger: Customer) -> None:
    for somebody in (customer, stranger):
        assert somebody.process(somebody.ready(), Idempotency_Key="k").status_code == 202


def test_creating_twice_with_one_key_creates_once(customer: Customer) -> None:
    made = [customer.post("/tasks", {"tool_id": "trial"}, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    other = customer.post("/tasks", {"tool_id": "trial", "agents": ["rater"]}, headers={"Idempotency-Key": "k"})

    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json() == made[1].json()
    assert problem_of(other, 422)["error_code"] == "IDEMPOTENCY_MISMATCH"
    assert len(customer.get("/tasks").json()["tasks"]) == 1


def test_a_key_that_is_no_key_is_refused(customer: Customer) -> None:
    task_id = customer.ready()
    for key in ("", "x" * 201, "a b"):
        problem_of(customer.process(task_id, Idempotency_Key=key), 422)


def test_files_announced_anew_during_the_checks_stop_the_submit(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = customer.ready()
    look = Storage.head

    def announce_meanwhile(storage: Storage, key: str) -> object:
        with transaction() as session:
            task = task_store.get(session, uuid.UUID(task_id), customer.id, lock=True)
            task_store.plan_inputs(session, task, {"primary": [{**task.inputs["primary"][0], "filename": "b.csv"}]})
        return look(storage, key)

    monkeypatch.setattr(Storage, "head", announce_meanwhile)

    assert problem_of(customer.process(task_id), 409)["error_code"] == "CONFLICT"
    assert customer.balance() == 500


def test_a_file_store_that_does_not_answer_is_said_to_be_unavailable(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import EndpointConnectionError

    def fail(_storage: Storage, _key: str) -> None:
        raise EndpointConnectionError(endpoint_url="http://10.1.2.3")

    task_id = customer.ready()
    monkeypatch.setattr(Storage, "head", fail)
    answer = customer.process(task_id)

    assert problem_of(answer, 503)["error_code"] == "STORAGE_UNAVAILABLE"
    assert "10.1.2.3" not in answer.text
    assert answer.headers["retry-after"] == "1"
    assert row_of(customer, task_id).status == "CREATED"


def test_a_cancelled_task_cannot_be_submitted(customer: Customer) -> None:
    task_id = customer.ready()
    customer.post(f"/tasks/{task_id}/cancel")

    assert problem_of(customer.process(task_id), 409)["context"] == {"status": "CANCELLED"}
