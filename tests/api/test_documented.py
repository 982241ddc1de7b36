from collections.abc import Iterator
from typing import Any

import pytest

from api.error_responses import PROBLEM_JSON
from backend.main import create_app

DOCUMENT = create_app().openapi()
OPERATIONS = {
    operation["operationId"]: (path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for operation in operations.values()
}
NO_PROBLEM = {"get_readiness"}  # not ready is no refusal: it is the answer


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key == "$ref")
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def resolved(reference: str) -> Any:
    found = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def has_example(part: Any) -> bool:
    """Somewhere in the schema, behind its references."""
    if isinstance(part, dict):
        if part.keys() & {"example", "examples"}:
            return True
        return any(has_example(resolved(v) if k == "$ref" else v) for k, v in part.items())
    return isinstance(part, list) and any(has_example(inner) for inner in part)


def test_no_reference_leads_nowhere() -> None:
    assert all(resolved(reference) for reference in references(DOCUMENT))


def test_it_is_openapi_3_1_with_what_that_requires() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert DOCUMENT["info"].keys() >= {"title", "version", "description"}
    assert len(OPERATIONS) == sum(len(operations) for operations in DOCUMENT["paths"].values())


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_each_operation_can_be_read_and_tried(operation_id: str) -> None:
    path, operation = OPERATIONS[operation_id]

    assert operation_id.replace("_", "").isalpha()
    assert operation["summary"]
    assert operation["tags"]
    holes = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "path"]
    assert all(f"{{{hole}}}" in path for hole in holes)
    if "requestBody" in operation:
        assert has_example(operation["requestBody"])
    good = [answer for status, answer in operation["responses"].items() if status in {"200", "201", "202"}]
    assert all(has_example(answer["content"]) for answer in good)
    assert good or "204" in operation["responses"]


@pytest.mark.parametrize("operation_id", sorted(OPERATIONS.keys() - NO_PROBLEM))
def test_each_refusal_is_documented_as_a_problem(operation_id: str) -> None:
    refusals = {s: a for s, a in OPERATIONS[operation_id][1]["responses"].items() if s >= "400"}

    assert all(set(answer["content"]) == {PROBLEM_JSON} for answer in refusals.values())


def test_what_needs_somebody_signed_in_says_so() -> None:
    open_to_all = {name for name, (_path, operation) in OPERATIONS.items() if "security" not in operation}

    assert open_to_all == {
        "register", "login", "refresh", "logout", "list_tools", "get_tool", "get_health", "get_readiness",
        "get_metrics", "get_linked_output",
    }  # fmt: skip


def test_every_change_that_would_be_another_one_when_repeated_takes_an_idempotency_key() -> None:
    takes = {
        name
        for name, (_path, operation) in OPERATIONS.items()
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ()))
    }

    assert takes == {
        "create_task", "create_upload_urls", "process_task", "cancel_task", "delete_task", "retry_task",
        "grant_credits", "create_webhook", "delete_webhook", "rotate_webhook_secret", "delete_collection",
    }  # fmt: skip
