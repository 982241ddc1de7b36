"""What an API key of each scope may do, asked of every operation that the interface describes."""

from typing import Any

import pytest
from hall_client import Customer, Hall, new_customer
from test_documented import OPERATIONS
from test_somebody_elses import BODIES, NOBODYS, SIGNED_IN, holes, method_of

from api.scopes import scope_needed
from db.models import Scope

# Said once more, by hand: an operation that is new is put here by who has thought about it.
RUN = {
    "create_task", "create_upload_urls", "complete_upload", "put_input", "process_task", "cancel_task", "delete_task",
    "retry_task", "delete_collection",
}  # fmt: skip
MANAGE = {
    "create_api_key", "revoke_api_key", "change_password", "create_webhook", "change_webhook", "delete_webhook",
    "rotate_webhook_secret", "test_webhook", "replay_webhook_delivery", "grant_credits", "replay_tasks", "get_overview",
    "get_loads", "get_failures", "list_all_tasks", "verify_house",
}  # fmt: skip
ONLY_SIGNED_IN = {"change_password"}


def needed(operation_id: str) -> Scope:
    if operation_id in MANAGE:
        return Scope.MANAGE
    return Scope.RUN if operation_id in RUN else Scope.READ


@pytest.mark.parametrize("operation_id", SIGNED_IN)
def test_each_operation_needs_the_scope_that_was_thought_of(operation_id: str) -> None:
    assert scope_needed(method_of(operation_id), OPERATIONS[operation_id][0]) == needed(operation_id)


@pytest.mark.parametrize("scope", Scope)
def test_a_key_is_refused_what_its_scope_does_not_hold_and_nothing_else(hall: Hall, scope: Scope) -> None:
    """An administrator's, so that no role stands before the scope. Nothing is there, so nothing is done either."""
    admin = new_customer(hall, admin=True)
    made = admin.post("/auth/api-keys", {"name": "program", "scope": scope}).json()
    key = Customer(hall, admin.id, admin.email, {"X-API-Key": made["key"]})
    for operation_id in SIGNED_IN:
        path, _ = OPERATIONS[operation_id]
        given: dict[str, Any] = {hole: NOBODYS.get(hole, "ledger") for hole in holes(path)}
        answer = key.send(method_of(operation_id), path.format(**given), **BODIES.get(operation_id, {}))
        said = answer.json().get("error_code") if answer.status_code == 403 else None
        allowed = scope.covers(needed(operation_id)) and operation_id not in ONLY_SIGNED_IN
        if operation_id in ONLY_SIGNED_IN and scope is Scope.MANAGE:  # the body is looked at first
            assert answer.status_code in {403, 422}
        else:
            assert (said == "SCOPE_TOO_SMALL") is not allowed, (operation_id, answer.text)


def test_what_a_scope_refuses_is_documented_where_it_may_refuse() -> None:
    for operation_id in SIGNED_IN:
        refusals = OPERATIONS[operation_id][1]["responses"].get("403", {"content": {}})["content"]
        said = "SCOPE_TOO_SMALL" in refusals.get("application/problem+json", {}).get("examples", {})
        assert said is (needed(operation_id) is not Scope.READ), operation_id
