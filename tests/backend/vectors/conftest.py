"""One suite for both stores: what is said of `store` holds for pgvector and for ChromaDB."""

from pathlib import Path

import pytest
from shelf import Shelf

from backend.vectors.chroma_store import ChromaStore
from backend.vectors.pgvector_store import PgvectorStore
from backend.vectors.store import VectorStore
from tests.builders import customer


@pytest.fixture(params=["pgvector", "chroma"])
def store(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> VectorStore:
    return PgvectorStore() if request.param == "pgvector" else ChromaStore("", tmp_path)


@pytest.fixture
def shelf(store: VectorStore) -> Shelf:
    return Shelf(store, customer())
