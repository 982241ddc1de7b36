"""Every test of the memory has a clean, migrated database."""

from collections.abc import Callable, Iterator

import pytest

from backend.settings import get_settings
from tests.conftest import patient_stations

# Many stations in a row, none of them about its limits. Elsewhere 30 s instead of two would let a transaction that a
# test left open keep old row versions alive under the next one, which may count them.
LONG_STORIES = ("test_ledger.py", "test_admission.py", "test_task_store.py")


@pytest.fixture(autouse=True)
def database(
    shared_database: str,
    emptied: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[str]:
    """As in tests/conftest.py, with the limits of a station; its address."""
    if request.path.name in LONG_STORIES:
        patient_stations(monkeypatch)
    monkeypatch.setenv("DATABASE_URL", shared_database)
    get_settings.cache_clear()
    emptied()
    yield shared_database
    get_settings.cache_clear()
