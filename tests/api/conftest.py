"""The app over a clean database and a real file store (tests/conftest.py), with two customers and one more tool."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hall_client import TRIAL, Customer, Hall, new_customer

from backend.devstack import Stack
from backend.settings import Settings
from backend.storage.door import Storage
from tests.conftest import forget_settings
from transformers import catalog
from transformers.routing import transformer


@pytest.fixture(autouse=True)
def _trial_tool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(catalog, "TRANSFORMERS", (*catalog.TRANSFORMERS, transformer(TRIAL)))
    catalog.transformers.cache_clear()
    yield
    catalog.transformers.cache_clear()


@pytest.fixture
def roomy(_trial_tool: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial tool's primary role takes 12 MiB."""
    primary, *others = TRIAL.roles
    tool = replace(TRIAL, roles=(replace(primary, max_bytes=12 * 2**20), *others))
    monkeypatch.setattr(catalog, "TRANSFORMERS", (transformer(tool),))
    catalog.transformers.cache_clear()


@pytest.fixture(scope="session")
def hall_storage(stack: Stack) -> Storage:
    """One bucket for all of the hall's tests: ids of tasks keep their files apart."""
    storage = Storage(Settings(_env_file=None, s3_bucket="hall"))
    storage.ensure_bucket()
    return storage


@pytest.fixture
def hall(database: str, hall_storage: Storage) -> Iterator[Hall]:
    hall = Hall(hall_storage)
    yield hall
    hall.close()


@pytest.fixture
def lobby() -> Iterator[Hall]:
    """The hall with nothing behind it: what needs no database and no file store."""
    hall = Hall(Storage(Settings(_env_file=None, s3_endpoint_url="http://127.0.0.1:1")))
    yield hall
    hall.close()


@pytest.fixture
def customer(hall: Hall) -> Customer:
    return new_customer(hall)


@pytest.fixture
def stranger(hall: Hall) -> Customer:
    return new_customer(hall)


@pytest.fixture
def admin(hall: Hall) -> Customer:
    return new_customer(hall, admin=True)


@pytest.fixture
def models_set_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two models by name, at an address where nobody answers."""
    monkeypatch.setenv("MODELS", "compatible:small,compatible:large")
    monkeypatch.setenv("COMPATIBLE_BASE_URL", "http://127.0.0.1:1/v1")
    forget_settings()
    yield
    forget_settings()
