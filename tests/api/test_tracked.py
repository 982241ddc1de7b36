import re
from typing import Any

import pytest
from hall_client import Customer, Hall
from structlog.testing import capture_logs

from api.tracked import REQUEST_ID
from backend.log_fields import FIELDS


def told(lines: list[Any]) -> list[Any]:
    return [line for line in lines if line["event"] == "request answered"]


@pytest.mark.parametrize("said", ["5f0c0a7e-8d9b", "trace:1", "A" * 128])
def test_a_callers_own_request_id_comes_back(lobby: Hall, said: str) -> None:
    assert lobby.send("GET", "/healthz", headers={REQUEST_ID: said}).headers[REQUEST_ID] == said


@pytest.mark.parametrize("said", ["", "two words", "A" * 129, "a\tb", '{"level":"error"}'])
def test_what_is_no_plain_word_is_replaced(lobby: Hall, said: str) -> None:
    found = lobby.send("GET", "/healthz", headers={REQUEST_ID: said}).headers[REQUEST_ID]
    assert re.fullmatch("[0-9a-f]{32}", found)


def test_a_problem_names_its_request(lobby: Hall) -> None:
    answer = lobby.send("GET", "/nowhere", headers={REQUEST_ID: "abc"})
    assert (answer.status_code, answer.json()["request_id"]) == (404, "abc")


def test_a_request_is_one_line_with_its_customer_its_task_and_its_route(hall: Hall, customer: Customer) -> None:
    task_id = customer.create()
    with capture_logs(FIELDS[:1]) as lines:
        customer.get(f"/tasks/{task_id}", headers={REQUEST_ID: "abc"})
    (line,) = told(lines)
    assert (line["method"], line["route"], line["status"]) == ("GET", "/tasks/{task_id}", 200)
    assert (line["request_id"], line["task_id"]) == ("abc", task_id)
    assert line["user_id"] > 0
    assert line["milliseconds"] > 0


def test_no_line_says_what_stood_in_an_address(hall: Hall, customer: Customer) -> None:
    with capture_logs(FIELDS[:1]) as lines:
        customer.get("/tasks/mary@example.com?token=s3cret")
        customer.get("/no/such/route/mary@example.com")
    assert len(told(lines)) == 2
    assert "mary" not in str(lines)
    assert "s3cret" not in str(lines)


def test_what_machines_ask_every_few_seconds_is_no_line_at_info(lobby: Hall) -> None:
    with capture_logs() as lines:
        lobby.send("GET", "/healthz")
        lobby.send("GET", "/nowhere")
    assert [line["status"] for line in told(lines)] == [404]
