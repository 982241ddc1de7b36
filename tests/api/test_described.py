"""The interface against its own description: what it says is kept, and nothing that may be sent breaks it.

Schemathesis makes the requests, a few in `make test` and many in `make chaos`; every second one speaks of things that
are there. It is imported late: only the process that runs these tests needs it.
"""

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hall_client import Hall, new_customer
from hypothesis import HealthCheck, Phase, given, settings
from test_collection_routes import ingested
from test_documented import OPERATIONS

from api.dependencies import file_store
from backend.main import create_app
from backend.storage.door import Storage
from tests.conftest import forget_settings

LEFT_OUT = {
    "follow_task": "a stream has no end",
    "test_webhook": "it asks somebody else's server",
    "get_readiness": "no worker is there, so it is 503, as described",
}
FEW, MANY = 2, 60


@cache
def described() -> Any:
    import schemathesis

    return schemathesis.openapi.from_asgi("/openapi.json", create_app())


@pytest.fixture
def asked(database: str, hall_storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Who asks: an administrator; and the ids of what they have."""
    monkeypatch.setenv("REQUESTS_PER_SECOND", "0")
    forget_settings()
    described().app.dependency_overrides[file_store] = lambda: hall_storage
    hall = Hall(hall_storage)
    admin = new_customer(hall, admin=True)
    webhook = admin.post("/webhooks", {"url": "https://example.com/"}).json()["id"]
    key = admin.post("/auth/api-keys", {"name": "another"}).json()["id"]
    ingested(admin, "handbook")
    ids = {
        "name": "handbook",
        "task_id": admin.ready(),
        "webhook_id": webhook,
        "key_id": key,
        "tool_id": "trial",
        "role": "primary",
    }
    yield {"headers": dict(admin.headers), "ids": ids}
    hall.close()


def look_at(operation_id: str, asked: dict[str, Any], examples: int) -> None:
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    kept = (
        not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
        checks.response_headers_conformance, checks.response_schema_conformance,
    )  # fmt: skip
    path, operation = OPERATIONS[operation_id]
    [method] = [name for name, one in described().raw_schema["paths"][path].items() if one == operation]
    numbers = itertools.count()

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=described()[path][method].as_strategy())
    def each(case: Any) -> None:
        if next(numbers) % 2:
            case.path_parameters.update({n: v for n, v in asked["ids"].items() if n in case.path_parameters})
        case.call_and_validate(headers=asked["headers"], checks=kept)

    each()


@pytest.mark.parametrize("operation_id", sorted(OPERATIONS.keys() - LEFT_OUT.keys()))
def test_it_is_as_described(operation_id: str, asked: dict[str, Any]) -> None:
    look_at(operation_id, asked, FEW)


@pytest.mark.long
@pytest.mark.parametrize("operation_id", sorted(OPERATIONS.keys() - LEFT_OUT.keys()))
def test_it_is_as_described_whatever_is_sent(operation_id: str, asked: dict[str, Any]) -> None:
    look_at(operation_id, asked, MANY)
