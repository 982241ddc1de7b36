"""Every test of the memory has a clean, migrated database."""

from collections.abc import Callable, Iterator

import pytest

from backend.settings import get_settings
from tests.conftest import ABOUT_LIMITS, patient_stations


@pytest.fixture(autouse=True)
def database(
    shared_database: str,
    emptied: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[str]:
    """As in tests/conftest.py, but for every test; its address."""
    if request.path.name not in ABOUT_LIMITS:
        patient_stations(monkeypatch)
    monkeypatch.setenv("DATABASE_URL", shared_database)
    get_settings.cache_clear()
    emptied()
    yield shared_database
    get_settings.cache_clear()
