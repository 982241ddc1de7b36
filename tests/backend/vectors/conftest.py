"""One suite for both stores: what is said of `store` holds for pgvector and for ChromaDB."""

import pytest
from shelf import Shelf

from backend.vectors.chroma_store import ChromaStore
from backend.vectors.pgvector_store import PgvectorStore
from backend.vectors.store import VectorStore
from tests.builders import customer


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> ChromaStore:
    """One for all tests: opening it takes a third of a second. Ids of collections keep them apart."""
    return ChromaStore("", tmp_path_factory.mktemp("chroma"))


@pytest.fixture(params=["pgvector", "chroma"])
def store(request: pytest.FixtureRequest, database: str) -> VectorStore:
    return PgvectorStore() if request.param == "pgvector" else request.getfixturevalue("chroma")


@pytest.fixture
def shelf(store: VectorStore) -> Shelf:
    return Shelf(store, customer())
