"""Every test of the memory has a clean, migrated database. A module keeps its engine, and with it the statements that
SQLAlchemy has compiled: compiling them anew for each test took a third of the time.
"""

from collections.abc import Iterator

import pytest
from side_by_side import sql

from backend.settings import get_settings
from db.database import close_database


@pytest.fixture(scope="module", autouse=True)
def _one_engine_a_module() -> Iterator[None]:
    close_database()
    yield
    close_database()


@pytest.fixture(autouse=True)
def database(shared_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """As in tests/conftest.py, without closing; its address."""
    monkeypatch.setenv("DATABASE_URL", shared_database)
    get_settings.cache_clear()
    sql("CALL empty_all()")
    yield shared_database
    get_settings.cache_clear()
